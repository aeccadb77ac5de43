"""What people ask about their own data: nothing that anything binds is ever erased by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.evidence import Party
from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import Case, DestroyOrder, Hold, Order, Outcome, Override, RequestKind, Verdict
from pipeline.retention.engine import floors, judge
from pipeline.retention.erasure import CONSENT, outcome
from pipeline.retention.keepers import keepers
from pipeline.retention.words import seen
from tests.unit.retention.cases import DAY, RULES, T0, all_verified, case, csam, event, hold, on, upheld

SUBJECT, COUNTERPART = Party.SUBJECT, Party.COUNTERPART
ERASING = (RequestKind.WITHDRAWAL, RequestKind.ERASURE, RequestKind.UNDER_13)
NOW = on("2026-10-01")
NOTIFIED = upheld("POLICY_VIOLATION", events=(event("notified", "2026-03-12"),))
DISMISSED = case(review=Review.DISMISSED, retention_class="DISMISSED", decided_at=T0 + DAY)
FREE = [NOTIFIED, DISMISSED]


def asked(
    about: Case,
    kind: RequestKind,
    *,
    party: Party = SUBJECT,
    now: datetime = NOW,
    basis: str = CONSENT,
    promoted: datetime | None = None,
) -> tuple[Outcome, str]:
    return outcome(about, party, kind, RULES, now, production=True, legal_basis=basis, promoted=promoted)


@pytest.mark.parametrize("kind", ERASING)
@pytest.mark.parametrize("party", Party)
@pytest.mark.parametrize("free", FREE)
def test_what_nothing_binds_goes_at_once(kind: RequestKind, party: Party, free: Case) -> None:
    got, ground = asked(free, kind, party=party)
    assert got is Outcome.ERASED
    assert ("this side alone" in ground) == (party is COUNTERPART)


@pytest.mark.parametrize("kind", ERASING)
@pytest.mark.parametrize("party", Party)
@pytest.mark.parametrize("review", [Review.OPEN, Review.UNDER_REVIEW])
def test_an_open_review_is_restricted_and_never_erased(kind: RequestKind, party: Party, review: Review) -> None:
    got, ground = asked(case(review=review), kind, party=party)
    assert got is Outcome.RESTRICTED
    assert "GDPR 17(3)(e), 18(1)" in ground


@pytest.mark.parametrize("kind", ERASING)
@pytest.mark.parametrize("basis", [CONSENT, "LEGIT_INTEREST", UNKNOWN])
def test_an_unfiled_report_is_restricted_and_never_erased(kind: RequestKind, basis: str) -> None:
    unfiled = replace(DISMISSED, events=(event("suspected_minor", "2026-03-11"),))
    got, ground = asked(unfiled, kind, basis=basis)
    assert got is Outcome.RESTRICTED
    assert "2258A" in ground
    assert asked(csam(), kind, basis=basis)[0] is Outcome.RESTRICTED


@pytest.mark.parametrize("kind", ERASING)
@pytest.mark.parametrize("party", Party)
def test_an_open_appeal_is_restricted_until_its_answer(kind: RequestKind, party: Party) -> None:
    appealed = replace(NOTIFIED, events=(*NOTIFIED.events, event("appeal_received", "2026-04-01")))
    got, ground = asked(appealed, kind, party=party)
    assert got is Outcome.RESTRICTED
    assert "an appeal is open" in ground


@pytest.mark.parametrize("kind", ERASING)
@pytest.mark.parametrize("party", Party)
def test_a_hold_restricts(kind: RequestKind, party: Party) -> None:
    got, ground = asked(replace(NOTIFIED, holds=(hold(),)), kind, party=party)
    assert got is Outcome.RESTRICTED
    assert "GDPR 17(3)(b), (e)" in ground


def test_a_hold_that_ended_restricts_nothing() -> None:
    ended = hold("h1", "US_2703F", on("2026-06-10"))
    assert asked(replace(NOTIFIED, holds=(ended,)), RequestKind.ERASURE)[0] is Outcome.ERASED
    both = replace(NOTIFIED, holds=(ended, hold("h2")))
    assert asked(both, RequestKind.ERASURE)[0] is Outcome.RESTRICTED


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (RequestKind.ERASURE, Outcome.REFUSED),
        (RequestKind.WITHDRAWAL, Outcome.RESTRICTED),
        (RequestKind.UNDER_13, Outcome.RESTRICTED),
    ],
)
def test_a_floor_refuses_erasure_until_a_day_and_restricts_consent_and_children(
    kind: RequestKind, wanted: Outcome
) -> None:
    got, ground = asked(NOTIFIED, kind, now=on("2026-09-01"))
    assert got is wanted
    assert "2026-09-12" in ground
    assert "2022/2065 art 20(1)" in ground


def test_two_people_who_moved_a_floor_let_go_what_it_bound() -> None:
    rules = {f.rule for f in floors(NOTIFIED, RULES)}
    moved = tuple(Override(rule=r, until=on("2026-05-01"), ground="court order", at=on("2026-05-01")) for r in rules)
    assert asked(replace(NOTIFIED, overrides=moved), RequestKind.ERASURE, now=on("2026-06-01"))[0] is Outcome.ERASED


def test_a_floor_that_was_written_down_binds_though_the_rules_forgot_it() -> None:
    kept = replace(NOTIFIED, floors=floors(NOTIFIED, RULES))
    forgetful = replace(
        RULES,
        floors=(),
        classes={**RULES.classes, "POLICY_VIOLATION": replace(RULES.classes["POLICY_VIOLATION"], min=None)},
    )
    got, _ = outcome(kept, SUBJECT, RequestKind.ERASURE, forgetful, on("2026-09-01"), production=False)
    assert got is Outcome.REFUSED


def test_a_pattern_binds_as_long_as_its_own_floor() -> None:
    assert asked(NOTIFIED, RequestKind.ERASURE, promoted=on("2026-04-20"))[0] is Outcome.REFUSED
    assert asked(NOTIFIED, RequestKind.ERASURE, promoted=on("2026-03-20"))[0] is Outcome.ERASED


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [(RequestKind.ERASURE, Outcome.DEFERRED), (RequestKind.UNDER_13, Outcome.RESTRICTED)],
)
def test_a_floor_that_has_not_begun_is_waited_for(kind: RequestKind, wanted: Outcome) -> None:
    assert asked(upheld("POLICY_VIOLATION"), kind)[0] is wanted


@pytest.mark.parametrize(
    ("basis", "wanted", "words"),
    [
        (CONSENT, Outcome.ERASED, "7(3)"),
        ("LEGIT_INTEREST", Outcome.REFUSED, "not kept by consent but as LEGIT_INTEREST"),
        (UNKNOWN, Outcome.DEFERRED, "unknown"),
    ],
)
def test_a_withdrawal_erases_what_rests_on_consent_alone(basis: str, wanted: Outcome, words: str) -> None:
    got, ground = asked(NOTIFIED, RequestKind.WITHDRAWAL, basis=basis)
    assert got is wanted
    assert words in ground


def test_a_child_found_during_a_2703f_hold_stays_restricted() -> None:
    """R23."""
    held = upheld("UNDER13_NONCONSENT", events=(event("discovered", "2026-03-15"),), holds=(hold("h1", "US_2703F"),))
    assert asked(held, RequestKind.UNDER_13)[0] is Outcome.RESTRICTED
    freed = replace(held, holds=(hold("h1", "US_2703F", released_at=on("2026-04-01")),))
    got, ground = asked(freed, RequestKind.UNDER_13)
    assert got is Outcome.ERASED
    assert "312.10" in ground


@pytest.mark.parametrize("severity", Severity)
def test_nobody_is_handed_a_copy_of_what_is_severe(severity: Severity) -> None:
    got, ground = asked(replace(NOTIFIED, severity=severity), RequestKind.ACCESS)
    assert got is (Outcome.REFUSED if severity is Severity.SEVERE else Outcome.DEFERRED)
    assert "15(4)" in ground


@pytest.mark.parametrize("kind", RequestKind)
@pytest.mark.parametrize("custody", [Custody.KEY_DESTROYED, Custody.PURGED])
def test_what_is_gone_is_not_erased_a_second_time(kind: RequestKind, custody: Custody) -> None:
    got, ground = asked(replace(DISMISSED, custody=custody), kind)
    assert got is Outcome.REFUSED
    assert "nothing of it is left" in ground


TIMES = st.integers(0, 900).map(lambda days: T0 + days * DAY)
KINDS = sorted(RULES.events - {"pattern_confirmed"})
EVENTS = st.lists(st.builds(event, st.sampled_from(KINDS), st.sampled_from(["2026-03-11", "2026-05-20"])), max_size=4)
HOLDS = st.lists(
    st.builds(
        lambda number, until, released, secret: Hold(
            hold_id=f"h{number}", kind="US_2703F", starts_at=T0, until=until, released_at=released, confidential=secret
        ),
        st.integers(0, 10**6),
        st.none() | TIMES,
        st.none() | TIMES,
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda h: h.hold_id,
)
CLASSES = sorted(name for name, rule in RULES.classes.items() if rule.of_incidents)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    review = draw(st.sampled_from(Review))
    drawn = case(
        review=review,
        retention_class=draw(st.sampled_from(CLASSES)),
        severity=draw(st.sampled_from(Severity)),
        jurisdiction=draw(st.sampled_from(["NL", "US-CA", "GB", UNKNOWN])),
        decided_at=T0 + DAY if review in (Review.UPHELD, Review.DISMISSED) else None,
        events=tuple(draw(EVENTS)),
        holds=tuple(draw(HOLDS)),
        custody=draw(st.sampled_from([Custody.ACTIVE, Custody.DELETING])),
        orders=draw(st.sampled_from([(), (DestroyOrder(order=Order.DESTROY, at=T0, ground="letter"),)])),
    )
    return replace(drawn, floors=floors(drawn, RULES)) if draw(st.booleans()) else drawn


@settings(max_examples=400)
@given(
    about=cases(),
    party=st.sampled_from(Party),
    kind=st.sampled_from(RequestKind),
    basis=st.sampled_from([CONSENT, "LEGIT_INTEREST", UNKNOWN]),
    now=TIMES,
    promoted=st.none() | TIMES,
)
def test_nothing_that_is_bound_is_ever_erased(
    about: Case, party: Party, kind: RequestKind, basis: str, now: datetime, promoted: datetime | None
) -> None:
    """I16, I6: no request destroys what a hold, an open review, an unfiled report or a floor binds."""
    got, ground = asked(about, kind, party=party, now=now, basis=basis, promoted=promoted)
    assert ground
    if got is not Outcome.ERASED:
        return
    assert kind in ERASING
    assert kind is not RequestKind.WITHDRAWAL or basis == CONSENT
    assert keepers(about, now) == ()
    assert all(f.until <= now for f in judge(about, RULES, now, production=True, promoted=promoted).floors)


@settings(max_examples=400)
@given(about=cases(), kind=st.sampled_from(ERASING), now=TIMES, promoted=st.none() | TIMES, strict=st.booleans())
def test_what_is_to_be_erased_is_let_go_by_the_engine_too(
    about: Case, kind: RequestKind, now: datetime, promoted: datetime | None, strict: bool
) -> None:
    """An accepted erasure that is written down as an order is destroyed by the next sweep, verified rules or not."""
    got, ground = outcome(about, SUBJECT, kind, RULES, now, production=strict, legal_basis=CONSENT, promoted=promoted)
    if got is not Outcome.ERASED:
        return
    ordered = replace(about, orders=(*about.orders, DestroyOrder(order=Order.ERASURE, at=now, ground=ground)))
    assert judge(ordered, RULES, now, production=strict, promoted=promoted).verdict is Verdict.DESTROY


@given(about=cases(), party=st.sampled_from(Party), kind=st.sampled_from(RequestKind), now=TIMES)
def test_a_confidential_hold_shows_only_where_it_alone_keeps_something(
    about: Case, party: Party, kind: RequestKind, now: datetime
) -> None:
    """The ground is the same with it and without it, or it is the one that every other hold has, and names none."""
    with_it, without = (asked(c, kind, party=party, now=now) for c in (about, seen(about, legal=False)))
    # The clock of PRESERVATION is its orders: there is nothing else to say.
    if with_it != without and about.retention_class != "PRESERVATION":
        assert without[0] is Outcome.ERASED
        assert with_it == asked(replace(DISMISSED, holds=(hold(),)), RequestKind.ERASURE)


def test_verification_changes_no_answer() -> None:
    """Unverified floors keep as verified ones do."""
    for about in (NOTIFIED, DISMISSED, csam(event("ncmec_submitted", "2026-03-12"))):
        answers = {
            outcome(about, SUBJECT, RequestKind.ERASURE, rules, NOW, production=True)
            for rules in (RULES, all_verified(RULES))
        }
        assert len(answers) == 1
