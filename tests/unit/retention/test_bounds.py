"""Floors and ceilings of one incident: which count, from when, until when, and who may move them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.decision import Review, Severity
from pipeline.core.retention import Bound, Case, DestroyOrder, Order, Override, Verdict
from pipeline.retention.engine import class_of, floors, judge, plan
from tests.unit.retention.cases import DAY, RULES, T0, all_verified, case, csam, event, on, upheld

KEEP, HELD, CONFLICT, DESTROY = Verdict.KEEP, Verdict.HELD, Verdict.CONFLICT, Verdict.DESTROY
NOTICE = event("notified", "2026-03-15")
FILED = event("ncmec_submitted", "2026-03-15")
ERASURE = DestroyOrder(order=Order.ERASURE, at=T0 + 5 * DAY, ground="accepted request")
EXPIRING = replace(RULES, unreviewed="expire")


@pytest.mark.parametrize(
    ("filed", "last_day", "gone"),
    [("2024-02-29", "2025-02-28", "2025-03-01"), ("2026-05-04", "2027-05-03", "2027-05-04")],
)
def test_a_year_of_preservation_ends_on_the_later_day_and_the_odd_day_is_no_conflict(
    filed: str, last_day: str, gone: str
) -> None:
    reported = csam(event("ncmec_submitted", filed))
    assert judge(reported, RULES, on(last_day), production=False).verdict is KEEP
    last = judge(reported, RULES, on(gone), production=False)
    assert (last.verdict, last.floor_at) == (DESTROY, on(gone))
    assert [f.until for f in last.floors if f.rule == "CSAM_US"] == [on(gone)]


def test_a_year_at_most_ends_on_the_earlier_day() -> None:
    told = upheld("POLICY_VIOLATION", events=(event("notified", "2024-02-29"),))
    assert judge(told, RULES, on("2025-02-27"), production=False).verdict is KEEP
    assert judge(told, RULES, on("2025-02-28"), production=False).verdict is DESTROY


def test_in_production_a_ceiling_that_nobody_verified_destroys_nothing_and_a_floor_keeps() -> None:
    old = upheld("POLICY_VIOLATION", events=(NOTICE,))
    late = on("2027-04-01")
    unverified = judge(old, RULES, late, production=True)
    assert unverified.verdict is KEEP
    assert unverified.reason == "it is due since 2027-03-15 by a rule that nobody verified, which destroys nothing"
    assert judge(old, all_verified(RULES), late, production=True).verdict is DESTROY
    ordered = replace(old, orders=(ERASURE,))
    assert judge(ordered, RULES, on("2026-04-01"), production=True).verdict is KEEP
    assert judge(ordered, RULES, late, production=True).verdict is DESTROY
    later = replace(old, orders=(replace(ERASURE, at=late + DAY),))
    assert judge(later, RULES, late, production=True).verdict is KEEP
    assert judge(later, RULES, late + DAY, production=True).verdict is DESTROY
    unseen = judge(case(), EXPIRING, late, production=True)
    assert (unseen.verdict, unseen.kept_by) == (HELD, ("REVIEW",))


def test_a_floor_that_was_written_down_outlives_the_rule_that_gave_it() -> None:
    written = Bound(
        rule="OLD_RULE", until=on("2028-01-01"), trigger="notified", trigger_at=on("2026-03-15"), cite="law"
    )
    found = judge(upheld("DISMISSED", floors=(written,)), RULES, on("2027-06-01"), production=False)
    assert found.verdict is CONFLICT
    assert found.reason == (
        "OLD_RULE demands that it stays until 2028-01-01, DISMISSED that it goes by 2026-03-18: "
        "it stays, restricted, until people settle it"
    )
    assert found.alarms == ("a floor is above a ceiling: legal and privacy_officer have to settle it within 24 hours",)


def test_of_several_floors_of_one_rule_the_latest_is_told() -> None:
    floor = floors(csam(FILED), RULES)[0]
    for until in (floor.until - 9 * DAY, floor.until + 9 * DAY):
        written = replace(floor, until=until)
        found = judge(csam(FILED, floors=(written,)), RULES, on("2026-04-01"), production=False)
        assert [f.until for f in found.floors if f.rule == floor.rule] == [max(until, floor.until)]


def test_an_override_moves_the_floor_of_its_rule_both_written_and_computed() -> None:
    (dsa,) = [f for f in floors(upheld("POLICY_VIOLATION", events=(NOTICE,)), RULES) if f.rule == "DSA_20"]
    moves = tuple(
        Override(rule=rule, until=on("2026-05-01"), ground="court", at=on("2026-04-20"))
        for rule in ("DSA_20", "POLICY_VIOLATION")
    )
    ordered = upheld("POLICY_VIOLATION", events=(NOTICE,), floors=(dsa,), orders=(ERASURE,))
    assert judge(ordered, RULES, on("2026-05-02"), production=False).verdict is KEEP
    assert judge(replace(ordered, overrides=moves[:1]), RULES, on("2026-05-02"), production=False).verdict is KEEP
    moved = replace(ordered, overrides=moves)
    assert judge(moved, RULES, on("2026-04-30"), production=False).verdict is KEEP
    assert judge(moved, RULES, on("2026-05-02"), production=False).verdict is DESTROY


def test_an_override_does_not_reach_what_happened_after_it() -> None:
    move = Override(rule="US_2258A_H", until=on("2026-05-01"), ground="court", at=on("2026-04-20"))
    again = event("ncmec_submitted", "2026-06-01")
    found = judge(csam(FILED, again, overrides=(move,)), RULES, on("2026-07-01"), production=False)
    assert max(f.until for f in found.floors if f.rule == "US_2258A_H") == on("2027-06-01")


def test_an_override_does_not_reach_what_nobody_knew_of_then() -> None:
    """A receipt of before it that was recorded after it."""
    move = Override(rule="US_2258A_H", until=on("2026-05-01"), ground="court", at=on("2026-04-20"))
    late = replace(event("ncmec_submitted", "2026-04-10"), recorded_at=on("2026-04-25"))
    found = judge(csam(FILED, late, overrides=(move,)), RULES, on("2026-07-01"), production=False)
    assert max(f.until for f in found.floors if f.rule == "US_2258A_H") == on("2027-04-10")


def test_a_pattern_extends_and_never_shortens() -> None:
    old = upheld("POLICY_VIOLATION", events=(NOTICE,))
    late = on("2027-04-01")
    assert judge(old, RULES, late, production=False).verdict is DESTROY
    again = judge(old, RULES, late, production=False, promoted=on("2026-05-20"))
    assert again.verdict is KEEP
    assert [(c.rule, c.until) for c in again.ceilings] == [("PATTERN", on("2028-05-20"))]
    long_ago = judge(old, RULES, on("2027-03-14"), production=False, promoted=on("2024-05-20"))
    assert [(c.rule, c.until) for c in long_ago.ceilings] == [("POLICY_VIOLATION", on("2027-03-15"))]


@pytest.mark.parametrize(
    "other",
    [
        upheld("DISMISSED", review=Review.DISMISSED),
        csam(FILED),
        upheld("TERROR_TCO", events=(NOTICE,)),
        case(),
        upheld("POLICY_VIOLATION", events=(NOTICE,), review=Review.UNDER_REVIEW),
    ],
)
def test_a_pattern_reaches_upheld_decisions_of_the_classes_that_it_stands_in_for(other: Case) -> None:
    at = on("2026-03-20")
    promoted = judge(other, RULES, at, production=False, promoted=on("2026-03-19"))
    assert promoted == judge(other, RULES, at, production=False)


def test_a_plan_promotes_by_person_and_nobody_is_everybody() -> None:
    theirs = upheld("POLICY_VIOLATION", events=(NOTICE,))
    nobodys = replace(theirs, incident_id="i2", subject="unknown")
    people = {"p1": on("2026-05-20"), "unknown": on("2026-05-20")}
    found = plan([theirs, nobodys], RULES, on("2027-04-01"), production=False, promoted=people)
    assert [d.verdict for d in found] == [KEEP, DESTROY]


@pytest.mark.parametrize(
    ("place", "rules_that_apply"),
    [
        ("NL", {"POLICY_VIOLATION", "DSA_20"}),
        ("US-CA", {"POLICY_VIOLATION"}),
        ("unknown", {"POLICY_VIOLATION", "DSA_20"}),
    ],
)
def test_a_rule_binds_in_its_jurisdiction_and_where_nobody_knows(place: str, rules_that_apply: set[str]) -> None:
    there = upheld("POLICY_VIOLATION", events=(NOTICE,), jurisdiction=place)
    assert {f.rule for f in floors(there, RULES)} == rules_that_apply


def test_the_reference_of_a_report_is_a_floor_of_records_and_not_of_evidence() -> None:
    found = floors(csam(event("nca_reported", "2026-03-20")), RULES)
    assert {f.rule: f.until for f in found} == {"UK_OSA_R8": on("2027-03-20"), "CSAM_US": on("2027-03-20")}


def test_flagged_ceilings_apply_only_while_legal_has_switched_them_on() -> None:
    flags = {name: replace(flag, enabled=True) for name, flag in RULES.flags.items()}
    switched = replace(RULES, flags=flags)
    found = csam(event("identified", "2026-03-11"), FILED)
    assert judge(found, RULES, on("2026-04-01"), production=False).verdict is KEEP
    collided = judge(found, switched, on("2026-04-01"), production=False)
    assert collided.verdict is CONFLICT
    assert "EU_NIICS_12M" in collided.reason
    unconfirmed = upheld("DISMISSED", review=Review.DISMISSED, severity=Severity.SEVERE)
    assert judge(unconfirmed, RULES, T0 + DAY, production=False).verdict is KEEP
    mild = replace(unconfirmed, severity=Severity.HIGH)
    assert judge(mild, switched, T0 + DAY, production=False).verdict is KEEP
    assert judge(unconfirmed, switched, T0 + DAY, production=False).verdict is DESTROY
    assert class_of(Review.UPHELD, "CSAM_US", "NL", RULES) == "CSAM_US"
    assert class_of(Review.UPHELD, "CSAM_US", "NL", switched) == "CSAM_EU_NIICS"
    assert class_of(Review.UPHELD, "CSAM_US", "US", switched) == "CSAM_US"
    assert class_of(Review.UPHELD, "CSAM_US", "unknown", switched) == "CSAM_US"
    there = upheld("CSAM_EU_NIICS", severity=Severity.SEVERE, events=(event("identified", "2026-03-11"),))
    assert judge(there, switched, on("2027-04-01"), production=False).kept_by == ("REPORT",)
