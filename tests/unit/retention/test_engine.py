"""Named situations: what is to be done with an incident, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.errors import ConfigError
from pipeline.core.retention import Case, DestroyOrder, Event, Order, Verdict
from pipeline.retention.engine import class_of, judge
from pipeline.retention.keepers import hold_alarms
from tests.unit.retention.cases import DAY, RULES, T0, case, csam, event, hold, on, upheld

KEEP, HELD, CONFLICT, DESTROY = Verdict.KEEP, Verdict.HELD, Verdict.CONFLICT, Verdict.DESTROY
EXPIRING = replace(RULES, unreviewed="expire")
NOTICE = event("notified", "2026-03-15")
FILED = event("ncmec_submitted", "2026-03-15")
ERASURE = DestroyOrder(order=Order.ERASURE, at=T0 + 5 * DAY, ground="accepted request")
DESTROY_ORDER = DestroyOrder(order=Order.DESTROY, at=T0 + 5 * DAY, ground="18 USC 2258B(c)")
LATE_ORDER = DestroyOrder(order=Order.DESTROY, at=on("2026-06-01"), ground="18 USC 2258B(c)")
FOUND_AGAIN = event("discovered", "2026-03-30")
SUSPECTED = event("suspected_minor", "2026-03-11")
APPEAL = event("appeal_received", "2026-04-01")
ANSWER = event("appeal_decided", "2026-05-01")


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
        (
            upheld("DISMISSED", review=Review.DISMISSED, events=(SUSPECTED, event("referred", "2026-03-12"))),
            "2026-03-20",
            HELD,
            ("REPORT",),
        ),
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
        (
            upheld(
                "POLICY_VIOLATION", events=(NOTICE,), holds=(hold(until=on("2028-01-01"), released_at=T0 + 9 * DAY),)
            ),
            "2027-04-01",
            DESTROY,
            (),
        ),
        (upheld("POLICY_VIOLATION", events=(NOTICE, APPEAL)), "2027-04-01", HELD, ("APPEAL",)),
        (upheld("POLICY_VIOLATION", events=(NOTICE, APPEAL, ANSWER)), "2027-04-01", DESTROY, ()),
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
    for near in ("2026-09-01", "2026-11-01"):
        assert judge(held, RULES, on(near), production=False).alarms == (attest.format("2026-09-12"),)
    attested = replace(held, holds=(letter, replace(matter, attested_at=on("2026-09-02"))))
    assert judge(attested, RULES, on("2026-11-01"), production=False).alarms == ()
    assert judge(attested, RULES, on("2027-02-27"), production=False).alarms == (attest.format("2027-03-02"),)


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
