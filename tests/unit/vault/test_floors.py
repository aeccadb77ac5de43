"""Floors: written down for good; only two people who name their ground move one, and only what was there by then."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import exc, select, update

from pipeline.core.clock import utc_text
from pipeline.core.errors import ApprovalError, KeyDestroyedError, TransitionError, WatchkeepError
from pipeline.vault import tables
from pipeline.vault.events import Events
from pipeline.vault.floors import Floors
from pipeline.vault.tables_keeping import approval_used, floor
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, DAY, NOW, agreed, bound, claim, destroy, entries, last, row


@pytest.fixture
def incident_id(sealed: Vault) -> str:
    return sealed.incidents()[0].incident_id


def override(vault: Vault, incident_id: str, until: datetime, *, rule: str = "US_2258A_H", name: str = "a-1") -> None:
    said = {"incident": incident_id, "rule": rule, "until": utc_text(until), "ground": "18 USC 2258B(c)"}
    approval = agreed("floor.override", said, name=name)
    Floors(vault.parts).override(incident_id, rule, until, "18 USC 2258B(c)", approval=approval, by=BY)


def test_the_latest_floor_counts_and_writing_it_down_again_changes_nothing(sealed: Vault, incident_id: str) -> None:
    floors = Floors(sealed.parts)
    floors.write_down(incident_id, [bound(days=365), bound("DSA_20", days=180)], by=BY)
    assert row(sealed, incident_id)["floor_at"] == utc_text(NOW + 365 * DAY)
    before = last(sealed)
    floors.write_down(incident_id, [bound(days=365)], by=BY)
    floors.write_down(incident_id, [], by=BY)
    assert (row(sealed, incident_id)["revision"], last(sealed)) == (2, before)
    floors.write_down(incident_id, [bound(days=100)], by=BY)  # a rule file that shortens it forgets nothing
    assert row(sealed, incident_id)["floor_at"] == utc_text(NOW + 365 * DAY)
    assert sealed.verify().problems == ()


def test_i4_a_floor_never_moves_down_without_two_people(sealed: Vault, incident_id: str) -> None:
    Floors(sealed.parts).write_down(incident_id, [bound(days=365)], by=BY)
    until = NOW + 30 * DAY
    said = {"incident": incident_id, "rule": "US_2258A_H", "until": utc_text(until), "ground": "no"}
    for approval in (
        agreed("floor.override", said, approvers=["p-eve"]),
        agreed("floor.override", {**said, "ground": "another"}),
        agreed("hold.release", said),
    ):
        with pytest.raises(ApprovalError):
            Floors(sealed.parts).override(incident_id, "US_2258A_H", until, "no", approval=approval, by=BY)
    assert row(sealed, incident_id)["floor_at"] == utc_text(NOW + 365 * DAY)


def test_i4_the_database_itself_refuses_a_floor_that_moves_down(sealed: Vault, incident_id: str) -> None:
    Floors(sealed.parts).write_down(incident_id, [bound(days=365)], by=BY)
    i = tables.incident

    def lower(until: datetime) -> None:
        with sealed.parts.catalog.write() as tx:
            tx.execute(update(i).where(i.c.incident_id == incident_id).values(floor_at=utc_text(until)))

    with pytest.raises(exc.IntegrityError, match="does not move down"):
        lower(NOW + 364 * DAY)
    override(sealed, incident_id, NOW + 30 * DAY)
    with pytest.raises(exc.IntegrityError, match="does not move down"):
        lower(NOW + 29 * DAY)


def test_two_people_move_a_floor_and_name_their_ground(sealed: Vault, incident_id: str) -> None:
    Floors(sealed.parts).write_down(incident_id, [bound(days=365), bound("DSA_20", days=180)], by=BY)
    before = last(sealed)
    override(sealed, incident_id, NOW + 30 * DAY)
    assert row(sealed, incident_id)["floor_at"] == utc_text(NOW + 180 * DAY)  # the other rule still counts
    override(sealed, incident_id, NOW + 40 * DAY, rule="DSA_20", name="a-2")
    assert row(sealed, incident_id)["floor_at"] == utc_text(NOW + 40 * DAY)
    assert entries(sealed, before)[0] == ("floor.override", f"incident:{incident_id}", "18 USC 2258B(c)")
    with sealed.parts.catalog.read() as tx:
        assert set(tx.execute(select(approval_used.c.approval_id)).scalars()) == {"a-1", "a-2"}
        assert len(tx.execute(select(floor)).all()) == 2  # what was written down stays
    assert sealed.verify().problems == ()


def test_a_floor_that_starts_after_an_override_counts_anew(sealed: Vault, incident_id: str) -> None:
    Floors(sealed.parts).write_down(incident_id, [bound(days=365)], by=BY)
    override(sealed, incident_id, NOW + 30 * DAY)
    Floors(sealed.parts).write_down(incident_id, [bound(days=365, started=NOW + DAY)], by=BY)
    assert row(sealed, incident_id)["floor_at"] == utc_text(NOW + 366 * DAY)


def test_other_rules_do_not_bring_back_a_floor_that_two_people_moved(sealed: Vault, incident_id: str) -> None:
    """The same trigger under a longer rule: what had begun by then stays moved, in the vault as in the engine."""
    Floors(sealed.parts).write_down(incident_id, [bound(days=365)], by=BY)
    override(sealed, incident_id, NOW + 30 * DAY)
    Floors(sealed.parts).write_down(incident_id, [bound(days=730)], by=BY)
    assert row(sealed, incident_id)["floor_at"] == utc_text(NOW + 30 * DAY)


def test_what_nobody_knew_of_when_a_floor_was_moved_keeps(sealed: Vault, incident_id: str) -> None:
    """A receipt of the day before, recorded the day after."""
    Floors(sealed.parts).write_down(incident_id, [bound(days=365)], by=BY)
    override(sealed, incident_id, NOW + 30 * DAY)
    late = bound(days=365, started=NOW - DAY)
    revision = int(str(row(sealed, incident_id)["revision"]))
    events = Events(sealed.parts)
    events.record(incident_id, late.trigger, late.trigger_at, "r", revision=revision, floors=[late], by=BY)
    assert row(sealed, incident_id)["floor_at"] == utc_text(late.until)


def test_an_override_of_a_rule_without_a_floor_is_refused_and_its_approval_is_not_spent(
    sealed: Vault, incident_id: str
) -> None:
    with pytest.raises(TransitionError, match="nothing to move"):
        override(sealed, incident_id, NOW)
    Floors(sealed.parts).write_down(incident_id, [bound()], by=BY)
    override(sealed, incident_id, NOW)


def test_a_new_floor_calls_back_what_was_claimed_and_is_no_promise_about_what_is_gone(
    sealed: Vault, incident_id: str
) -> None:
    claim(sealed, incident_id)
    Floors(sealed.parts).write_down(incident_id, [bound()], by=BY)
    assert row(sealed, incident_id)["custody"] == "active"
    destroy(sealed, incident_id)
    with pytest.raises(KeyDestroyedError, match=incident_id):
        Floors(sealed.parts).write_down(incident_id, [bound(days=900)], by=BY)
    with pytest.raises(WatchkeepError, match="there is no incident feed"):
        Floors(sealed.parts).write_down("feed", [bound()], by=BY)
