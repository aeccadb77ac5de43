"""Holds: many per incident, proved before they are placed, ended by two people, and sealed words for all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import exc, insert, update

from pipeline.core.errors import ApprovalError, KeyDestroyedError, TransitionError, WatchkeepError
from pipeline.vault import tables
from pipeline.vault.holds import SEALED_ACT, Holds
from pipeline.vault.marks import Marks
from pipeline.vault.tables_keeping import hold
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import (
    BY,
    DAY,
    NOW,
    agreed,
    change,
    claim,
    destroy,
    entries,
    hold_on,
    keys_of,
    last,
    release,
    row,
)  # fmt: skip
from tests.unit.vault.conftest import Place


@pytest.fixture
def two(sealed: Vault) -> tuple[str, str]:
    first, second = (view.incident_id for view in sealed.incidents())
    return first, second


def test_a_hold_is_written_down_with_its_incidents_their_revisions_and_entries_in_one_act(
    sealed: Vault, two: tuple[str, str]
) -> None:
    before = last(sealed)
    hold_id = hold_on(sealed, two)
    (view,) = Holds(sealed.parts).all(legal=False)
    assert (view.hold_id, view.kind, view.authority) == (hold_id, "US_2703F", "canary-authority")
    assert (view.reference, view.reason, view.scope) == (
        "canary-reference",
        "canary-reason",
        {"account": "canary-scope"},
    )
    assert (view.incidents, view.until, view.placed_by) == (tuple(sorted(two)), NOW + 90 * DAY, "p-ada")
    assert [row(sealed, i)["revision"] for i in two] == [2, 2]
    assert entries(sealed, before) == [
        ("hold.place", f"hold:{hold_id}", ""),
        ("hold.place", f"incident:{two[0]}", hold_id),
        ("hold.place", f"incident:{two[1]}", hold_id),
    ]
    assert sealed.verify().problems == ()
    assert not sealed.orphans()


def test_what_a_hold_is_about_lies_nowhere_in_the_clear(sealed: Vault, two: tuple[str, str], place: Place) -> None:
    hold_id = hold_on(sealed, two)
    Holds(sealed.parts).renew(hold_id, NOW + 180 * DAY, reference="canary-renewal", by=BY)
    release(sealed, hold_id)
    for path in place.root.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            for canary in (b"canary-authority", b"canary-reference", b"canary-reason", b"canary-scope"):
                assert canary not in body, path
            assert b"canary-renewal" not in body and b"canary-settled" not in body


def test_r3_a_hold_on_what_was_destroyed_names_it_and_places_nothing(sealed: Vault, two: tuple[str, str]) -> None:
    destroy(sealed, two[1])
    with pytest.raises(KeyDestroyedError, match=two[1]) as refusal:
        hold_on(sealed, two)
    assert two[0] not in str(refusal.value)
    assert Holds(sealed.parts).all(legal=True) == ()
    assert row(sealed, two[0])["revision"] == 1


def test_i6_a_hold_is_never_ok_but_gone_even_where_the_catalog_does_not_know_yet(
    sealed: Vault, two: tuple[str, str]
) -> None:
    claim(sealed, two[0])
    sealed.parts.keys.destroy(keys_of(sealed, two[0])["subject"])  # and then the power went
    with pytest.raises(KeyDestroyedError, match=two[0]):
        hold_on(sealed, [two[0]])
    assert row(sealed, two[0])["custody"] == "deleting"


def test_r2_a_hold_calls_back_what_was_only_claimed(sealed: Vault, two: tuple[str, str]) -> None:
    claim(sealed, two[0])
    hold_on(sealed, two)
    assert row(sealed, two[0])["custody"] == "active"
    assert row(sealed, two[0])["revision"] == 3
    assert sealed.verify().problems == ()


def test_what_is_left_of_an_incident_whose_counterpart_was_erased_can_be_held(
    sealed: Vault, two: tuple[str, str]
) -> None:
    destroy(sealed, two[0], "counterpart")
    assert hold_on(sealed, [two[0]])


def test_a_hold_of_nothing_known_or_of_no_time_is_refused(sealed: Vault, two: tuple[str, str]) -> None:
    with pytest.raises(WatchkeepError, match="there is no incident feed"):
        hold_on(sealed, [two[0], "feed"])
    for until in (NOW - DAY, NOW):
        with pytest.raises(WatchkeepError, match="protect nothing"):
            hold_on(sealed, two, until=until)
    assert Holds(sealed.parts).all(legal=True) == ()


def test_many_holds_lie_on_one_incident_and_each_ends_by_itself(sealed: Vault, two: tuple[str, str]) -> None:
    holds = Holds(sealed.parts)
    first, second = hold_on(sealed, two), hold_on(sealed, two[:1])
    assert release(sealed, first) == tuple(sorted(two))
    views = {view.hold_id: view for view in holds.of(two[0], legal=False)}
    assert not views[first].active(NOW + DAY)
    assert views[second].active(NOW + DAY)
    assert [view.hold_id for view in holds.of(two[1], legal=False)] == [first]
    (end,) = views[first].changes
    assert (end.what, end.reason, end.by) == ("release", "canary-settled", BY)


def test_incidents_can_join_a_hold_once(sealed: Vault, two: tuple[str, str]) -> None:
    hold_id = hold_on(sealed, two[:1])
    Holds(sealed.parts).attach(hold_id, two, by=BY)
    (view,) = Holds(sealed.parts).all(legal=False)
    assert view.incidents == tuple(sorted(two))
    assert [row(sealed, i)["revision"] for i in two] == [2, 2]
    assert sealed.verify().problems == ()


def test_a_hold_is_renewed_to_a_later_time_only(sealed: Vault, two: tuple[str, str]) -> None:
    holds = Holds(sealed.parts)
    hold_id = hold_on(sealed, two)
    for sooner in (NOW + 89 * DAY, NOW + 90 * DAY):
        with pytest.raises(TransitionError, match="later time"):
            holds.renew(hold_id, sooner, reference="r2", by=BY)
    holds.renew(hold_id, NOW + 180 * DAY, reference="r2", by=BY, reason="asked again")
    holds.renew(hold_id, None, reference="r3", by=BY)
    with pytest.raises(TransitionError, match="its release"):
        holds.renew(hold_id, NOW + 400 * DAY, reference="r4", by=BY)
    (view,) = holds.all(legal=False)
    assert view.until is None
    assert [(c.what, c.reference, c.until) for c in view.changes] == [
        ("renew", "r2", NOW + 180 * DAY),
        ("renew", "r3", None),
    ]
    assert sealed.verify().problems == ()


def test_a_hold_on_what_is_gone_is_not_renewed(sealed: Vault) -> None:
    one, other = (v.incident_id for v in sealed.incidents())
    hold_id = hold_on(sealed, [one, other])
    destroy(sealed, other)
    with pytest.raises(KeyDestroyedError, match=other):
        Holds(sealed.parts).renew(hold_id, NOW + 180 * DAY, reference="again", by=BY)
    assert Holds(sealed.parts).all(legal=True)[0].until == NOW + 90 * DAY


def test_a_hold_that_ended_is_neither_renewed_nor_joined_nor_released_again(
    sealed: Vault, two: tuple[str, str], place: Place
) -> None:
    holds = Holds(sealed.parts)
    ran_out, released = hold_on(sealed, two), hold_on(sealed, two)
    release(sealed, released)
    place.clock.at += timedelta(days=90)
    for hold_id in (ran_out, released):
        with pytest.raises(TransitionError, match="ended"):
            holds.renew(hold_id, NOW + 400 * DAY, reference="r", by=BY)
        with pytest.raises(TransitionError, match="ended"):
            holds.attach(hold_id, two, by=BY)
    with pytest.raises(TransitionError, match="was released"):
        release(sealed, released, name="a-2")


def test_releasing_takes_two_people_for_this_very_hold_and_their_approval_counts_once(
    sealed: Vault, two: tuple[str, str]
) -> None:
    holds = Holds(sealed.parts)
    first, second = hold_on(sealed, two), hold_on(sealed, two)
    alone = agreed("hold.release", {"hold": first, "reason": ""}, approvers=["p-eve", "p-ada"])
    other = agreed("hold.release", {"hold": second, "reason": ""})
    for approval in (alone, other):
        with pytest.raises(ApprovalError):
            holds.release(first, approval=approval, reason="", by=BY)
    release(sealed, first)
    again = agreed("hold.release", {"hold": second, "reason": ""})  # the same paper, rewritten
    with pytest.raises(ApprovalError, match="used before"):
        holds.release(second, approval=again, reason="", by=BY)
    assert [v.active(NOW + DAY) for v in holds.of(two[0], legal=False)] == [False, True]


def test_a_confidential_hold_shows_to_the_law_alone_in_lists_and_in_entries(
    sealed: Vault, two: tuple[str, str]
) -> None:
    before = last(sealed)
    hold_id = hold_on(sealed, two, confidential=True)
    Holds(sealed.parts).renew(hold_id, None, reference="r", by=BY)
    release(sealed, hold_id)
    for views in (Holds(sealed.parts).all, lambda *, legal: Holds(sealed.parts).of(two[0], legal=legal)):
        assert views(legal=False) == ()
        assert [v.hold_id for v in views(legal=True)] == [hold_id]
    said = entries(sealed, before)
    assert {(verb, reason) for verb, _, reason in said} == {(SEALED_ACT, "")}
    assert {subject for _, subject, _ in said} == {f"sealed:{hold_id}", *(f"incident:{i}" for i in two)}
    assert sealed.verify().problems == ()


def test_a_hold_that_somebody_edits_is_seen(sealed: Vault, two: tuple[str, str]) -> None:
    hold_id = hold_on(sealed, two)
    with sealed.parts.catalog.write() as tx:
        tx.execute(update(hold).values(until=""))
    (problem,) = sealed.verify().problems
    assert f"hold:{hold_id}" in problem
    with pytest.raises(exc.IntegrityError, match="only renewed or released"), sealed.parts.catalog.write() as tx:
        tx.execute(update(hold).values(confidential=True))


def test_a_hold_counts_for_a_clock_that_went_back_as_it_does_for_the_sweep(sealed: Vault, two: tuple[str, str]) -> None:
    hold_id = hold_on(sealed, two, until=NOW + DAY)
    ahead = NOW + 2 * DAY
    assert Marks(sealed.parts).tick(ahead, max_backward=DAY, max_forward=30 * DAY) == ""
    with pytest.raises(TransitionError, match="ended"):
        Holds(sealed.parts).renew(hold_id, NOW + 90 * DAY, reference="late", by=BY)
    with pytest.raises(WatchkeepError, match="protect nothing"):
        hold_on(sealed, two, until=NOW + DAY)


def test_a_hold_on_more_incidents_than_one_query_takes_reaches_every_one(sealed: Vault) -> None:
    i = tables.incident
    template = row(sealed, sealed.incidents()[0].incident_id)
    ids = [f"{n:032x}" for n in range(1201)]
    with sealed.parts.journal.act("test") as act:
        act.tx.execute(insert(i), [{**template, "incident_id": n, "recording_id": n} for n in ids])
    hold_id = hold_on(sealed, ids)
    assert len(Holds(sealed.parts).all(legal=False)[0].incidents) == 1201
    assert row(sealed, ids[-1])["revision"] == 2
    assert len(release(sealed, hold_id)) == 1201
    assert row(sealed, ids[0])["revision"] == 3


def test_of_a_confidential_hold_that_ran_out_it_can_be_said_why_it_is_released_and_once(
    sealed: Vault, two: tuple[str, str], place: Place
) -> None:
    hold_id = hold_on(sealed, two, until=NOW + DAY / 2, confidential=True)
    place.clock.at += DAY / 2
    Holds(sealed.parts).remark(hold_id, "canary-settled", by=BY)
    assert set(release(sealed, hold_id)) == set(two)
    with pytest.raises(TransitionError, match="was released"):
        Holds(sealed.parts).remark(hold_id, "canary-again", by=BY)


def test_an_incident_that_is_gone_does_not_keep_a_hold_that_ran_out_from_being_released(
    sealed: Vault, two: tuple[str, str], place: Place
) -> None:
    hold_id = hold_on(sealed, two, until=NOW + DAY / 2)
    place.clock.at += DAY / 2
    destroy(sealed, two[0])
    change(sealed, two[0], custody="purged")
    assert set(release(sealed, hold_id)) == set(two)
    assert sealed.verify().problems == ()


def test_a_crash_at_the_very_first_hold_does_not_cost_the_key_of_all_later_ones(
    sealed: Vault, two: tuple[str, str]
) -> None:
    sealed.parts.keys.create("holds")  # and then the power went, before the catalog knew of it
    sealed.parts.keys.create("incident-leftover")
    assert sealed.remove_orphans().keys == ("incident-leftover",)
    hold_on(sealed, two)
    assert sealed.verify().problems == ()
