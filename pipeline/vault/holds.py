"""Holds: orders and expectations that forbid destruction while they are active; many per incident.

What a hold is about lies sealed. Refuses to know who may place one, and which incidents an order means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.core.approval import Approval
from pipeline.vault.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChange:
    """A renewal ("renew") to `until`, or the release ("release"): why, by which reference, and who wrote it down."""

    what: str
    until: datetime | None
    reference: str
    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """A hold with its words opened; `until` is None until it is released. `scope` holds JSON values."""

    hold_id: str
    kind: str
    authority: str
    reference: str
    reason: str
    scope: Mapping[str, object]
    starts_at: datetime
    until: datetime | None
    confidential: bool
    placed_at: datetime
    placed_by: str
    released_at: datetime | None
    release_approval: str
    incidents: tuple[str, ...] = field(repr=False)
    changes: tuple[HoldChange, ...] = ()

    def active(self, now: datetime) -> bool:
        """True until it was released or has run out."""
        raise NotImplementedError


class Holds:
    """Placing, renewing and releasing holds."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def place(  # noqa: PLR0913
        self,
        incidents: Sequence[str],
        *,
        kind: str,
        authority: str,
        reference: str,
        reason: str,
        starts_at: datetime,
        until: datetime | None,
        confidential: bool,
        by: str,
        placed_by: str,
        scope: Mapping[str, object] | None = None,
    ) -> str:
        """Place a hold and return its id. Raises KeyDestroyedError naming what is gone, and then nothing is placed."""
        raise NotImplementedError

    def attach(self, hold_id: str, incidents: Sequence[str], *, by: str) -> None:
        """Put more incidents under an active hold."""
        raise NotImplementedError

    def renew(self, hold_id: str, until: datetime | None, *, reference: str, by: str, reason: str = "") -> None:
        """Move the end of an active hold to a later time (None: until released)."""
        raise NotImplementedError

    def release(self, hold_id: str, *, approval: Approval, reason: str, by: str) -> tuple[str, ...]:
        """End a hold (act "hold.release" {hold}); the incidents that it kept."""
        raise NotImplementedError

    def all(self, *, legal: bool) -> tuple[HoldView, ...]:
        """All holds in order; without `legal` no confidential one."""
        raise NotImplementedError

    def of(self, incident_id: str, *, legal: bool) -> tuple[HoldView, ...]:
        """The holds of one incident in order; without `legal` no confidential one."""
        raise NotImplementedError
