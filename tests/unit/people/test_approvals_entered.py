"""Approvals and the audit chain: every word is entered, and what was changed behind it permits nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import IntegrityError, PermissionRefused, WatchkeepError
from pipeline.core.person import Person, Role
from pipeline.people.account import Change
from pipeline.people.appointing import OFFICERS
from pipeline.people.approvals import Approvals
from pipeline.people.database import Database, appointment, approval_request, vote
from pipeline.people.requirements import REQUIREMENTS, required
from tests.unit.people.conftest import ACT, Asked, Chain


def test_every_word_is_entered_and_one_that_cannot_be_is_not_given(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain
) -> None:
    request = ask()

    def refuse(_: Change) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        approvals.approve(request, staff["lena"], enter=refuse)
    assert approvals.one(request).votes == ()
    approvals.approve(request, staff["lena"], enter=chain.enter)
    mine = [c for c in chain.entered if c.subject == f"approval:{request}"]
    assert [(c.verb, c.words) for c in mine] == [("approval.request", ACT), ("approval.approve", ACT)]


def test_the_release_of_a_hold_is_entered_without_saying_so(
    approvals: Approvals, staff: dict[str, Person], chain: Chain
) -> None:
    approvals.request("hold.release", {"hold": "h"}, staff["lena"], needed=2, roles=OFFICERS, enter=chain.enter)
    assert "hold" not in repr(chain.entered[-1])


@pytest.mark.parametrize("what", ["a vote", "the parameters", "the refusal", "how many", "until when"])
def test_a_request_changed_behind_the_chain_permits_nothing(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain, folder: Path, what: str
) -> None:
    request = ask()
    approvals.approve(request, staff["lena"], enter=chain.enter)
    if what == "the refusal":
        approvals.refuse(request, staff["dirk"], "no", enter=chain.enter)
    else:
        approvals.approve(request, staff["vera"], enter=chain.enter)
    with Database(folder).write() as tx:
        if what == "a vote":
            row = {"request_id": request, "person_id": staff["dirk"].person_id, "at": "2026-11-25T13:00:00.000000Z"}
            tx.execute(vote.insert(), row)
        else:
            changed = {
                "the parameters": {"params": '{"incidents": ["z"]}'},
                "the refusal": {"refused_by": "", "refused_at": "", "reason": ""},
                "how many": {"needed": 1},
                "until when": {"expires_at": "2027-11-25T13:00:00.000000Z"},
            }
            tx.execute(approval_request.update().values(**changed[what]))
    with pytest.raises(IntegrityError, match="not as its last audit entry left it"):
        approvals.ready(request)
    assert approvals.problem(approvals.one(request))


def test_a_role_given_behind_the_chain_gives_no_say(
    approvals: Approvals, staff: dict[str, Person], ask: Asked, chain: Chain, folder: Path
) -> None:
    with Database(folder).write() as tx:
        row = {"person_id": staff["rik"].person_id, "role": "legal", "granted_at": "2026-01-01T00:00:00.000000Z"}
        tx.execute(appointment.insert(), row)
    with pytest.raises(PermissionRefused, match="changed without an audit entry"):
        approvals.approve(ask(), staff["rik"], enter=chain.enter)


def test_no_act_is_done_alone() -> None:
    for act, takes in REQUIREMENTS.items():
        assert takes.needed == (1 if act == "decide.dismiss_severe" else 2)
        # What a privacy officer may not know of, they cannot agree to.
        assert takes.roles >= OFFICERS or (act, takes.roles) == ("hold.release_confidential", {Role.LEGAL})
    with pytest.raises(WatchkeepError, match=r"there is no act 'x' to approve"):
        required("x")
