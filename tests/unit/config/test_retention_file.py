from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config.retention_file import check_taxonomy, load_rules, parse_rules
from pipeline.config.taxonomy_file import load_taxonomy
from pipeline.core.errors import ConfigError
from pipeline.core.retention import RequestKind
from pipeline.retention.period import Period
from pipeline.retention.rules import Verified

CONFIGS = Path(__file__).parents[3] / "configs"
SHIPPED = (CONFIGS / "retention.yaml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    assert old in SHIPPED
    return SHIPPED.replace(old, new, 1)


def problems(text: str, *, production: bool = False) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        parse_rules(text, "r.yaml", production=production)
    return tuple(re.sub(r":\d+", ":N", problem, count=1) for problem in refused.value.problems)


def test_the_shipped_rules_are_accepted_in_production_and_cover_every_category() -> None:
    rules = load_rules(CONFIGS / "retention.yaml", production=True)
    check_taxonomy(rules, load_taxonomy(CONFIGS / "taxonomy.yaml"))
    assert rules == parse_rules(SHIPPED, "elsewhere", production=True)
    assert rules.clock.max_backward == timedelta(minutes=5)
    assert rules.clock.max_forward == timedelta(hours=48)
    assert rules.dual_control.valid == timedelta(hours=24)
    assert rules.dual_control.new_approver_waits == timedelta(hours=72)
    assert rules.alarms == (timedelta(days=7), timedelta(days=2))
    assert rules.unreviewed == "keep"
    assert set(rules.requests) == set(RequestKind)
    assert rules.requests[RequestKind.ERASURE] == Period.parse("P1M")


def test_no_rule_ships_verified_and_every_rule_names_its_source() -> None:
    rules = parse_rules(SHIPPED, "r.yaml")
    for group in (rules.classes, rules.holds, rules.flags, rules.deadlines):
        assert all(rule.verified is None and rule.cite for rule in group.values())
    for rule in (*rules.floors, *rules.ceilings, *rules.patterns):
        assert rule.verified is None
        assert rule.cite
    assert not any(flag.enabled for flag in rules.flags.values())


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("TRANSIENT_SCORE", None, "PT24H"),
        ("UNCONFIRMED_FLAG", None, "P30D"),
        ("DISMISSED", None, "P7D"),
        ("POLICY_VIOLATION", "P6M", "P12M"),
        ("PATTERN", "P6M", "P24M"),
        ("CRIMINAL_REFERRAL", "P12M", "P36M"),
        ("CSAM_US", "P1Y", "P1Y"),
        ("CSAM_EU_NIICS", None, "P12M"),
        ("TERROR_TCO", "P6M", "P6M"),
        ("UNDER13_NONCONSENT", None, "PT72H"),
        ("PRESERVATION", None, "P0D"),
        ("DSR_RECORD", "P24M", "P6Y"),
        ("AUDIT", None, "P6Y"),
    ],
)
def test_the_shipped_classes_have_the_lengths_of_their_laws(name: str, low: str | None, high: str) -> None:
    rule = parse_rules(SHIPPED, "r.yaml").classes[name]
    assert (rule.min, rule.max) == (Period.parse(low) if low else None, Period.parse(high))


def test_the_record_of_a_dismissal_outlives_its_media() -> None:
    rule = parse_rules(SHIPPED, "r.yaml").classes["DISMISSED"]
    assert (rule.start, rule.max, rule.record_max) == ("decided", Period.parse("P7D"), Period.parse("P6M"))


def test_a_letter_under_2703f_runs_ninety_days_and_is_renewed_by_as_much() -> None:
    rule = parse_rules(SHIPPED, "r.yaml").holds["US_2703F"]
    assert rule.period == rule.renew == Period.parse("P90D")
    assert rule.alert_before == timedelta(days=14)
    assert not rule.open_ended


def test_who_verified_a_rule_and_when_is_read() -> None:
    text = changed(
        'cite: "18 USC 2258A(h)(1); Pub. L. 118-59", verified: {}', 'cite: x, verified: {by: A, at: "2026-11-30"}'
    )
    floor = parse_rules(text, "r.yaml", production=True).floors[0]
    assert floor.verified == Verified(by="A", at=date(2026, 11, 30))


