"""Decisions: one person decides, two dismiss what is severe, and a note goes with the evidence it is about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import exc, text

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_text
from pipeline.core.decision import Review, Severity
from pipeline.core.errors import ApprovalError, KeyDestroyedError, TransitionError
from pipeline.vault.decisions import Decisions
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, agreed, bound, change, claim, destroy, entries, last, row
from tests.unit.vault.conftest import Place, draft, incident, recording, seal_one, span


@pytest.fixture
def nudity(sealed: Vault) -> str:
    return next(view.incident_id for view in sealed.incidents() if view.category == "nudity")


@pytest.fixture
def severe(sealed: Vault) -> str:
    return next(view.incident_id for view in sealed.incidents() if view.severity is Severity.SEVERE)


def decide(
    vault: Vault,
    incident_id: str,
    outcome: Review = Review.UPHELD,
    *,
    revision: int = 1,
    severity: Severity = Severity.MEDIUM,
    category: str = "harassment",
    second: Approval | None = None,
    sealed_note: str = "",
) -> str:
    return Decisions(vault.parts).decide(
        incident_id,
        revision=revision,
        outcome=outcome,
        category=category,
        severity=severity,
        retention_class="POLICY_VIOLATION",
        note="canary-note about canary-handle",
        floors=[bound("DSA_20", days=180)],
        by=BY,
        person_id="p-ada",
        second=second,
        sealed_note=sealed_note,
    )


def second(
    incident_id: str, revision: int = 1, *, name: str = "a-1", category: str = "harassment", note: str = ""
) -> Approval:
    what = {"outcome": "dismissed", "category": category, "note": note}
    said = {"incident": incident_id, "revision": revision, **what}
    return agreed("decide.dismiss_severe", said, approvers=["p-eve"], name=name)


def test_a_decision_sets_review_class_and_floor_in_one_act(sealed: Vault, nudity: str) -> None:
    before = last(sealed)
    decision_id = decide(sealed, nudity)
    now = row(sealed, nudity)
    assert (now["review"], now["category"], now["severity"]) == ("upheld", "harassment", int(Severity.MEDIUM))
    assert (now["retention_class"], now["revision"]) == ("POLICY_VIOLATION", 2)
    assert now["floor_at"] == utc_text(bound("DSA_20", days=180).until)
    (view,) = Decisions(sealed.parts).of(nudity)
    assert (view.decision_id, view.outcome, view.decided_by, view.second) == (decision_id, Review.UPHELD, "p-ada", "")
    assert (view.note, view.erased, view.revision) == ("canary-note about canary-handle", False, 2)
    assert utc_text(view.decided_at) == now["decided_at"]
    assert entries(sealed, before) == [
        ("decision.make", f"decision:{decision_id}", "upheld"),
        ("decision.make", f"incident:{nudity}", "upheld"),
    ]
    assert sealed.verify().problems == ()


def test_a_note_lies_nowhere_in_the_clear_and_goes_with_the_evidence(sealed: Vault, nudity: str, place: Place) -> None:
    decide(sealed, nudity)
    for path in place.root.rglob("*"):
        assert not path.is_file() or b"canary-note" not in path.read_bytes(), path
    destroy(sealed, nudity)
    (view,) = Decisions(sealed.parts).of(nudity)
    assert (view.note, view.erased, view.outcome) == ("", True, Review.UPHELD)


def test_a_note_can_be_kept_where_one_party_was_erased_or_nothing_was_sealed(sealed: Vault, nudity: str) -> None:
    destroy(sealed, nudity, "subject")
    decide(sealed, nudity)
    assert Decisions(sealed.parts).of(nudity)[0].note.startswith("canary-note")
    of = recording(7)
    (bare,) = seal_one(sealed, of, [(incident(of, span(1, 2)), ())], conclusion="bare")
    Decisions(sealed.parts).seal_note(bare, "in the meantime", by=BY)
    assert sealed.verify().problems == ()
    decide(sealed, bare)
    assert Decisions(sealed.parts).of(bare)[0].note.startswith("canary-note")
    assert sealed.verify().problems == ()
    assert not sealed.orphans()


def test_an_appeal_stands_in_place_of_the_decision_before_it_and_both_are_kept(sealed: Vault, nudity: str) -> None:
    decide(sealed, nudity)
    decide(sealed, nudity, Review.DISMISSED, revision=2)
    assert row(sealed, nudity)["review"] == "dismissed"
    assert [view.outcome for view in Decisions(sealed.parts).of(nudity)] == [Review.UPHELD, Review.DISMISSED]


def test_a_decision_on_what_changed_meanwhile_is_refused_whole(sealed: Vault, nudity: str) -> None:
    change(sealed, nudity)
    with pytest.raises(TransitionError, match="revision 2"):
        decide(sealed, nudity)
    assert Decisions(sealed.parts).of(nudity) == ()
    with pytest.raises(TransitionError, match="upheld or dismissed"):
        decide(sealed, nudity, Review.OPEN, revision=2)


def test_dismissing_what_is_severe_takes_a_second_person_for_this_very_state(sealed: Vault, severe: str) -> None:
    with pytest.raises(ApprovalError, match="second person"):
        decide(sealed, severe, Review.DISMISSED)
    for wrong in (second(severe, 2), second(severe, category="other")):
        with pytest.raises(ApprovalError):
            decide(sealed, severe, Review.DISMISSED, second=wrong)
    said = {"incident": severe, "revision": 1, "outcome": "dismissed", "category": "harassment", "note": ""}
    with pytest.raises(ApprovalError, match="lacks approvers"):
        decide(sealed, severe, Review.DISMISSED, second=agreed("decide.dismiss_severe", said, approvers=["p-ada"]))
    decide(sealed, severe, Review.DISMISSED, second=second(severe))
    assert Decisions(sealed.parts).of(severe)[0].second == "p-eve"
    with pytest.raises(ApprovalError, match="used before"):
        decide(sealed, severe, Review.DISMISSED, revision=2, second=second(severe, 2))


def test_the_note_that_a_second_person_agreed_to_is_the_one_that_is_kept(
    sealed: Vault, severe: str, nudity: str
) -> None:
    decisions = Decisions(sealed.parts)
    note = decisions.seal_note(severe, "an actor of forty", by=BY)
    with pytest.raises(ApprovalError):
        decide(sealed, severe, Review.DISMISSED, second=second(severe, note=note))
    foreign = decisions.seal_note(nudity, "of another incident", by=BY)
    with pytest.raises(TransitionError, match="note"):
        decide(sealed, severe, Review.DISMISSED, second=second(severe, note=foreign, name="a-2"), sealed_note=foreign)
    decide(sealed, severe, Review.DISMISSED, second=second(severe, note=note), sealed_note=note)
    assert decisions.of(severe)[0].note == "an actor of forty"
    assert sealed.verify().problems == ()


def test_what_was_found_severe_is_not_dismissed_by_first_calling_it_harmless(sealed: Vault) -> None:
    of = recording(7)
    folded = incident(of, span(1, 2), severity=Severity.SEVERE)
    folded = replace(folded, findings=tuple(replace(f, severity=Severity.SEVERE) for f in folded.findings))
    (severe,) = seal_one(sealed, of, [(folded, (draft(span(1, 2)),))], conclusion="grave")
    change(sealed, severe, severity=int(Severity.LOW))
    for outcome in (Review.UPHELD, Review.DISMISSED):
        with pytest.raises(ApprovalError, match="second person"):
            decide(sealed, severe, outcome, revision=2, severity=Severity.LOW)


def test_what_was_judged_severe_once_is_not_dismissed_by_one_person(sealed: Vault, nudity: str) -> None:
    decide(sealed, nudity, severity=Severity.SEVERE)
    for outcome in (Review.UPHELD, Review.DISMISSED):
        with pytest.raises(ApprovalError, match="second person"):
            decide(sealed, nudity, outcome, severity=Severity.LOW, revision=2)


def test_what_was_restricted_stays_so_and_what_was_claimed_is_called_back(sealed: Vault, nudity: str) -> None:
    change(sealed, nudity, restricted=True)
    claim(sealed, nudity)
    decide(sealed, nudity, revision=3)
    now = row(sealed, nudity)
    assert (now["restricted"], now["custody"]) == (True, "active")


def test_nobody_decides_on_what_was_kept_by_order_or_is_gone(sealed: Vault, nudity: str, severe: str) -> None:
    change(sealed, nudity, review="not_needed")
    with pytest.raises(TransitionError, match="nothing to decide"):
        decide(sealed, nudity, revision=2)
    destroy(sealed, severe)
    with pytest.raises(KeyDestroyedError):
        decide(sealed, severe, revision=3)


def test_a_rescan_attaches_to_what_it_found_whatever_people_made_of_it(
    sealed: Vault, nudity: str, place: Place
) -> None:
    decide(sealed, nudity)
    of = recording()
    again = incident(of, span(1.5, 9), rule="other")
    assert again.incident_id != nudity
    assert seal_one(sealed, of, [(again, (draft(span(8, 9)),))], conclusion="c2") == (nudity,)
    assert len(sealed.incidents()) == 2
    assert len(place.files()) == 1


def test_i7_no_decision_changes_the_terms_under_which_evidence_came(sealed: Vault, nudity: str) -> None:
    terms = ("legal_basis", "sealed_at", "origin", "recording_id", "detected_as")
    before = {name: row(sealed, nudity)[name] for name in terms}
    policies = [f.policy for f in sealed.incident(nudity).findings]
    decide(sealed, nudity)
    decide(sealed, nudity, Review.DISMISSED, revision=2)
    assert {name: row(sealed, nudity)[name] for name in terms} == before
    assert [f.policy for f in sealed.incident(nudity).findings] == policies
    for name in terms:
        with pytest.raises(exc.IntegrityError, match="never change"), sealed.parts.catalog.write() as tx:
            tx.execute(text(f"UPDATE incident SET {name} = 'rewritten'"))  # noqa: S608
    with pytest.raises(exc.IntegrityError, match="append-only"), sealed.parts.catalog.write() as tx:
        tx.execute(text("UPDATE finding SET policy_version = '2'"))
