"""Events: what started a clock is written down with its floors, or not at all."""

from __future__ import annotations

import pytest

from pipeline.core.clock import utc_text
from pipeline.core.errors import ApprovalError, KeyDestroyedError, TransitionError
from pipeline.core.retention import ESCALATED, NCMEC_SUBMITTED, REPORT_CLOSED
from pipeline.vault.events import Events
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, NOW, agreed, bound, claim, destroy, entries, last, row
from tests.unit.vault.conftest import Place
from tests.unit.vault.tampered import tampering


@pytest.fixture
def incident_id(sealed: Vault) -> str:
    return sealed.incidents()[0].incident_id


def test_an_event_and_the_floors_it_starts_are_one_act(sealed: Vault, incident_id: str) -> None:
    before, floor = last(sealed), bound()
    event_id = Events(sealed.parts).record(
        incident_id, NCMEC_SUBMITTED, NOW, "report 77", revision=1, floors=[floor], by=BY
    )
    (view,) = Events(sealed.parts).of(incident_id)
    assert (view.event_id, view.kind, view.at, view.reference) == (event_id, NCMEC_SUBMITTED, NOW, "report 77")
    assert (view.recorded_by, view.recorded_at > NOW) == (BY, True)
    now = row(sealed, incident_id)
    assert (now["revision"], now["floor_at"]) == (2, utc_text(floor.until))
    assert entries(sealed, before) == [
        ("event.record", f"event:{event_id}", NCMEC_SUBMITTED),
        ("event.record", f"incident:{incident_id}", NCMEC_SUBMITTED),
    ]
    assert sealed.verify().problems == ()


def test_an_event_computed_for_an_older_revision_is_refused_whole(sealed: Vault, incident_id: str) -> None:
    events = Events(sealed.parts)
    events.record(incident_id, ESCALATED, NOW, "", revision=1, floors=[], by=BY)
    before = last(sealed)
    with pytest.raises(TransitionError, match="revision 2"):
        events.record(incident_id, NCMEC_SUBMITTED, NOW, "77", revision=1, floors=[bound()], by=BY)
    assert (len(events.of(incident_id)), last(sealed), row(sealed, incident_id)["floor_at"]) == (1, before, "")


def test_a_report_is_closed_unfiled_by_two_people_only(sealed: Vault, incident_id: str) -> None:
    events = Events(sealed.parts)

    def close(**approval: object) -> str:
        return events.record(incident_id, REPORT_CLOSED, NOW, "an adult", revision=1, floors=[], by=BY, **approval)  # type: ignore[arg-type]

    with pytest.raises(ApprovalError, match="two people"):
        close()
    other = agreed("report.close", {"incident": incident_id, "ground": "another ground"})
    with pytest.raises(ApprovalError):
        close(approval=other)
    close(approval=agreed("report.close", {"incident": incident_id, "ground": "an adult"}))
    assert [view.kind for view in events.of(incident_id)] == [REPORT_CLOSED]


def test_an_event_calls_back_what_was_claimed_and_comes_too_late_for_what_is_gone(
    sealed: Vault, incident_id: str
) -> None:
    claim(sealed, incident_id)
    Events(sealed.parts).record(incident_id, ESCALATED, NOW, "", revision=2, floors=[], by=BY)
    assert row(sealed, incident_id)["custody"] == "active"
    destroy(sealed, incident_id)
    revision = row(sealed, incident_id)["revision"]
    with pytest.raises(KeyDestroyedError):
        Events(sealed.parts).record(incident_id, ESCALATED, NOW, "", revision=revision, floors=[], by=BY)  # type: ignore[arg-type]


def test_an_event_that_somebody_edits_is_seen(place: Place, sealed: Vault, incident_id: str) -> None:
    event_id = Events(sealed.parts).record(incident_id, ESCALATED, NOW, "", revision=1, floors=[], by=BY)
    with tampering(place) as db:
        db.execute("UPDATE event SET kind = 'notified'")
    (problem,) = sealed.verify().problems
    assert f"event:{event_id}" in problem
