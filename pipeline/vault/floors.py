"""Floors: the earliest lawful destruction, written down so that no later rule file can forget it.

What is written stays; an incident's `floor_at` is the latest of them, and moves down only where two people overrode one
of its rules. The database refuses it otherwise, too. Refuses to know how floors are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_text
from pipeline.core.errors import TransitionError
from pipeline.core.retention import Bound
from pipeline.vault.approved import spend
from pipeline.vault.audit import Act
from pipeline.vault.parts import Parts
from pipeline.vault.tables_keeping import event, floor, floor_override
from pipeline.vault.touch import AT_ONCE, one, prove_alive, touch

OVERRIDE = "floor.override"
"""The act that two people have to approve."""


class Floors:
    """Writing floors down, and moving one by agreement of two people."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def write_down(self, incident_id: str, floors: Sequence[Bound], *, by: str) -> None:
        """Add floors; those that are written down already change nothing.

        Raises KeyDestroyedError if there is nothing left to keep.
        """
        self.write_all([(incident_id, floors)], by=by)

    def write_all(self, fresh: Sequence[tuple[str, Sequence[Bound]]], *, by: str) -> None:
        """As `write_down` for many incidents, some hundreds to a transaction."""
        for begin in range(0, len(fresh), AT_ONCE):
            with self._parts.journal.act(by) as act:
                for incident_id, floors in fresh[begin : begin + AT_ONCE]:
                    one(act.tx, incident_id)
                    if add_floors(act, incident_id, floors):
                        prove_alive(act.tx, self._parts.keys, [incident_id])
                        values = {"floor_at": floor_at(act.tx, incident_id)}
                        touch(act, [incident_id], "floor.write", values=values)

    def override(
        self, incident_id: str, rule: str, until: datetime, ground: str, *, approval: Approval, by: str
    ) -> None:
        """Move the floors of `rule` that have begun, and are known of, to `until`; what comes later counts anew.

        Act "floor.override" {incident, rule, until (utc_text), ground}. Raises ApprovalError, TransitionError if no
        floor of this rule is written down.
        """
        with self._parts.journal.act(by) as act:
            one(act.tx, incident_id)
            of_rule = select(floor.c.rule).where(floor.c.incident_id == incident_id, floor.c.rule == rule).limit(1)
            if act.tx.execute(of_rule).first() is None:
                raise TransitionError(f"incident {incident_id} has no floor of rule {rule}: there is nothing to move")
            said: dict[str, str | int | list[str]] = {
                "incident": incident_id, "rule": rule, "until": utc_text(until), "ground": ground
            }  # fmt: skip
            spend(act, approval, OVERRIDE, said)
            row = {
                "approval_id": approval.approval_id,
                "incident_id": incident_id,
                "rule": rule,
                "until": utc_text(until),
                "ground": ground,
                "at": act.at,
            }
            act.tx.execute(insert(floor_override), row)
            prove_alive(act.tx, self._parts.keys, [incident_id])
            values = {"floor_at": floor_at(act.tx, incident_id)}
            touch(act, [incident_id], OVERRIDE, reason=ground, values=values)


def add_floors(act: Act, incident_id: str, floors: Sequence[Bound]) -> bool:
    """Write down those that are not yet; True if there were any. The incident's `floor_at` is the caller's to set."""
    key = (floor.c.rule, floor.c.trigger_at, floor.c.until)
    have = {tuple(row) for row in act.tx.execute(select(*key).where(floor.c.incident_id == incident_id))}
    new = {place: f for f in floors if (place := (f.rule, utc_text(f.trigger_at), utc_text(f.until))) not in have}
    rows = [
        {
            "incident_id": incident_id,
            "rule": rule,
            "trigger_at": trigger_at,
            "until": until,
            "trigger": f.trigger,
            "cite": f.cite,
            "recorded_at": act.at,
        }
        for (rule, trigger_at, until), f in new.items()
    ]
    if rows:
        act.tx.execute(insert(floor), rows)
    return bool(rows)


def floor_at(tx: Connection, incident_id: str) -> str:
    """The latest floor of an incident as overrides leave it (UTC text), "" without one.

    An override moves what had begun, and was known, by then; whatever rules wrote it down later.
    """
    o = floor_override
    moved: dict[str, tuple[str, str]] = {}
    for row in tx.execute(select(o).where(o.c.incident_id == incident_id).order_by(o.c.at, o.c.approval_id)):
        moved[row.rule] = (row.at, row.until)  # the last one of a rule counts
    known: dict[tuple[str, str], str] = {}
    for row in tx.execute(select(event).where(event.c.incident_id == incident_id).order_by(event.c.recorded_at)):
        known.setdefault((row.kind, row.at), row.recorded_at)
    effective = []
    for row in tx.execute(select(floor).where(floor.c.incident_id == incident_id)):
        at, until = moved.get(row.rule, ("", ""))
        began = known.get((row.trigger, row.trigger_at), row.trigger_at)
        effective.append(until if began <= at else row.until)
    return max(effective, default="")
