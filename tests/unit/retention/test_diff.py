"""A change of rules, told before it takes effect."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipeline.core.decision import Review, Severity
from pipeline.core.retention import Case, RequestKind, Verdict
from pipeline.retention.diff import Change, diff
from pipeline.retention.effects import LONGER_CEILING, LONGER_FLOOR, OTHERWISE, SHORTER_CEILING, SHORTER_FLOOR
from pipeline.retention.engine import floors
from pipeline.retention.period import Period
from pipeline.retention.rules import Flag, Rules, Verified
from pipeline.retention.simulate import simulate
from tests.unit.retention.cases import CHECKED, DAY, RULES, T0, all_verified, case, event, hold, on, upheld

P = Period.parse


def with_class(name: str, rules: Rules = RULES, **changes: object) -> Rules:
    changed = replace(rules.classes[name], **changes)  # type: ignore[arg-type]
    return replace(rules, classes={**rules.classes, name: changed})


def with_floor(name: str, **changes: object) -> Rules:
    return replace(RULES, floors=tuple(replace(f, **changes) if f.id == name else f for f in RULES.floors))


def only(new: Rules, old: Rules = RULES) -> Change:
    (change,) = diff(old, new)
    return change


def test_the_same_rules_differ_in_nothing() -> None:
    assert diff(RULES, RULES) == ()
    assert diff(RULES, with_class("POLICY_VIOLATION", max=P("P1Y"))) == ()  # P12M is P1Y


@pytest.mark.parametrize(
    ("new", "what", "effect"),
    [
        (with_class("POLICY_VIOLATION", min=P("P3M")), "class POLICY_VIOLATION min", SHORTER_FLOOR),
        (with_class("POLICY_VIOLATION", min=None), "class POLICY_VIOLATION min", SHORTER_FLOOR),
        (with_class("POLICY_VIOLATION", min=P("P9M")), "class POLICY_VIOLATION min", LONGER_FLOOR),
        (with_class("UNCONFIRMED_FLAG", min=P("P1D")), "class UNCONFIRMED_FLAG min", LONGER_FLOOR),
        (with_class("UNCONFIRMED_FLAG", max=P("P7D")), "class UNCONFIRMED_FLAG max", SHORTER_CEILING),
        (with_class("UNCONFIRMED_FLAG", max=P("P60D")), "class UNCONFIRMED_FLAG max", LONGER_CEILING),
        (with_class("UNCONFIRMED_FLAG", max=None), "class UNCONFIRMED_FLAG max", LONGER_CEILING),
        (with_class("POLICY_VIOLATION", max=P("P365D")), "class POLICY_VIOLATION max", SHORTER_CEILING),
        (with_class("UNCONFIRMED_FLAG", max=P("P1M")), "class UNCONFIRMED_FLAG max", OTHERWISE),
        (with_floor("DSA_20", period=P("P3M")), "floor DSA_20 period", SHORTER_FLOOR),
        (with_floor("DSA_20", period=P("P2Y")), "floor DSA_20 period", LONGER_FLOOR),
        (replace(RULES, floors=RULES.floors[1:]), "floor US_2258A_H", f"it is gone: {SHORTER_FLOOR}"),
        (replace(RULES, ceilings=RULES.ceilings[:-1]), "ceiling COPPA", f"it is gone: {LONGER_CEILING}"),
    ],
)
def test_shorter_and_longer_are_named_with_what_they_do_to_what_is_here(new: Rules, what: str, effect: str) -> None:
    change = only(new)
    assert (change.what, change.effect) == (what, effect)


def test_a_new_rule_is_told_whole() -> None:
    change = only(RULES, old=replace(RULES, ceilings=RULES.ceilings[:-1]))
    assert change.what == "ceiling COPPA"
    assert change.old == ""
    assert change.new == "on discovered, period 72 hours, severity low, cite 16 CFR 312.10"
    assert change.effect == f"it is new: {SHORTER_CEILING}"


def test_a_ceiling_that_somebody_verified_destroys_in_production_and_a_floor_keeps_anyway() -> None:
    verified = only(with_class("DISMISSED", verified=CHECKED))
    assert (verified.old, verified.new) == ("", "counsel on 2026-11-30")
    assert verified.effect == "in production this ceiling destroys from now on"
    assert only(RULES, old=with_class("DISMISSED", verified=CHECKED)).effect == (
        "in production this ceiling destroys nothing any more"
    )
    assert only(with_floor("DSA_20", verified=CHECKED)).effect == "it keeps as before"


def test_a_class_that_is_gone_lets_nothing_go() -> None:
    classes = {name: rule for name, rule in RULES.classes.items() if name != "PATTERN"}
    assert "stays, and alarms" in only(replace(RULES, classes=classes)).effect


def test_unreviewed_evidence_that_may_expire_is_said_plainly() -> None:
    change = only(replace(RULES, unreviewed="expire"))
    assert (change.what, change.old, change.new) == ("unreviewed", "keep", "expire")
    assert "goes at its ceiling, unless it is severe: also what is here" in change.effect


def test_a_flag_is_told_with_what_hangs_on_it() -> None:
    flag = RULES.flags["eu_niics_voluntary_scanning"]
    change = only(replace(RULES, flags={flag.name: replace(flag, enabled=True)}))
    assert (change.what, change.old, change.new) == ("flag eu_niics_voluntary_scanning enabled", "no", "yes")
    assert "count from now on" in change.effect


def _other(value: object) -> object:
    """Another value of the same type."""
    if isinstance(value, bool | Severity):
        return Severity.HIGH if isinstance(value, Severity) else not value
    if isinstance(value, timedelta | int | float):
        return value + (timedelta(days=1) if isinstance(value, timedelta) else 1)
    if isinstance(value, Period) or value is None:
        return P("P77D")
    if isinstance(value, tuple | frozenset):
        return type(value)([*value, "another"])
    return Verified(by="x", at=date(2026, 1, 1)) if isinstance(value, Verified) else f"{value}x"


def _every_field() -> Iterator[tuple[str, Rules]]:
    """The shipped rules with one field of one rule changed, for every field that there is."""
    flags = {"f": Flag(name="f", enabled=False, cite="c")}
    base = replace(RULES, flags=flags)
    for field, key in (("classes", "PATTERN"), ("holds", "US_2703F"), ("flags", "f"), ("deadlines", "gdpr")):
        rules = getattr(base, field)
        for f in dataclasses.fields(rules[key]):
            changed = replace(rules[key], **{f.name: _other(getattr(rules[key], f.name))})
            yield f"{field} {f.name}", replace(base, **{field: {**rules, key: changed}})
    for field in ("floors", "ceilings", "patterns"):
        first, *rest = getattr(base, field)
        for f in dataclasses.fields(first):
            changed = replace(first, **{f.name: _other(getattr(first, f.name))})
            yield f"{field} {f.name}", replace(base, **{field: (changed, *rest)})
    for field in ("clock", "limits", "dual_control", "conflict"):
        whole = getattr(base, field)
        for f in dataclasses.fields(whole):
            changed = replace(whole, **{f.name: _other(getattr(whole, f.name))})
            yield f"{field} {f.name}", replace(base, **{field: changed})
    yield "unreviewed", replace(base, unreviewed="expire")
    yield "alarms", replace(base, alarms=(timedelta(days=3),))
    yield "keep_records", replace(base, keep_records=P("P36M"))
    yield "events", replace(base, events=base.events | {"another"})
    yield "requests", replace(base, requests={**base.requests, RequestKind.ACCESS: P("P9D")})


EVERY = dict(_every_field())


@pytest.mark.parametrize("name", EVERY)
def test_no_difference_goes_untold(name: str) -> None:
    base = replace(RULES, flags={"f": Flag(name="f", enabled=False, cite="c")})
    told = diff(base, EVERY[name])
    assert told
    assert all(change.effect and change.old != change.new for change in told)


def test_every_field_of_the_rules_is_compared() -> None:
    compared = {name.split()[0] for name in EVERY}
    assert compared == {f.name for f in dataclasses.fields(Rules)} - {"name", "sha256"}


VERIFIED = all_verified(RULES)
STOCK = [
    case(incident_id="open"),
    case(incident_id="low", review=Review.DISMISSED, retention_class="DISMISSED", decided_at=T0),
    upheld("POLICY_VIOLATION", incident_id="told", events=(event("notified", "2026-03-12"),)),
    upheld("POLICY_VIOLATION", incident_id="held", events=(event("notified", "2026-03-12"),), holds=(hold(),)),
]


def test_a_shorter_ceiling_counts_what_goes_earlier_and_names_what_would_be_destroyed() -> None:
    shorter = with_class("POLICY_VIOLATION", VERIFIED, max=P("P6M"))
    found = simulate(STOCK, VERIFIED, shorter, on("2026-10-01"), production=True)
    assert found.incidents == 4
    assert found.verdicts == {(Verdict.KEEP, Verdict.DESTROY): 1, (Verdict.KEEP, Verdict.HELD): 1}
    assert found.earlier == {"POLICY_VIOLATION": 2}
    assert found.later == {}
    assert found.going == ("told",)


def test_a_shorter_floor_moves_nothing_that_was_written_down() -> None:
    """R17: the shorter floor affects new evidence only."""
    shorter = with_class("POLICY_VIOLATION", VERIFIED, min=P("P1M"), max=P("P2M"))
    forgetful = replace(shorter, floors=())
    written: list[Case] = [replace(c, floors=floors(c, VERIFIED)) for c in STOCK]
    now = on("2026-08-01")
    kept = simulate(written, VERIFIED, forgetful, now, production=True)
    assert kept.going == ()
    assert kept.verdicts == {(Verdict.KEEP, Verdict.CONFLICT): 2}
    unwritten = simulate(STOCK, VERIFIED, forgetful, now, production=True)
    assert unwritten.going == ("told",)


def test_a_pattern_under_the_new_rules_keeps_longer() -> None:
    found = simulate(STOCK, VERIFIED, VERIFIED, T0 + 20 * DAY, production=True, promoted=({}, {"p1": on("2026-03-25")}))
    assert found.later == {"POLICY_VIOLATION": 2}


def test_the_same_rules_move_nothing() -> None:
    found = simulate(iter(STOCK), RULES, RULES, on("2026-10-01"), production=False)
    assert (found.incidents, found.verdicts, found.earlier, found.later) == (4, {}, {}, {})
