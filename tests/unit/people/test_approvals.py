"""Dual control: different people, of the right roles, long enough in them, in time, once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.core.errors import ApprovalError, PermissionRefused, WatchkeepError
from pipeline.core.person import Person
from pipeline.people.accounts import People
from pipeline.people.appointing import OFFICERS
from pipeline.people.approvals import Approvals
from pipeline.people.database import Database
from pipeline.people.standing import State
from tests.unit.people.conftest import ACT, PARAMS, VALID, WAIT, Asked, Chain, L, P, SetClock, phrase


def test_two_officers_make_an_approval_of_exactly_what_was_asked(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain, clock: SetClock
) -> None:
    request = ask()
    assert approvals.approve(request, staff["lena"], enter=chain.enter).missing == 1
    with pytest.raises(ApprovalError, match="is not approved: it takes 2 other people"):
        approvals.ready(request)
    assert approvals.approve(request, staff["dirk"], enter=chain.enter).state is State.APPROVED
    approval, act, params = approvals.ready(request)
    approval.check(ACT, PARAMS, now=clock.now())
    assert (act, params) == (ACT, PARAMS)
    assert approval.requested_by == staff["anna"].person_id
    assert set(approval.approved_by) == {staff["lena"].person_id, staff["dirk"].person_id}
    with pytest.raises(ApprovalError):
        approval.check(ACT, {**PARAMS, "incidents": ["b", "a", "c"]}, now=clock.now())


def test_who_asked_approves_nothing_of_it(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain
) -> None:
    with pytest.raises(PermissionRefused, match="they asked for it"):
        approvals.approve(ask("lena"), staff["lena"], enter=chain.enter)


def test_one_person_counts_once(approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain) -> None:
    request = ask()
    approvals.approve(request, staff["vera"], enter=chain.enter)
    with pytest.raises(ApprovalError, match=r"vera approved request \w+ already: it takes somebody else"):
        approvals.approve(request, staff["vera"], enter=chain.enter)
    assert approvals.one(request).missing == 1


def test_nobody_approves_what_is_about_themselves(approvals: Approvals, staff: dict[str, Person], chain: Chain) -> None:
    about = {"person": staff["lena"].person_id, "role": "severe_reviewer"}
    request = approvals.request("user.grant", about, staff["anna"], needed=2, roles=OFFICERS, enter=chain.enter)
    with pytest.raises(PermissionRefused, match="it is about them"):
        approvals.approve(request, staff["lena"], enter=chain.enter)


@pytest.mark.parametrize("name", ["rik", "sven"])
def test_without_one_of_the_roles_nobody_approves(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain, name: str
) -> None:
    with pytest.raises(PermissionRefused, match="legal or privacy_officer"):
        approvals.approve(ask(), staff[name], enter=chain.enter)


def test_the_role_is_the_one_they_have_now_not_the_one_they_logged_in_with(
    approvals: Approvals, people: People, staff: dict[str, Person], ask: Asked, chain: Chain
) -> None:
    people.revoke(staff["lena"].person_id, L, enter=chain.enter)
    assert L in staff["lena"].roles
    with pytest.raises(PermissionRefused):
        approvals.approve(ask(), staff["lena"], enter=chain.enter)


@pytest.mark.parametrize("renewal", ["granted", "reset", "enabled"])
def test_who_is_newly_appointed_reset_or_enabled_waits(
    approvals: Approvals, people: People, staff: dict[str, Person], chain: Chain, clock: SetClock, renewal: str
) -> None:
    lena = staff["lena"].person_id
    if renewal == "granted":
        people.revoke(lena, L, enter=chain.enter)
        people.grant(lena, P, enter=chain.enter)
    elif renewal == "reset":
        people.reset(lena, phrase("anew"), enter=chain.enter)
    else:
        people.disable(lena, enter=chain.enter)
        people.enable(lena, enter=chain.enter)

    def ask() -> str:
        return approvals.request(ACT, PARAMS, staff["anna"], needed=2, roles=OFFICERS, enter=chain.enter)

    clock.forward(hours=72, seconds=-1)
    with pytest.raises(PermissionRefused, match="they may from 2026-11-28 13:00 UTC on"):
        approvals.approve(ask(), staff["lena"], enter=chain.enter)
    clock.forward(seconds=1)
    assert approvals.approve(ask(), staff["lena"], enter=chain.enter).missing == 1


def test_a_role_had_for_long_counts_although_another_is_new(
    approvals: Approvals, people: People, staff: dict[str, Person], ask: Asked, chain: Chain
) -> None:
    people.grant(staff["lena"].person_id, P, enter=chain.enter)
    assert approvals.approve(ask(), staff["lena"], enter=chain.enter).missing == 1


@pytest.mark.parametrize("what", ["disabled", "revoked", "reset"])
def test_a_word_that_was_given_counts_no_more_once_its_giver_could_not_give_it(
    approvals: Approvals, people: People, staff: dict[str, Person], ask: Asked, chain: Chain, what: str
) -> None:
    request, lena = ask(), staff["lena"].person_id
    approvals.approve(request, staff["lena"], enter=chain.enter)
    approvals.approve(request, staff["dirk"], enter=chain.enter)
    if what == "disabled":
        people.disable(lena, enter=chain.enter)
    elif what == "revoked":
        people.revoke(lena, L, enter=chain.enter)
    else:
        people.reset(lena, phrase("anew"), enter=chain.enter)
    assert approvals.one(request).state is State.WAITING
    with pytest.raises(ApprovalError, match="not approved"):
        approvals.ready(request)
    approvals.approve(request, staff["vera"], enter=chain.enter)
    assert lena not in approvals.ready(request)[0].approved_by


def test_a_request_expires(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain, clock: SetClock
) -> None:
    complete, half = ask(), ask()
    for name in ("lena", "dirk"):
        approvals.approve(complete, staff[name], enter=chain.enter)
    clock.forward(hours=24, seconds=-1)
    approvals.approve(half, staff["lena"], enter=chain.enter)
    approvals.ready(complete)
    clock.forward(seconds=1)
    for call in (
        lambda: approvals.ready(complete),
        lambda: approvals.approve(half, staff["dirk"], enter=chain.enter),
        lambda: approvals.refuse(half, staff["dirk"], "late", enter=chain.enter),
    ):
        with pytest.raises(ApprovalError, match="expired"):
            call()
    assert {s.state for s in approvals.all()} == {State.EXPIRED}


def test_a_refusal_is_for_good_and_says_why(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain
) -> None:
    request = ask()
    approvals.approve(request, staff["lena"], enter=chain.enter)
    with pytest.raises(WatchkeepError, match="says why"):
        approvals.refuse(request, staff["dirk"], " ", enter=chain.enter)
    with pytest.raises(PermissionRefused):
        approvals.refuse(request, staff["rik"], "I do not like it", enter=chain.enter)
    approvals.refuse(request, staff["dirk"], "wrong number", enter=chain.enter)
    with pytest.raises(ApprovalError, match="was refused: wrong number"):
        approvals.approve(request, staff["vera"], enter=chain.enter)
    withdrawn = ask()
    assert approvals.refuse(withdrawn, staff["anna"], "a mistake", enter=chain.enter).state is State.REFUSED


def test_what_was_carried_out_is_not_approved_again(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain
) -> None:
    request = ask()
    for name in ("lena", "dirk"):
        approvals.approve(request, staff[name], enter=chain.enter)
    assert approvals.approve(request, staff["lena"], enter=chain.enter).state is State.APPROVED  # to try it again
    approvals.spent(request)
    approvals.spent(request)
    assert approvals.one(request).state is State.CARRIED_OUT
    with pytest.raises(ApprovalError, match="was carried out"):
        approvals.approve(request, staff["vera"], enter=chain.enter)
    with pytest.raises(ApprovalError, match="was carried out"):
        approvals.ready(request)


def test_an_approval_is_spent_with_the_change_of_an_account_that_it_permits(
    approvals: Approvals, people: People, staff: dict[str, Person], chain: Chain
) -> None:
    rik = staff["rik"].person_id
    params = {"person": rik, "role": "legal"}
    request = approvals.request("user.grant", params, staff["anna"], needed=2, roles=OFFICERS, enter=chain.enter)
    people.grant(rik, L, enter=chain.enter, approval_id=request)
    assert approvals.one(request).state is State.CARRIED_OUT
    people.revoke(rik, L, enter=chain.enter)
    with pytest.raises(ApprovalError, match="was used"):
        people.grant(rik, L, enter=chain.enter, approval_id=request)
    assert L not in people.named("rik").grants


def test_two_approvals_at_once_both_count(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain, folder: Path, clock: SetClock
) -> None:
    for _ in range(5):
        request, together = ask(), threading.Barrier(2)

        def approve(name: str, request: str = request, together: threading.Barrier = together) -> State:
            mine = Database(folder)
            try:
                own = Approvals(mine, clock, audited=chain.last, valid=VALID, wait=WAIT)
                together.wait()
                return own.approve(request, staff[name], enter=chain.enter).state
            finally:
                mine.close()

        with ThreadPoolExecutor(2) as pool:
            assert set(pool.map(approve, ("lena", "dirk"))) == {State.WAITING, State.APPROVED}
        assert approvals.one(request).missing == 0


def test_one_person_who_approves_twice_at_once_counts_once(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain, folder: Path, clock: SetClock
) -> None:
    request, together = ask(), threading.Barrier(2)

    def approve(_: int) -> str:
        mine = Database(folder)
        try:
            own = Approvals(mine, clock, audited=chain.last, valid=VALID, wait=WAIT)
            together.wait()
            return own.approve(request, staff["lena"], enter=chain.enter).state.value
        except ApprovalError as error:
            return str(error)
        finally:
            mine.close()

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(approve, range(2)))
    assert said[1] == "waiting" and "already" in said[0]
    assert approvals.one(request).missing == 1