def test_the_digest_is_of_the_text() -> None:
    one, other = parse_rules(SHIPPED, "r.yaml"), parse_rules(SHIPPED + "# seen\n", "r.yaml")
    assert one.sha256 != other.sha256
    assert one == replace(other, sha256=one.sha256)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("max: P12M\n    basis", "max: P5M\n    basis", "min: P6M is longer than max (P5M)"),
        ("min: P6M\n    max: P12M", "min: P366D\n    max: P12M", "min: P366D is longer than max (P12M)"),
        ("record_max: P6M", "record_max: P1D", "media_max: P7D is longer than record_max (P1D)"),
        ("start: notified", "start: notifed", "start: 'notifed' is not known; did you mean notified?"),
        ("on: removed", "on: remove", "on: 'remove' is not known; did you mean removed?"),
        ("on: removed", "on: last_upheld", "on: 'last_upheld' is not known; known:"),
        ("otherwise: [nca_reported", "otherwise: [nca", "otherwise: 'nca' is not known; did you mean nca_reported?"),
        ("start: sealed", "start: captured", "start: UNCONFIRMED_FLAG starts sealed, whatever else does not"),
        ("start: holds_ended", "start: sealed", "start: PRESERVATION starts holds_ended, whatever else does not"),
        ("max: P30D", "max: P0D", "max: leaves no time to look at what was flagged"),
        ("max: P30D", "max: 30d", "max: '30d' is not a period; write P1Y, P6M, P90D or PT72H"),
        ("max: P30D, ", "", "classes.UNCONFIRMED_FLAG: has neither max nor review_every"),
        (
            "    flag: eu_niics_voluntary_scanning",
            "    flag: eu_nics",
            "flag: 'eu_nics' is not known; known: eu_niics",
        ),
        ("requires_flag: eu_niics_voluntary_scanning", "requires_flag: x", "requires_flag: 'x' is not known"),
        ("class: [TERROR_TCO]", "class: [TERROR]", "class: 'TERROR' is not known; did you mean TERROR_TCO?"),
        ("jurisdiction: [EEA]", "jurisdiction: [Europe]", "jurisdiction: 'Europe' is not a code such as NL"),
        ("jurisdiction: [EEA]", "jurisdiction: []", "jurisdiction: names nothing; leave it out for everywhere"),
        ("instead_of: [CSAM_US]", "instead_of: [CSAM_EU_NIICS]", "instead_of: CSAM_EU_NIICS cannot take its own place"),
        ("id: COPPA", "id: DSA_20", "id: 'DSA_20' is taken already; ids are unique, and no class has the same"),
        ("id: COPPA", "id: PATTERN", "id: 'PATTERN' is taken already"),
        ("  - escalated ", "  - escalatd ", "events: lacks 'escalated', which open cases and patterns depend on"),
        (
            "  - removed ",
            "  - sealed ",
            "events: 'sealed' is what the catalog knows by itself and no event; take it out",
        ),
        ("  - removed ", "  - Removed ", "events: 'Removed': a kind of event is made of small letters, digits and _"),
        ("  - removed ", "  - notified ", "events: 'notified' is listed twice"),
        (
            "US_2704: {open_ended: true",
            "US_2704: {open_ended: false",
            "period: a hold has either a period, or open_ended",
        ),
        ("US_2258A: {period: P1Y", "US_2258A: {open_ended: true, period: P1Y", "period: a hold has either a period"),
        ("{open_ended: true, renew: P6M", "{open_ended: true", "renew: an open-ended hold says how often"),
        ("alert_before: P14D", "alert_before: P1M", "alert_before: P1M has no exact length; write days"),
        ("period: P90D", "period: P0D", "period: P0D is no time at all"),
        ("min_distinct_sessions: 3", "min_distinct_sessions: 4", "min_distinct_sessions: 4 is more than count (3)"),
        ("exclude: [pending", "exclude: [lost", "exclude: 'lost' is not a state of appeal: pending, overturned"),
        ("erasure: gdpr", "erasure: gpdr", "requests.erasure: 'gpdr' is not known; did you mean gdpr?"),
        ("  under_13: coppa\n", "", "requests.under_13: is missing"),
        ("unreviewed: keep", "unreviewed: drop", "unreviewed: 'drop' is not known; known: expire, keep"),
        ("alarms: [P7D, P2D]", "alarms: []", "alarms: lists nothing, and unreviewed evidence must alarm"),
        ("alarms: [P7D, P2D]", "alarms: [P1M]", "alarms: P1M has no exact length"),
        ("share_of_week: 0.5", "share_of_week: -1", "share_of_week: -1 is not a number in 0..100"),
        ("ignore_below: 25", "ignore_below: 2500", "ignore_below: 2500 is above at_once (1000)"),
        ("max_forward: PT48H", "max_forward: PT0H", "max_forward: PT0H is no time at all"),
        ("policy: keep_and_restrict", "policy: destroy", "conflict.policy: 'destroy' is not known; known: keep_and_"),
        ("escalate_to: [legal", "escalate_to: [boss", "escalate_to: 'boss' is not one of reviewer"),
        ("keep_records: P24M", "keep_record: P24M", "keep_record: unknown key; did you mean keep_records?"),
        ("period: P6M, cite", "within: P6M, cite", "floors[3].within: unknown key"),
        ("verified: {}", "verified: {by: A}", "verified.at: is missing"),
        (
            "verified: {}",
            'verified: {by: A, at: "soon"}',
            "verified.at: 'soon' is not a day; write it as \"2026-11-30\"",
        ),
        ("verified: {}", "verified: true", "verified: 'true' is not a mapping of keys to values"),
        ('cite: "16 CFR 312.10", ', "", "cite: is missing"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(old: str, new: str, problem: str) -> None:
    found = problems(changed(old, new))
    assert any(problem in one for one in found), found
    assert all(one.startswith("r.yaml:N ") for one in found)


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        changed("max: P30D", "max: soon")
        .replace("unreviewed: keep", "unreviewed: drop")
        .replace("id: COPPA", "id: DSA_20")
    )
    with pytest.raises(ConfigError) as refused:
        parse_rules(text, "r.yaml")
    lines = [int(problem.split()[0].split(":")[1]) for problem in refused.value.problems]
    assert len(lines) == 3
    assert lines == sorted(lines)


