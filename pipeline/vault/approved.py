"""Spending an approval: checked, and written down as used, in the transaction of the act that it permits.

Refuses to know people: whose roles counted was settled when they approved.
"""

from __future__ import annotations

from sqlalchemy import exc, insert

from pipeline.core.approval import Approval, Params
from pipeline.core.clock import utc_parse
from pipeline.core.errors import ApprovalError
from pipeline.vault.audit import Act
from pipeline.vault.tables_keeping import approval_used


def spend(act: Act, approval: Approval, name: str, params: Params, *, approvers: int = 2) -> None:
    """Use `approval` up for the act `name` with exactly `params`.

    Raises ApprovalError if it is for something else, not valid now, short of approvers, or was used before.
    """
    approval.check(name, params, now=utc_parse(act.at), approvers=approvers)
    row = {
        "approval_id": approval.approval_id,
        "act": approval.act,
        "digest": approval.digest,
        "requested_by": approval.requested_by,
        "approved_by": " ".join(sorted(approval.approved_by)),
        "used_at": act.at,
    }
    try:
        with act.tx.begin_nested():
            act.tx.execute(insert(approval_used), row)
    except exc.IntegrityError as error:
        raise ApprovalError(f"approval {approval.approval_id} was used before: ask anew") from error
