"""Named situations: what is to be done with an incident, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.errors import ConfigError
from pipeline.core.retention import Bound, Case, DestroyOrder, Event, Order, Override, Verdict
from pipeline.retention.engine import class_of, floors, judge, plan
from pipeline.retention.keepers import hold_alarms
from tests.unit.retention.cases import DAY, RULES, T0, all_verified, case, csam, event, hold, on, upheld

KEEP, HELD, CONFLICT, DESTROY = Verdict.KEEP, Verdict.HELD, Verdict.CONFLICT, Verdict.DESTROY
EXPIRING = replace(RULES, unreviewed="expire")
NOTICE = event("notified", "2026-03-15")
FILED = event("ncmec_submitted", "2026-03-15")
ERASURE = DestroyOrder(order=Order.ERASURE, at=T0 + 5 * DAY, ground="accepted request")
DESTROY_ORDER = DestroyOrder(order=Order.DESTROY, at=T0 + 5 * DAY, ground="18 USC 2258B(c)")
LATE_ORDER = DestroyOrder(order=Order.DESTROY, at=on("2026-06-01"), ground="18 USC 2258B(c)")
FOUND_AGAIN = event("discovered", "2026-03-30")
SUSPECTED = event("suspected_minor", "2026-03-11")


@pytest.mark.parametrize(
    ("situation", "at", "verdict", "kept_by"),
    [
        (case(), "2026-03-20", KEEP, ("REVIEW",)),
        (case(), "2026-04-20", HELD, ("REVIEW",)),
        (case(review=Review.UNDER_REVIEW), "2026-04-20", HELD, ("REVIEW",)),
        (case(orders=(ERASURE,)), "2026-03-20", HELD, ("REVIEW",)),
        (case(orders=(DESTROY_ORDER,)), "2026-03-20", HELD, ("REVIEW",)),
        (case(events=(event("discovered", "2026-03-11"),)), "2026-03-20", HELD, ("REVIEW",)),
        (upheld("DISMISSED", review=Review.DISMISSED), "2026-03-17", KEEP, ()),
        (upheld("DISMISSED", review=Review.DISMISSED), "2026-03-18", DESTROY, ()),
        (upheld("DISMISSED", review=Review.DISMISSED, events=(SUSPECTED,)), "2026-03-20", HELD, ("REPORT",)),
        (upheld("POLICY_VIOLATION"), "2030-01-01", KEEP, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE,)), "2027-03-14", KEEP, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE,)), "2027-03-15", DESTROY, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE,), holds=(hold(),)), "2027-04-01", HELD, ("h1",)),
        (upheld("POLICY_VIOLATION", events=(NOTICE,), holds=(hold(), hold("h2"))), "2027-04-01", HELD, ("h1", "h2")),
        (
            upheld("POLICY_VIOLATION", events=(NOTICE,), holds=(hold(released_at=T0 + 9 * DAY), hold("h2"))),
            "2027-04-01",
            HELD,
            ("h2",),
        ),
        (
            upheld("POLICY_VIOLATION", events=(NOTICE,), holds=(hold(until=on("2027-03-20")),)),
            "2027-03-20",
            DESTROY,
            (),
        ),
        (upheld("POLICY_VIOLATION", events=(NOTICE,), orders=(ERASURE,)), "2026-04-01", KEEP, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE,), orders=(ERASURE,)), "2026-09-15", DESTROY, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE,), orders=(DESTROY_ORDER,)), "2026-04-01", DESTROY, ()),
        (upheld("POLICY_VIOLATION", orders=(DESTROY_ORDER,)), "2026-04-01", DESTROY, ()),
        (upheld("POLICY_VIOLATION", orders=(ERASURE,)), "2026-04-01", KEEP, ()),
        (upheld("POLICY_VIOLATION", orders=(DESTROY_ORDER,), holds=(hold(),)), "2026-04-01", HELD, ("h1",)),
        (upheld("POLICY_VIOLATION", events=(NOTICE, event("discovered", "2026-03-16"))), "2026-03-17", CONFLICT, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE, event("discovered", "2026-03-16"))), "2026-09-14", CONFLICT, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE, event("discovered", "2026-03-16"))), "2026-09-15", DESTROY, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE,), orders=(ERASURE, LATE_ORDER)), "2026-05-30", KEEP, ()),
        (upheld("POLICY_VIOLATION", events=(NOTICE,), orders=(ERASURE, LATE_ORDER)), "2026-06-01", DESTROY, ()),
        (upheld("DISMISSED", events=(event("discovered", "2026-03-11"), FOUND_AGAIN)), "2026-03-14", DESTROY, ()),
        (csam(), "2030-01-01", KEEP, ("REPORT",)),
        (upheld("CSAM_US", severity=Severity.HIGH), "2030-01-01", KEEP, ()),
        (csam(event("discovered", "2026-03-16")), "2026-04-01", HELD, ("REPORT",)),
        (csam(event("ncmec_submit_unknown", "2026-03-16")), "2030-01-01", KEEP, ("REPORT",)),
        (csam(FILED), "2027-03-14", KEEP, ()),
        (csam(FILED), "2027-03-15", DESTROY, ()),
        (csam(FILED, event("escalated", "2026-03-16")), "2027-03-16", HELD, ("REPORT",)),
        (csam(FILED, event("ncmec_submitted", "2026-06-01")), "2027-05-31", KEEP, ()),
        (csam(FILED, event("nca_reported", "2026-03-20")), "2026-04-01", CONFLICT, ()),
        (csam(event("nca_reported", "2026-03-20")), "2027-03-20", DESTROY, ()),
        (csam(event("report_closed", "2026-03-20")), "2027-03-20", DESTROY, ()),
        (csam(FILED, event("discovered", "2026-03-16")), "2026-04-01", CONFLICT, ()),
        (upheld("PRESERVATION", review=Review.NOT_NEEDED, holds=(hold(),)), "2030-01-01", KEEP, ("h1",)),
        (
            upheld(
                "PRESERVATION", review=Review.NOT_NEEDED, holds=(hold(until=on("2026-06-10")), hold("h2", until=T0))
            ),
            "2026-06-09",
            KEEP,
            ("h1",),
        ),
        (
            upheld(
                "PRESERVATION", review=Review.NOT_NEEDED, holds=(hold(until=on("2026-06-10")), hold("h2", until=T0))
            ),
            "2026-06-10",
            DESTROY,
            (),
        ),
        (
            upheld("PRESERVATION", review=Review.NOT_NEEDED, holds=(hold(), hold("h2", until=T0))),
            "2026-06-09",
            KEEP,
            ("h1",),
        ),
        (upheld("PRESERVATION", review=Review.NOT_NEEDED), "2030-01-01", KEEP, ()),
        (upheld("A_CLASS_NOBODY_KNOWS"), "2030-01-01", KEEP, ()),
        (upheld("AUDIT"), "2030-01-01", KEEP, ()),
        (upheld("DISMISSED", custody=Custody.DELETING), "2026-04-01", DESTROY, ()),
        (upheld("DISMISSED", custody=Custody.KEY_DESTROYED), "2026-04-01", KEEP, ()),
        (upheld("DISMISSED", custody=Custody.PURGED), "2026-04-01", KEEP, ()),
    ],
)
def test_what_is_to_be_done(situation: Case, at: str, verdict: Verdict, kept_by: tuple[str, ...]) -> None:
    found = judge(situation, RULES, on(at), production=False)
    assert (found.verdict, found.kept_by) == (verdict, kept_by), found.reason
    assert (found.incident_id, found.revision) == (situation.incident_id, situation.revision)
    assert not found.unreviewed


@pytest.mark.parametrize(
    ("filed", "last_day", "gone"),
    [("2024-02-29", "2025-02-28", "2025-03-01"), ("2026-05-04", "2027-05-03", "2027-05-04")],
)
def test_a_year_of_preservation_ends_on_the_later_day_and_the_odd_day_is_no_conflict(
    filed: str, last_day: str, gone: str
) -> None:
    reported = csam(event("ncmec_submitted", filed))
    assert judge(reported, RULES, on(last_day), production=False).verdict is KEEP
    assert judge(reported, RULES, on(gone), production=False).verdict is DESTROY


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-03-20", ()),
        ("2026-04-02", ("nobody has decided on it, and its time ends on 2026-04-09: in 7 days or less",)),
        ("2026-04-07", ("nobody has decided on it, and its time ends on 2026-04-09: in 2 days or less",)),
        ("2026-04-09", ("nobody has decided on it, and its time ended on 2026-04-09",)),
    ],
)
def test_what_nobody_decided_on_alarms_before_its_ceiling(day: str, words: tuple[str, ...]) -> None:
    assert judge(case(), RULES, on(day), production=False).alarms == words


def test_what_nobody_looked_at_goes_only_where_the_rules_let_it_and_is_counted() -> None:
    late = on("2026-04-09")
    gone = judge(case(), EXPIRING, late, production=False)
    assert (gone.verdict, gone.unreviewed, gone.kept_by) == (DESTROY, True, ())
    assert gone.alarms == ("nobody has decided on it, and its time ended on 2026-04-09",)
    for other in (
        case(severity=Severity.SEVERE),
        case(review=Review.UNDER_REVIEW),
        case(events=(SUSPECTED,)),
        case(holds=(hold(),)),
    ):
        kept = judge(other, EXPIRING, late, production=False)
        assert (kept.verdict, kept.unreviewed) == (HELD, False)


def test_no_other_ceiling_and_no_request_lets_go_what_nobody_looked_at() -> None:
    found_out = event("discovered", "2026-03-11")
    for other in (case(events=(found_out,)), case(orders=(ERASURE,)), case(orders=(DESTROY_ORDER,))):
        assert judge(other, EXPIRING, on("2026-03-20"), production=False).verdict is HELD


def test_a_clock_that_never_started_alarms_with_the_event_that_is_missing() -> None:
    found = judge(upheld("CRIMINAL_REFERRAL"), RULES, on("2030-01-01"), production=False)
    assert found.due_at is None
    assert found.alarms == (
        "no clock runs for it: class CRIMINAL_REFERRAL counts from 'referred', which nobody has recorded yet",
    )


def test_an_outstanding_report_alarms_until_its_receipt() -> None:
    alarms = judge(csam(), RULES, on("2026-03-12"), production=False).alarms
    assert alarms == ("a report is outstanding: file it and record the receipt, or let two people close it",)
    assert judge(csam(FILED), RULES, on("2026-03-20"), production=False).alarms == ()


def test_a_report_is_opened_and_ended_in_the_order_in_which_it_was_written_down() -> None:
    backdated = replace(event("escalated", "2026-03-01"), recorded_at=on("2026-03-20"))
    assert judge(case(events=(FILED, backdated)), RULES, on("2026-03-21"), production=False).kept_by[-1] == "REPORT"
    assert judge(case(events=(backdated, FILED)), RULES, on("2026-03-21"), production=False).kept_by == ("REVIEW",)


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


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Review.UPHELD, "POLICY_VIOLATION"),
        (Review.DISMISSED, "DISMISSED"),
        (Review.NOT_NEEDED, "PRESERVATION"),
        (Review.OPEN, "UNCONFIRMED_FLAG"),
        (Review.UNDER_REVIEW, "UNCONFIRMED_FLAG"),
    ],
)
def test_the_class_follows_the_decision(outcome: Review, expected: str) -> None:
    assert class_of(outcome, "POLICY_VIOLATION", "NL", RULES) == expected


def test_a_class_that_the_rules_lack_is_refused_at_the_decision() -> None:
    with pytest.raises(ConfigError, match="there is no class ODD; add it to the rule file"):
        class_of(Review.UPHELD, "ODD", "NL", RULES)


def test_holds_alarm_before_they_run_out_and_open_ones_before_each_attestation() -> None:
    letter = hold(kind="US_2703F", until=on("2026-06-10"))
    matter = hold("h2", kind="LITIGATION")
    held = upheld("POLICY_VIOLATION", events=(NOTICE,), holds=(letter, matter))
    assert judge(held, RULES, on("2026-05-20"), production=False).alarms == ()
    soon = "a hold (US_2703F) runs out on 2026-06-10: renew it, or let it end on purpose"
    assert judge(held, RULES, on("2026-05-27"), production=False).alarms == (soon,)
    attest = "a hold (LITIGATION) must be attested again by {}: renew it, or let it end on purpose"
    for near, due in (("2026-09-01", "2026-09-12"), ("2028-03-01", "2028-03-12")):
        assert judge(held, RULES, on(near), production=False).alarms == (attest.format(due),)


def test_nothing_tells_of_a_confidential_hold_to_who_may_not_see_it() -> None:
    secret = hold("h9", kind="US_2703F", until=on("2027-05-01"), confidential=True)
    held = upheld("POLICY_VIOLATION", events=(NOTICE,), holds=(secret,))
    free = replace(held, holds=())
    seen, unheld = (judge(c, RULES, on("2027-04-20"), production=False) for c in (held, free))
    assert (seen.verdict, seen.kept_by, unheld.verdict) == (HELD, ("h9",), DESTROY)
    assert (seen.reason, seen.alarms) == (unheld.reason, unheld.alarms)
    assert len(list(hold_alarms(held, RULES, on("2027-04-20"), confidential=True))) == 1


@pytest.mark.parametrize("late", [on("2026-03-12"), datetime.max.replace(tzinfo=T0.tzinfo) - timedelta(days=1)])
def test_an_event_at_the_end_of_the_calendar_keeps(late: datetime) -> None:
    odd = Event(kind="ncmec_submitted", at=datetime.max.replace(tzinfo=T0.tzinfo), recorded_at=T0)
    assert judge(csam(odd), RULES, late, production=False).verdict is KEEP
