"""Events: what happened to an incident and may start a clock; written down once, never changed.

The floors that an event starts are written down with it. Refuses to know the rules that say which.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import ApprovalError
from pipeline.core.retention import REPORT_CLOSED, Bound
from pipeline.vault.approved import spend
from pipeline.vault.floors import add_floors, floor_at
from pipeline.vault.parts import Parts
from pipeline.vault.states import state_of
from pipeline.vault.tables_keeping import event
from pipeline.vault.touch import one, prove_alive, touch

CLOSE = "report.close"
"""The act that two people have to approve before a report that was never filed counts as closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """An event as it was written down; `recorded_by` is the actor."""

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
        """Write an event down with its floors; its id. REPORT_CLOSED takes an approval, `reference` is its ground.

        Raises TransitionError if the incident is not at `revision` any more, KeyDestroyedError if nothing is left of
        it, ApprovalError (act "report.close" {incident, ground}).
        """
        event_id = secrets.token_hex(16)
        with self._parts.journal.act(by) as act:
            one(act.tx, incident_id, revision)
            prove_alive(act.tx, self._parts.keys, [incident_id])
            if kind == REPORT_CLOSED:
                if approval is None:
                    raise ApprovalError(f"the report on incident {incident_id} is closed by two people, or filed")
                spend(act, approval, CLOSE, {"incident": incident_id, "ground": reference})
            row = {
                "event_id": event_id,
                "incident_id": incident_id,
                "kind": kind,
                "at": utc_text(at),
                "reference": reference,
                "recorded_at": act.at,
                "recorded_by": by,
            }
            act.tx.execute(insert(event), row)
            add_floors(act, incident_id, floors)
            subject = f"event:{event_id}"
            act.record("event.record", subject, reason=kind, after=state_of(act.tx, subject))
            touch(act, [incident_id], "event.record", reason=kind, values={"floor_at": floor_at(act.tx, incident_id)})
        return event_id

    def of(self, incident_id: str) -> tuple[EventView, ...]:
        """The events of one incident in the order in which they were written down."""
        with self._parts.catalog.read() as tx:
            rows = tx.execute(select(event).where(event.c.incident_id == incident_id).order_by(event.c.number))
            return tuple(
                EventView(
                    event_id=row.event_id,
                    incident_id=row.incident_id,
                    kind=row.kind,
                    at=utc_parse(row.at),
                    reference=row.reference,
                    recorded_at=utc_parse(row.recorded_at),
                    recorded_by=row.recorded_by,
                )
                for row in rows
            )
