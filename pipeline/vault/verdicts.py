"""What verdicts change although nothing goes: evidence that is due and kept is restricted, and conflicts are rows.

Refuses to lift a restriction: people do that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from pipeline.core.decision import Custody
from pipeline.core.retention import Bound, Disposition, Verdict
from pipeline.vault.audit import Act
from pipeline.vault.parts import Parts
from pipeline.vault.states import batched
from pipeline.vault.tables import incident
from pipeline.vault.tables_keeping import conflict
from pipeline.vault.touch import touch

SETTLED = "floor and ceiling do not contradict each other any more"
REPLACED = "another floor or ceiling stands in the conflict now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What verdicts changed: incidents now restricted, and those whose conflict was opened or ended."""

    restricted: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


def apply_verdicts(parts: Parts, plan: Iterable[Disposition], *, actor: str) -> Applied:
    """See `Destroyer.apply_verdicts`."""
    with parts.catalog.read() as tx:
        query = select(conflict).where(conflict.c.ended_at == "").order_by(conflict.c.number)
        standing = {row.incident_id: (row.floor_rule, row.ceiling_rule) for row in tx.execute(query)}
    restricted: list[str] = []
    opened: list[str] = []
    replaced: list[str] = []
    over = dict.fromkeys(standing)
    for batch in batched(d for d in plan if d.verdict in (Verdict.HELD, Verdict.CONFLICT)):
        with parts.journal.act(actor) as act:
            free = _unrestricted(act, batch)
            pairs = {d.incident_id: _pair(d) for d in batch if d.verdict is Verdict.CONFLICT}
            new = {i: pair for i, pair in pairs.items() if i in free and standing.get(i) != pair}
            _end(act, [i for i in new if i in standing], REPLACED)
            _open(act, new)
            due = [i for i, is_free in free.items() if is_free and i not in new]
            touch(act, list(new), "conflict.open", values={"restricted": True}, recall=False)
            touch(act, due, "incident.restrict", values={"restricted": True}, recall=False)
        for incident_id in pairs:
            over.pop(incident_id, None)
        restricted += [i for i, is_free in free.items() if is_free]
        replaced += [i for i in new if i in standing]
        opened += new
    for ids in batched(over):
        with parts.journal.act(actor) as act:
            _end(act, ids, SETTLED)
            touch(act, ids, "conflict.end", recall=False)
    return Applied(restricted=tuple(restricted), opened=tuple(opened), ended=(*replaced, *over))


def _unrestricted(act: Act, batch: Sequence[Disposition]) -> dict[str, bool]:
    """Those that stand as they were judged, and whether they are not restricted yet."""
    i, revisions = incident, {d.incident_id: d.revision for d in batch}
    query = select(i.c.incident_id, i.c.revision, i.c.restricted).where(
        i.c.incident_id.in_(list(revisions)), i.c.custody == Custody.ACTIVE.value
    )
    rows = act.tx.execute(query.order_by(i.c.incident_id))
    return {row.incident_id: not row.restricted for row in rows if row.revision == revisions[row.incident_id]}


def _pair(d: Disposition) -> tuple[str, str]:
    """The latest floor and the earliest ceiling."""
    return max(d.floors, key=_until).rule, min(d.ceilings, key=_until).rule


def _until(bound: Bound) -> datetime:
    return bound.until


def _open(act: Act, pairs: Mapping[str, tuple[str, str]]) -> None:
    if pairs:
        rows = [
            {
                "incident_id": incident_id,
                "floor_rule": floor_rule,
                "ceiling_rule": ceiling_rule,
                "opened_at": act.at,
                "ended_at": "",
                "resolution": "",
            }
            for incident_id, (floor_rule, ceiling_rule) in pairs.items()
        ]
        act.tx.execute(insert(conflict), rows)


def _end(act: Act, incidents: Sequence[str], resolution: str) -> None:
    mine = update(conflict).where(conflict.c.incident_id.in_(incidents), conflict.c.ended_at == "")
    act.tx.execute(mine.values(ended_at=act.at, resolution=resolution))
