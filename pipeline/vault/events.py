"""Events: what happened to an incident and may start a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.approval import Approval
from pipeline.core.retention import Bound
from pipeline.vault.parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """An event as it was written down."""

    event_id: str
    incident_id: str
    kind: str
    at: datetime
    reference: str
    recorded_at: datetime
    recorded_by: str


class Events:
    """Recording and reading events."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def record(
        self,
        incident_id: str,
        kind: str,
        at: datetime,
        reference: str,
        *,
        revision: int,
        floors: Sequence[Bound],
        by: str,
        approval: Approval | None = None,
    ) -> str:
        """An event with its floors; its id. REPORT_CLOSED takes the act "report.close" {incident, ground}."""
        raise NotImplementedError

    def of(self, incident_id: str) -> tuple[EventView, ...]:
        """The events of one incident in the order in which they were written down."""
        raise NotImplementedError