def test_an_empty_file_lacks_everything_and_says_so() -> None:
    found = problems("")
    assert "r.yaml:N classes: lacks the class UNCONFIRMED_FLAG" in found
    for key in (
        "name",
        "events",
        "classes",
        "floors",
        "ceilings",
        "holds",
        "clock",
        "limits",
        "dual_control",
        "requests",
    ):
        assert f"r.yaml:N {key}: is missing" in found


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "valid: PT24H",
            "valid: PT25H",
            "dual_control.valid: an approval is valid for at most PT24H in mode: production",
        ),
        (
            "waits: PT72H",
            "waits: P2D",
            "dual_control.new_approver_waits: new approvers wait at least PT72H in mode: prod",
        ),
    ],
)
def test_production_refuses_dual_control_that_is_weaker(old: str, new: str, problem: str) -> None:
    parse_rules(changed(old, new), "r.yaml")
    (found,) = problems(changed(old, new), production=True)
    assert problem in found


def test_categories_need_a_class_of_incidents_whose_flag_is_on() -> None:
    rules, taxonomy = parse_rules(SHIPPED, "r.yaml"), load_taxonomy(CONFIGS / "taxonomy.yaml")
    classes = {name: rule for name, rule in rules.classes.items() if name != "CRIMINAL_REFERRAL"}
    with pytest.raises(ConfigError, match="category sextortion: retention_class CRIMINAL_REFERRAL is no class"):
        check_taxonomy(replace(rules, classes=classes), taxonomy)
    behind = {
        **rules.classes,
        "CSAM_US": replace(rules.classes["CSAM_US"], requires_flag="eu_niics_voluntary_scanning"),
    }
    with pytest.raises(ConfigError, match="grooming: retention_class CSAM_US takes the flag eu_niics_voluntary"):
        check_taxonomy(replace(rules, classes=behind), taxonomy)


def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_rules(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml:1: not UTF-8 text"):
        load_rules(tmp_path / "latin.yaml")


def test_a_year_of_days_is_within_twelve_months_whenever_it_starts() -> None:
    rules = parse_rules(changed("min: P6M\n    max: P12M", "min: P365D\n    max: P12M"), "r.yaml")
    rule = rules.classes["POLICY_VIOLATION"]
    assert rule.min is not None
    assert rule.max is not None
    leap = datetime(2027, 3, 1, tzinfo=UTC)
    assert rule.min.after(leap, later=False) < rule.max.after(leap, later=False)
