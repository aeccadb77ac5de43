"""Explanations: twelve situations (and some more) word for word, and what a confidential hold may never show.

The golden files lie in tests/golden/explain. After a wanted change: WATCHKEEP_GOLDEN=write, then read the difference.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.retention import Case, DestroyOrder, Hold, Order, Outcome, Override, RequestKind, Verdict
from pipeline.retention.engine import floors, judge
from pipeline.retention.words import Answered, Gone, explain, seen
from tests.unit.retention.cases import DAY, RULES, T0, all_verified, case, csam, event, hold, on, upheld

HERE = Path(__file__).parents[2] / "golden" / "explain"
COURT = {"authority": "District Court of X", "reference": "24-cv-117"}
FBI = {"authority": "FBI, Field Office", "reference": "L-2026-88"}


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A case, the time at which somebody asks, and what the vault says beside it."""

    case: Case
    now: datetime
    legal: bool = False
    production: bool = False
    verified: bool = False
    promoted: datetime | None = None
    parties: tuple[str, ...] = ("subject", "counterpart")
    gone: tuple[Gone, ...] = ()
    answers: tuple[Answered, ...] = ()

    def told(self) -> tuple[str, ...]:
        return explain(
            self.case,
            all_verified(RULES) if self.verified else RULES,
            self.now,
            production=self.production,
            legal=self.legal,
            promoted=self.promoted,
            parties=self.parties,
            gone=self.gone,
            answers=self.answers,
        )


def _gone(party: str, day: str, reason: str, actor: str = "person:ada(p-1)") -> Gone:
    return Gone(party=party, at=on(day), reason=reason, actor=actor)


def _answer(kind: RequestKind, party: str, day: str, outcome: Outcome, ground: str) -> Answered:
    return Answered(kind=kind, party=party, at=on(day), outcome=outcome, ground=ground)


REPORTED = csam(event("suspected_minor", "2026-03-10"), event("ncmec_submitted", "2026-03-12"))
LATE_CHILD = csam(event("ncmec_submitted", "2026-03-12"), event("discovered", "2026-03-20"), category="grooming")
SECRET = hold("h-secret", "US_2703F", on("2026-06-10"), confidential=True, **FBI)
DUE = case(review=Review.DISMISSED, retention_class="DISMISSED", decided_at=T0 + DAY, holds=(SECRET,))
SHREDDED = replace(DUE, holds=(), custody=Custody.KEY_DESTROYED)
SWEPT = (
    _gone("subject", "2026-03-20", "it was due since 2026-03-18 (DISMISSED)", "os:root(0)"),
    _gone("counterpart", "2026-03-20", "it was due since 2026-03-18 (DISMISSED)", "os:root(0)"),
)
UNDER_13_GROUND = "COPPA, 16 CFR 312.10, against an order that holds it"

