"""What holds of every incident under the shipped rules, whatever happened to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.retention import (
    REPORT_ENDS,
    REPORT_OPENS,
    Bound,
    Case,
    DestroyOrder,
    Disposition,
    Event,
    Hold,
    Order,
    Override,
    Verdict,
)
from pipeline.retention.engine import floors, judge
from pipeline.retention.rules import Rules
from tests.unit.retention.cases import RULES, T0, all_verified, case

ENABLED = {name: replace(flag, enabled=True) for name, flag in RULES.flags.items()}
RULE_SETS = {
    "as shipped": RULES,
    "expiring": replace(RULES, unreviewed="expire"),
    "flagged": replace(RULES, flags=ENABLED, unreviewed="expire"),
    "verified": all_verified(replace(RULES, flags=ENABLED)),
}
TIMES = st.integers(-400, 2400).map(lambda hours: T0 + timedelta(hours=12 * hours))
LATER = st.integers(0, 4000).map(lambda days: T0 + timedelta(days=days))
HOLDS = st.builds(
    Hold,
    hold_id=st.uuids().map(str),
    kind=st.sampled_from(sorted(RULES.holds)),
    starts_at=TIMES,
    until=st.none() | TIMES,
    released_at=st.none() | TIMES,
    confidential=st.booleans(),
)
EVENTS = st.builds(Event, kind=st.sampled_from(sorted(RULES.events)), at=TIMES, recorded_at=TIMES)
FLOORS = st.builds(
    Bound,
    rule=st.sampled_from(["US_2258A_H", "DSA_20", "POLICY_VIOLATION", "GONE"]),
    until=TIMES,
    trigger=st.just("notified"),
    trigger_at=TIMES,
    cite=st.just("law"),
)
OVERRIDES = st.builds(
    Override, rule=st.sampled_from(["US_2258A_H", "DSA_20"]), until=TIMES, ground=st.just("court"), at=st.none() | TIMES
)
ORDERS = st.builds(DestroyOrder, order=st.sampled_from(list(Order)), at=TIMES, ground=st.just("ground"))


def some(strategy: st.SearchStrategy[object], most: int) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


CASES = st.builds(
    case,
    retention_class=st.sampled_from([*sorted(RULES.classes), "A_CLASS_NOBODY_KNOWS"]),
    severity=st.sampled_from(list(Severity)),
    jurisdiction=st.sampled_from(["NL", "US", "GB", "EU", "unknown"]),
    review=st.sampled_from(list(Review)),
    custody=st.sampled_from([Custody.ACTIVE, Custody.DELETING]),
    sealed_at=TIMES,
    decided_at=st.none() | TIMES,
    events=some(EVENTS, 4),
    holds=some(HOLDS, 3),
    floors=some(FLOORS, 3),
    overrides=some(OVERRIDES, 2),
    orders=some(ORDERS, 2),
)


@dataclass(frozen=True)
class Situation:
    """An incident, and all that a verdict on it depends on."""

    incident: Case
    rule_set: str
    now: datetime
    production: bool
    promoted: datetime | None

    @property
    def rules(self) -> Rules:
        return RULE_SETS[self.rule_set]

    def judged(self) -> Disposition:
        return judge(self.incident, self.rules, self.now, production=self.production, promoted=self.promoted)

    def with_(self, **changes: object) -> Situation:
        """The same with another incident."""
        return replace(self, incident=replace(self.incident, **changes))


RULE_STRATEGY = st.sampled_from(sorted(RULE_SETS))
PROMOTED = st.none() | TIMES
LONG_AGO = st.integers(1200, 4000).map(lambda days: T0 + timedelta(days=days))
ENDED = HOLDS.map(lambda hold: replace(hold, until=hold.until or hold.starts_at))
DECIDED = st.builds(lambda incident, holds: replace(incident, holds=holds, review=Review.UPHELD), CASES, some(ENDED, 2))
ANY = st.one_of(
    st.builds(Situation, CASES, RULE_STRATEGY, LATER, st.booleans(), PROMOTED),
    st.builds(Situation, DECIDED, RULE_STRATEGY, LONG_AGO, st.booleans(), PROMOTED),
)


@given(drawn=ANY, hold=HOLDS)
@settings(max_examples=200)
def test_an_active_hold_always_keeps_and_hides_no_conflict(drawn: Situation, hold: Hold) -> None:
    if not hold.active(drawn.now):
        return
    before, after = drawn.judged(), drawn.with_(holds=(*drawn.incident.holds, hold)).judged()
    assert after.verdict is not Verdict.DESTROY
    assert hold.hold_id in after.kept_by
    if before.verdict is Verdict.CONFLICT and drawn.incident.retention_class != "PRESERVATION":
        assert after.verdict is Verdict.CONFLICT


@given(drawn=ANY, floor=FLOORS)
@settings(max_examples=200)
def test_a_floor_that_is_written_down_never_destroys(drawn: Situation, floor: Bound) -> None:
    before, after = drawn.judged(), drawn.with_(floors=(*drawn.incident.floors, floor)).judged()
    if after.verdict is Verdict.DESTROY:
        assert before.verdict is Verdict.DESTROY
    if before.floor_at is not None:
        assert after.floor_at is not None
        assert after.floor_at >= before.floor_at


@given(drawn=ANY)
@settings(max_examples=400)
def test_what_is_destroyed_is_due_above_every_floor_and_held_by_nothing(drawn: Situation) -> None:
    found, now = drawn.judged(), drawn.now
    if found.verdict is not Verdict.DESTROY:
        return
    ordered = [order for order in drawn.incident.orders if order.at <= now]
    assert not any(hold.active(now) for hold in drawn.incident.holds)
    assert found.kept_by == ()
    assert found.due_at is not None
    assert found.due_at <= now
    if not any(order.order is Order.DESTROY for order in ordered):
        assert found.floor_at is None or found.floor_at <= now
    passed = [c for c in found.ceilings if c.until <= now and (c.verified or not drawn.production)]
    assert passed or ordered


@given(drawn=ANY)
@settings(max_examples=200)
def test_i16_no_open_case_is_destroyed_by_its_own_rules(drawn: Situation) -> None:
    found, incident = drawn.judged(), drawn.incident
    waits = [e.kind for e in incident.events if e.kind in REPORT_OPENS | REPORT_ENDS]
    if waits and waits[-1] in REPORT_OPENS:
        assert found.verdict is not Verdict.DESTROY
        assert "REPORT" in found.kept_by
    if found.unreviewed:
        assert drawn.rules.unreviewed == "expire"
        assert incident.severity < Severity.SEVERE
    if incident.review is Review.UNDER_REVIEW or (incident.review is Review.OPEN and not found.unreviewed):
        assert found.verdict is not Verdict.DESTROY


@given(drawn=ANY, wait=st.integers(0, 2000))
@settings(max_examples=200)
def test_what_may_go_today_may_go_on_every_later_day(drawn: Situation, wait: int) -> None:
    if drawn.judged().verdict is Verdict.DESTROY:
        assert replace(drawn, now=drawn.now + timedelta(days=wait)).judged().verdict is Verdict.DESTROY


@given(drawn=ANY)
@settings(max_examples=200)
def test_i15_a_floor_above_a_ceiling_is_visible_at_once_and_until_the_floor_has_passed(drawn: Situation) -> None:
    found = drawn.with_(orders=()).judged()
    lowest = min((c.until for c in found.ceilings), default=None)
    collide = found.floor_at is not None and lowest is not None and max(lowest, drawn.now) < found.floor_at
    assert (found.verdict is Verdict.CONFLICT) is collide


@given(drawn=ANY)
@settings(max_examples=200)
def test_writing_its_floors_down_changes_nothing_of_what_is_in_force(drawn: Situation) -> None:
    new = floors(drawn.incident, drawn.rules, promoted=drawn.promoted)
    one, other = drawn.judged(), drawn.with_(floors=(*drawn.incident.floors, *new)).judged()
    assert (one.verdict, one.floor_at, one.due_at) == (other.verdict, other.floor_at, other.due_at)


@given(drawn=ANY)
@settings(max_examples=200)
def test_production_destroys_nothing_that_development_keeps(drawn: Situation) -> None:
    if replace(drawn, production=True).judged().verdict is Verdict.DESTROY:
        assert replace(drawn, production=False).judged().verdict is Verdict.DESTROY


@given(drawn=ANY)
@settings(max_examples=200)
def test_a_pattern_never_shortens(drawn: Situation) -> None:
    if drawn.incident.retention_class != "PATTERN" and drawn.judged().verdict is Verdict.DESTROY:
        assert replace(drawn, promoted=None).judged().verdict is Verdict.DESTROY
