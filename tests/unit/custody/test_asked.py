"""What the desk asks before it acts: facts that are missing, times that cannot be, and who may know of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.core.decision import Review
from pipeline.core.errors import ApprovalError, ConfigError, TransitionError, WatchkeepError
from pipeline.core.person import Role
from pipeline.core.recording import Part
from pipeline.core.retention import RequestKind
from pipeline.custody import decisions, events, holds, requests
from pipeline.custody.explain import explain
from pipeline.custody.holds import Ordered
from pipeline.vault.cases import Cases
from pipeline.vault.requests import ACCEPTED
from tests.unit.custody.conftest import House, person
from tests.unit.vault.acts import DAY, NOW, change, destroy, entries, hold_on, last
from tests.unit.vault.conftest import drafts, incident, recording, seal_one, span

LENA, PIET, RIK = person(Role.LEGAL), person(Role.PRIVACY_OFFICER), person(Role.REVIEWER)
SVEN = person(Role.SEVERE_REVIEWER)
LETTER = Ordered(kind="LITIGATION", authority="our counsel", reference="M-1", reason="X v. us", received_at=NOW)


@pytest.fixture
def one(house: House) -> str:
    of, at = recording(), span(1, 2)
    return seal_one(house.desk.vault, of, [(incident(of, at), drafts(at))])[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "NO_SUCH"}, "is no kind of hold"),
        ({"authority": " "}, "who demands it and why"),
        ({"reason": ""}, "who demands it and why"),
        ({"received_at": NOW + 9 * DAY}, "lies in the future"),
        ({"until": NOW}, "would have ended"),
        ({"kind": "US_2703F", "received_at": NOW - 91 * DAY}, "would have ended"),
    ],
)
def test_an_order_says_who_demands_what_and_until_when(
    house: House, one: str, changes: dict[str, object], words: str
) -> None:
    before = last(house.desk.vault)
    with pytest.raises(WatchkeepError, match=words):
        holds.place(house.desk, replace(LETTER, **changes), [one], by=LENA)  # type: ignore[arg-type]
    assert entries(house.desk.vault, before) == []
    assert holds.place(house.desk, LETTER, [one], by=LENA).until is None


def test_a_hold_is_on_something_and_a_letter_names_one_person(house: House) -> None:
    with pytest.raises(ConfigError, match="is on something"):
        holds.place(house.desk, LETTER, [], by=LENA)
    for names in ({"account": "", "participant": ""}, {"account": "a", "participant": "b"}):
        with pytest.raises(ConfigError, match="names one person"):
            holds.incidents_of_person(house.desk, **names)


def test_a_hold_one_may_not_see_is_one_that_is_not_there(house: House, one: str) -> None:
    secret = hold_on(house.desk.vault, [one], until=None, confidential=True)
    assert holds.one(house.desk, secret, LENA).hold_id == secret
    for by in (PIET, None):
        with pytest.raises(ConfigError, match="no hold begins"):
            holds.one(house.desk, secret, by)
        assert holds.listed(house.desk, by=by) == ()


def test_nobody_but_legal_reads_of_a_confidential_hold(house: House, one: str) -> None:
    before = [explain(house.desk, one, by=by) for by in (PIET, None)]
    hold_on(house.desk.vault, [one], until=None, confidential=True)
    assert [explain(house.desk, one, by=by) for by in (PIET, None)] == before
    assert any("canary-authority" in words for words in explain(house.desk, one, by=LENA).words)


def test_a_letter_names_what_is_gone_and_what_could_not_be_copied(house: House, one: str) -> None:
    destroy(house.desk.vault, one)
    lost = recording(7, parts=(Part(uri="/nowhere/at/all.mp4"),))
    placed = holds.preserve(house.desk, LETTER, scope={"account": "a"}, known=[one], ordinary=[(lost, "a")], by=LENA)
    assert (placed.gone, placed.incidents, placed.preserved) == ((one,), (), ())
    assert len(placed.missing) == 1 and "/nowhere/at/all.mp4" in placed.missing[0]


@pytest.mark.parametrize(
    ("kind", "reference", "days", "words"),
    [
        ("no_such_event", "R", 0, "is no event"),
        ("report_closed", "R", 0, "closed by two people"),
        ("ncmec_submitted", " ", 0, "is a receipt"),
        ("nca_reported", "", 0, "is a receipt"),
        ("notified", "R", 9, "lies in the future"),
    ],
)
def test_an_event_is_of_a_known_kind_has_happened_and_a_receipt_has_its_reference(
    house: House, one: str, kind: str, reference: str, days: int, words: str
) -> None:
    at = house.clock.at + days * DAY
    with pytest.raises(WatchkeepError, match=words):
        events.record(house.desk, one, kind, at=at, reference=reference, by=person(*Role))
    assert Cases(house.desk.parts).one(one).events == ()


def test_making_less_of_what_is_severe_takes_a_second_person(house: House, one: str) -> None:
    asked = {"category": "nudity", "note": "a film", "by": SVEN}
    assert decisions.second_needed(house.desk, one, Review.DISMISSED, **asked) is None  # type: ignore[arg-type]
    change(house.desk.vault, one, severity=int(house.desk.categories["minor_sexual_content"].severity))
    params = decisions.second_needed(house.desk, one, Review.DISMISSED, **asked)  # type: ignore[arg-type]
    assert params is not None and "a film" not in str(params)
    assert decisions.second_needed(house.desk, one, Review.UPHELD, **asked) is not None  # type: ignore[arg-type]
    grave = {**asked, "category": "minor_sexual_content"}
    assert decisions.second_needed(house.desk, one, Review.UPHELD, **grave) is None  # type: ignore[arg-type]
    for outcome in (Review.DISMISSED, Review.UPHELD):
        with pytest.raises(ApprovalError, match="second person"):
            decisions.decide(house.desk, one, outcome=outcome, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "category", "words"),
    [
        ({}, "no_such_category", "no category"),
        ({"review": "not_needed"}, "nudity", "kept by order"),
    ],
)
def test_what_was_kept_by_order_or_is_of_no_category_is_not_decided(
    house: House, one: str, changes: dict[str, object], category: str, words: str
) -> None:
    if changes:
        change(house.desk.vault, one, **changes)
    with pytest.raises(WatchkeepError, match=words):
        decisions.decide(house.desk, one, outcome=Review.UPHELD, category=category, note="seen", by=RIK)


def test_a_request_is_acted_on_once_identity_and_decision_are_there(house: House, one: str) -> None:
    desk = house.desk
    view = requests.add(desk, RequestKind.UNDER_13, "canary-account", received_at=NOW, by=PIET)
    with pytest.raises(WatchkeepError, match="lies in the future"):
        requests.add(desk, RequestKind.UNDER_13, "canary-account", received_at=NOW + 9 * DAY, by=PIET)
    for step in (requests.verify_identity, None):
        with pytest.raises(TransitionError, match="before anything goes"):
            requests.accepted(desk, view.request_id)
        if step is not None:
            step(desk, view.request_id, by=PIET)
    with pytest.raises(ConfigError, match="names its --ground"):
        requests.decide(desk, view.request_id, ACCEPTED, ground=" ", by=PIET)
    requests.decide(desk, view.request_id, ACCEPTED, ground="COPPA", by=PIET)
    done = requests.carry_out(desk, requests.accepted(desk, view.request_id), by=PIET)
    assert (done.destroyed, {i.outcome.value for i in done.items}) == ((), {"restricted"})
    assert desk.vault.incident(one).restricted
    assert [(e.kind, e.at) for e in desk.case(one).events] == [("discovered", view.received_at)]


def test_evidence_goes_before_its_time_by_two_people(house: House, one: str) -> None:
    desk = house.desk
    change(desk.vault, one, review="dismissed", retention_class="DISMISSED", decided_at="2026-11-22T12:00:00.000000Z")
    view = requests.add(desk, RequestKind.ERASURE, "canary-account", received_at=NOW, by=LENA)
    requests.verify_identity(desk, view.request_id, by=LENA)
    requests.decide(desk, view.request_id, ACCEPTED, ground="GDPR 17(1)", by=PIET)
    view = requests.accepted(desk, view.request_id)
    with pytest.raises(ApprovalError, match="by two people"):
        requests.carry_out(desk, view, by=PIET)
    assert desk.vault.incident(one).custody == "active"
    assert requests.carry_out(desk, view, by=LENA).destroyed == (one,)


def test_an_event_did_not_happen_before_its_incident_was_sealed(house: House, one: str) -> None:
    sealed = house.desk.case(one).sealed_at.replace(hour=0, minute=0, second=0, microsecond=0)
    with pytest.raises(WatchkeepError, match="before it was sealed"):
        events.after_sealing(house.desk, one, sealed - timedelta(microseconds=1), "removed")
    assert events.after_sealing(house.desk, one, sealed, "removed") == sealed
    with pytest.raises(WatchkeepError, match="was not decided"):
        events.after_sealing(house.desk, one, house.clock.at, "notified")


def test_two_people_agree_to_what_they_knew(house: House, one: str) -> None:
    closing = house.agreed(events.CLOSE, {"incident": one, "ground": "an adult"})
    events.record(house.desk, one, "suspected_minor", at=house.clock.at, reference="", by=RIK)
    with pytest.raises(TransitionError, match="ask anew"):
        events.close_report(house.desk, one, ground="an adult", agreed=closing)
    anew = house.agreed(events.CLOSE, {"incident": one, "ground": "an adult"}, name="a-2")
    assert events.close_report(house.desk, one, ground="an adult", agreed=anew)


def test_a_hold_renewed_since_its_release_was_asked_stays(house: House, one: str) -> None:
    hold = hold_on(house.desk.vault, [one])
    act, params = holds.ask_release(house.desk, hold, reason="settled", by=LENA)
    released = house.agreed(act, params)
    holds.renew(house.desk, hold, until=None, reference="R-2", by=LENA)
    with pytest.raises(TransitionError, match="renewed since"):
        holds.release(house.desk, hold, reason="settled", agreed=released)
    anew = house.agreed(act, params, name="a-2")
    assert holds.release(house.desk, hold, reason="settled", agreed=anew) == (one,)


def test_nobody_alone_ends_the_wait_for_a_report_by_judging_it_less_grave(house: House, one: str) -> None:
    severe = int(house.desk.categories["minor_sexual_content"].severity)
    change(house.desk.vault, one, review="upheld", severity=severe)
    case = house.desk.case(one)
    with pytest.raises(TransitionError, match="outstanding"):
        decisions.keeps_report(house.desk, case, Review.UPHELD, "nudity")
    decisions.keeps_report(house.desk, case, Review.UPHELD, "minor_sexual_content")
