"""Dual control: an act that one person asked for and others approved, each with credentials of their own.

The approval is bound to the exact parameters by their digest, is valid for a while, and is used once: the vault writes
it down in the transaction of the act it permits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.errors import ApprovalError

Params = Mapping[str, str | int | list[str]]
"""An act's exact parameters: strings, whole numbers and lists of strings."""


def params_digest(act: str, params: Params) -> str:
    """sha256 hex over the act's name and its parameters, whatever their order."""
    body = json.dumps([act, dict(params)], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What `people` vouches for: `requested_by` and `approved_by` are person ids; times are aware UTC."""

    approval_id: str
    act: str
    digest: str
    requested_by: str
    approved_by: tuple[str, ...]
    requested_at: datetime
    expires_at: datetime

    def check(self, act: str, params: Params, *, now: datetime, approvers: int = 2) -> None:
        """Raises ApprovalError unless this permits `act` with exactly `params` now.

        It takes `approvers` different people, none of whom asked for it.
        """
        if self.act != act or self.digest != params_digest(act, params):
            raise ApprovalError(f"approval {self.approval_id} is for another act or other parameters: ask anew")
        if not self.requested_at <= now < self.expires_at:
            raise ApprovalError(f"approval {self.approval_id} is not valid at this time: ask anew")
        if len(set(self.approved_by) - {self.requested_by}) < approvers:
            raise ApprovalError(
                f"approval {self.approval_id} lacks approvers: it takes {approvers} people, none of them who asked"
            )
