"""An approval permits one act, with exactly its parameters, for a while, if enough others agreed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.core.approval import Approval, params_digest
from pipeline.core.errors import ApprovalError

ACT, PARAMS = "hold.release", {"hold": "h1", "reason": "settled"}
ASKED = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENDS = ASKED + timedelta(hours=24)
APPROVAL = Approval(
    approval_id="a-1",
    act=ACT,
    digest=params_digest(ACT, PARAMS),
    requested_by="ada",
    approved_by=("bob", "eve"),
    requested_at=ASKED,
    expires_at=ENDS,
)


@pytest.mark.parametrize("now", [ASKED, ENDS - timedelta(microseconds=1)])
def test_two_others_permit_the_act_until_it_expires(now: datetime) -> None:
    APPROVAL.check(ACT, dict(reversed(PARAMS.items())), now=now)


@pytest.mark.parametrize("now", [ASKED - timedelta(microseconds=1), ENDS])
def test_it_is_valid_from_the_request_to_its_end(now: datetime) -> None:
    with pytest.raises(ApprovalError, match="not valid at this time"):
        APPROVAL.check(ACT, PARAMS, now=now)


@pytest.mark.parametrize("people", [(), ("bob",), ("bob", "bob"), ("bob", "ada"), ("ada", "ada")])
def test_it_takes_two_people_none_of_whom_asked(people: tuple[str, ...]) -> None:
    with pytest.raises(ApprovalError, match="lacks approvers"):
        replace(APPROVAL, approved_by=people).check(ACT, PARAMS, now=ASKED)


@pytest.mark.parametrize(
    ("approval", "act", "params"),
    [
        (APPROVAL, ACT, {**PARAMS, "hold": "h2"}),
        (APPROVAL, ACT, {"hold": "h1"}),
        (APPROVAL, "order.destroy", PARAMS),
        (replace(APPROVAL, act="order.destroy"), ACT, PARAMS),
        (replace(APPROVAL, digest=params_digest("order.destroy", PARAMS)), ACT, PARAMS),
    ],
)
def test_it_is_for_one_act_with_exactly_its_parameters(
    approval: Approval, act: str, params: dict[str, str | int | list[str]]
) -> None:
    with pytest.raises(ApprovalError, match="another act or other parameters"):
        approval.check(act, params, now=ASKED)