SITUATIONS = {
    "floor_above_ceiling": Situation(case=LATE_CHILD, now=on("2026-04-01")),
    "two_holds_one_ended": Situation(
        case=upheld(
            "POLICY_VIOLATION",
            events=(event("notified", "2026-03-12"),),
            holds=(
                hold("h1", "US_2703F", on("2026-06-10"), **FBI),
                hold("h2", "LITIGATION", **COURT),
            ),
        ),
        now=on("2027-04-01"),
    ),
    "confidential_hold_for_a_reviewer": Situation(case=DUE, now=on("2026-04-01")),
    "confidential_hold_for_legal": Situation(case=DUE, now=on("2026-04-01"), legal=True),
    "withdrawal_before_review": Situation(
        case=case(restricted=True),
        now=on("2026-03-13"),
        answers=(
            _answer(
                RequestKind.WITHDRAWAL, "subject", "2026-03-12", Outcome.RESTRICTED, "nobody has decided on it yet"
            ),
        ),
    ),
    "erased_in_part": Situation(
        case=upheld("POLICY_VIOLATION", events=(event("notified", "2026-03-12"),)),
        now=on("2026-10-01"),
        gone=(_gone("counterpart", "2026-09-20", "GDPR 17(1): the request was accepted, and nothing binds it"),),
        answers=(_answer(RequestKind.ERASURE, "counterpart", "2026-09-20", Outcome.ERASED, "GDPR 17(1)"),),
    ),
    "shredded_with_its_neighbour_alive": Situation(case=SHREDDED, now=on("2026-04-01"), gone=SWEPT),
    "unreviewed_two_days_before_its_ceiling": Situation(case=case(), now=on("2026-04-07")),
    "unknown_trigger": Situation(case=upheld("POLICY_VIOLATION"), now=on("2027-09-01")),
    "severe_with_its_report_unfiled": Situation(
        case=csam(event("suspected_minor", "2026-03-10"), category="minor_sexual_content"), now=on("2026-03-14")
    ),
    "pattern_promoted": Situation(
        case=upheld("POLICY_VIOLATION", category="harassment", events=(event("notified", "2026-03-12"),)),
        now=on("2026-05-01"),
        promoted=on("2026-04-20"),
    ),
    "under_13_during_a_2703f_hold": Situation(
        case=upheld(
            "UNDER13_NONCONSENT",
            category="under_13",
            restricted=True,
            events=(event("discovered", "2026-03-15"),),
            holds=(hold("h1", "US_2703F", on("2026-06-10"), **FBI),),
        ),
        now=on("2026-03-20"),
        answers=(_answer(RequestKind.UNDER_13, "subject", "2026-03-16", Outcome.RESTRICTED, UNDER_13_GROUND),),
    ),
    "floor_overridden": Situation(
        case=replace(
            REPORTED,
            floors=floors(REPORTED, RULES),
            overrides=(
                Override(rule="CSAM_US", until=on("2026-09-01"), ground="court order 26-cr-9", at=on("2026-08-01")),
                Override(rule="US_2258A_H", until=on("2026-09-01"), ground="court order 26-cr-9", at=on("2026-08-01")),
            ),
        ),
        now=on("2026-08-02"),
    ),
    "destroyed_and_purged": Situation(case=replace(SHREDDED, custody=Custody.PURGED), now=on("2026-05-01"), gone=SWEPT),
    "order_to_destroy": Situation(
        case=replace(
            REPORTED,
            orders=(DestroyOrder(order=Order.DESTROY, at=on("2026-08-01"), ground="letter of the FBI, L-2026-99"),),
        ),
        now=on("2026-08-02"),
    ),
    "preserved_by_order": Situation(
        case=case(
            review=Review.NOT_NEEDED,
            retention_class="PRESERVATION",
            category="preservation",
            holds=(hold("h1", "US_2703F", on("2026-06-10"), **FBI),),
        ),
        now=on("2026-06-01"),
    ),
    "unverified_in_production": Situation(
        case=replace(DUE, holds=()),
        now=on("2026-04-01"),
        production=True,
    ),
    "verified_and_kept": Situation(
        case=upheld("CRIMINAL_REFERRAL", category="threats", events=(event("referred", "2026-03-15"),)),
        now=on("2026-04-01"),
        production=True,
        verified=True,
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_reviewer_understands_why_it_is_here(name: str) -> None:
    found = "\n".join(SITUATIONS[name].told()) + "\n"
    path = HERE / f"{name}.txt"
    if os.environ.get("WATCHKEEP_GOLDEN") == "write":
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8"), f"see the head of {__file__} for how to accept a change"


def test_every_golden_file_has_its_situation() -> None:
    assert {path.stem for path in HERE.glob("*.txt")} == set(SITUATIONS)


STATES = st.sampled_from(
    [
        case(),
        case(severity=Severity.SEVERE),
        case(review=Review.UNDER_REVIEW, events=(event("suspected_minor", "2026-03-11"),)),
        replace(DUE, holds=()),
        upheld("POLICY_VIOLATION"),
        upheld("POLICY_VIOLATION", events=(event("notified", "2026-03-12"),)),
        REPORTED,
        LATE_CHILD,
        case(review=Review.NOT_NEEDED, retention_class="PRESERVATION", category="preservation"),
        SHREDDED,
        replace(REPORTED, orders=(DestroyOrder(order=Order.DESTROY, at=on("2026-04-01"), ground="letter"),)),
    ]
)
MOMENTS = st.integers(0, 900).map(lambda days: T0 + days * DAY)
ENDS = st.none() | MOMENTS
HOLDS = st.builds(
    lambda number, kind, until, released, confidential: Hold(
        hold_id=f"h{number}",
        kind=kind,
        starts_at=T0,
        until=until,
        released_at=released,
        confidential=confidential,
        **FBI,
    ),
    st.integers(0, 10**6),
    st.sampled_from(["US_2703F", "LITIGATION", "confidential", "DSA_ORDER"]),
    ENDS,
    ENDS,
    st.booleans(),
)


@given(
    start=STATES, holds=st.lists(HOLDS, max_size=4, unique_by=lambda h: h.hold_id), now=MOMENTS, strict=st.booleans()
)
def test_a_confidential_hold_changes_no_byte_for_who_may_not_know_of_it(
    start: Case, holds: list[Hold], now: datetime, strict: bool
) -> None:
    held = replace(start, holds=tuple(holds))
    open_ones = replace(start, holds=tuple(h for h in holds if not h.confidential))
    shown = [explain(c, RULES, now, production=strict, legal=False) for c in (held, open_ones)]
    assert shown[0] == shown[1]


@given(start=STATES, hidden=HOLDS, now=MOMENTS)
def test_what_is_told_to_who_may_not_know_is_true_all_the_same(start: Case, hidden: Hold, now: datetime) -> None:
    """Where a confidential hold keeps what is due, the words promise no destruction and deny no hold."""
    held = replace(start, holds=(replace(hidden, confidential=True),))
    if judge(held, RULES, now, production=False).verdict is not Verdict.HELD:
        return
    text = " ".join(explain(held, RULES, now, production=False, legal=False))
    assert (
        "unless something keeps it" in text or "nobody has decided" in text or "report about it is outstanding" in text
    )
    assert not any(denial in text.lower() for denial in ("no hold", "nothing holds", "no order"))


@given(start=STATES, hidden=HOLDS, now=MOMENTS)
def test_legal_reads_of_every_hold(start: Case, hidden: Hold, now: datetime) -> None:
    held = replace(start, holds=(replace(hidden, confidential=True),))
    text = " ".join(explain(held, RULES, now, production=False, legal=True))
    assert f"Hold {hidden.kind}" in text
    assert "L-2026-88" in text
    assert "only the legal role may know of it" in text


@given(start=STATES, holds=st.lists(HOLDS, max_size=3), now=MOMENTS, strict=st.booleans(), legal=st.booleans())
def test_every_bound_that_the_engine_weighs_is_named(
    start: Case, holds: list[Hold], now: datetime, strict: bool, legal: bool
) -> None:
    held = replace(start, holds=tuple(holds))
    text = "\n".join(explain(held, RULES, now, production=strict, legal=legal))
    found = judge(seen(held, legal=legal), RULES, now, production=strict)
    for bound in found.floors:
        assert f"Floor {bound.rule}:" in text
        assert bound.cite in text
    for bound in found.ceilings:
        assert f"Ceiling {bound.rule}:" in text


def test_a_hold_that_ends_soon_is_told_to_those_who_can_renew_it() -> None:
    soon = replace(DUE, review=Review.OPEN, decided_at=None, retention_class="UNCONFIRMED_FLAG")
    legal = explain(soon, RULES, on("2026-06-05"), production=False, legal=True)
    assert "To do: a hold (US_2703F) runs out on 2026-06-10: renew it, or let it end on purpose." in legal
    reviewer = explain(soon, RULES, on("2026-06-05"), production=False, legal=False)
    assert not any("US_2703F" in line or "2026-06-10" in line for line in reviewer)


def test_the_first_sentence_says_what_happens_next() -> None:
    told = explain(upheld("POLICY_VIOLATION", events=(event("notified", "2026-03-12"),)), RULES, on("2026-04-01"),
                   production=False, legal=False)  # fmt: skip
    assert (
        told[0]
        == "It may stay until 2027-03-12 12:00 UTC, and goes with the first sweep after that unless something keeps it."
    )


def test_a_period_that_has_not_passed_is_no_past() -> None:
    told = "\n".join(explain(REPORTED, RULES, on("2026-04-01"), production=False, legal=False))
    assert "had to stay" not in told
    later = "\n".join(explain(REPORTED, RULES, on("2026-04-01") + timedelta(days=400), production=False, legal=False))
    assert "it has to stay" not in later


def test_what_a_confidential_order_alone_preserved_is_told_without_a_word_of_it() -> None:
    kept = upheld("PRESERVATION", review=Review.NOT_NEEDED, holds=(hold(confidential=True),))
    said = explain(kept, RULES, T0 + 9 * DAY, production=False, legal=False)
    assert said[0] == "It goes with a coming sweep unless something keeps it."
    assert not any("by order" in words or "an order" in words or "to do" in words for words in said)
    assert "by order" in explain(kept, RULES, T0 + 9 * DAY, production=False, legal=True)[0]
