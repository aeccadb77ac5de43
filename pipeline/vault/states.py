"""What a catalog row says, as one digest: the audit entry of each act holds it, so a later edit is seen.

The subject of an entry is "<kind>:<id>". A state is the subject's own row with the rows that belong to it alone: every
act that adds or changes one of those writes an entry of its owner. Decisions, events, holds and requests are subjects
of their own.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Compiled, Connection, Dialect, LargeBinary, bindparam, select

from pipeline.core.errors import IntegrityError
from pipeline.core.retention import UNCONFIRMED
from pipeline.vault import tables as t
from pipeline.vault import tables_keeping as k
from pipeline.vault.canonical import digest_of_rows

OWNERS: dict[str, Column[Any]] = {
    "run": t.fence.c.run_id,
    "conclusion": t.conclusion.c.conclusion_id,
    "file": t.evidence_file.c.file_id,
    "incident": t.incident.c.incident_id,
    "decision": k.decision.c.decision_id,
    "event": k.event.c.event_id,
    "hold": k.hold.c.hold_id,
    "sealed": k.hold.c.hold_id,
    "request": k.request.c.request_id,
    "tick": k.tick.c.number,
    "pause": k.pause.c.pause_id,
    "rules": k.rule_set.c.number,
    "sweep": k.sweep.c.sweep_id,
}
"""The kinds of subject that have rows, and the column that holds their ids."""

_ONLY: dict[str, ColumnElement[bool]] = {"hold": ~k.hold.c.confidential, "sealed": k.hold.c.confidential}
"""Which rows of the table are of the kind: a confidential hold is spoken of as "sealed" alone."""

AT_ONCE = 1000
"""How many subjects one query and one act take: the write lock is held for less than a second."""

_T = TypeVar("_T")
_Part = tuple[str, Column[Any], tuple[Column[Any], ...]]


def _part(name: str, owner: Column[Any], *order: Column[Any]) -> _Part:
    return name, owner, order


_KEYS = _part("keys", t.key_ref.c.owner, t.key_ref.c.key_id)
_ALWAYS: dict[str, tuple[_Part, ...]] = {
    "incident": (
        _part("findings", t.finding.c.incident_id, t.finding.c.finding_id),
        _part("records", t.evidence_record.c.incident_id, t.evidence_record.c.record_id),
    ),
}
_HOLD = (
    _part("items", k.hold_item.c.hold_id, k.hold_item.c.incident_id),
    _part("changes", k.hold_change.c.hold_id, k.hold_change.c.number),
)
_IF_ANY: dict[str, tuple[_Part, ...]] = {
    "incident": (
        _part("involved", k.involved.c.incident_id, k.involved.c.party),
        _part("floors", k.floor.c.incident_id, k.floor.c.rule, k.floor.c.trigger_at, k.floor.c.until),
        _part("overrides", k.floor_override.c.incident_id, k.floor_override.c.approval_id),
        _part("orders", k.destroy_order.c.incident_id, k.destroy_order.c.number),
        _part("conflicts", k.conflict.c.incident_id, k.conflict.c.number),
        _part("destructions", k.destruction.c.incident_id, k.destruction.c.key_id),
    ),
    "file": (_part("unlinked", k.unlinked.c.file_id, k.unlinked.c.file_id),),
    "hold": _HOLD,
    "sealed": _HOLD,
    "request": (_part("items", k.request_item.c.request_id, k.request_item.c.number),),
}
"""Tables of version 0002: left out of the state where they say nothing, so that entries from before them still hold."""

_AS_BEFORE = {
    "detected_as": "",
    "origin": "auto_detect",
    "retention_class": UNCONFIRMED,
    "decided_at": "",
    "floor_at": "",
}
"""Columns that 0002 gave to incidents, with what it said of those that it found."""


def state_of(tx: Connection, subject: str) -> str:
    """sha256 hex of the rows of `subject`, or "" if its row is not there.

    Raises IntegrityError for a value that the vault never writes.
    """
    kind, _, owner = subject.partition(":")
    return states_of(tx, kind, [owner]).get(owner, "")


def states_of(tx: Connection, kind: str, ids: Sequence[str]) -> dict[str, str]:
    """`state_of` for many of a kind (AT_ONCE or so) by id, with one query for each table.

    An id without a row is not in the answer.
    """
    own = _part(kind, OWNERS[kind])
    states: dict[str, dict[str, object]] = {
        owner: {"row": _own(kind, row), "keys": []} for owner, (row,) in _rows(tx, own, ids).items()
    }
    for part in (_KEYS, *_ALWAYS.get(kind, ())):
        rows = _rows(tx, part, ids)
        for owner, state in states.items():
            state[part[0]] = rows.get(owner, [])
    for part in _IF_ANY.get(kind, ()):
        for owner, rows_of_owner in _rows(tx, part, ids).items():
            if owner in states:
                states[owner][part[0]] = rows_of_owner
    return {owner: _digest(f"{kind}:{owner}", state) for owner, state in states.items()}


def batched(items: Iterable[_T]) -> Iterator[list[_T]]:
    """`items` in order, AT_ONCE at a time."""
    rest = iter(items)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch


def _digest(subject: str, state: dict[str, object]) -> str:
    try:
        return digest_of_rows(state)
    except TypeError as error:
        raise IntegrityError(f"catalog: {subject} holds a value of a kind that the vault never writes") from error


def _own(kind: str, said: dict[str, object]) -> dict[str, object]:
    if kind == "incident":
        for name, before in _AS_BEFORE.items():
            if said[name] == before:
                del said[name]
        if said["sealed_at"] == said["opened_at"]:
            del said["sealed_at"]
    return said


def _rows(tx: Connection, part: _Part, ids: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    """The rows of a table by their owner, as values for `canonical`."""
    if not ids:
        return {}
    owner = part[1]
    columns = owner.table.columns
    names, place = columns.keys(), columns.keys().index(owner.name)
    sealed = [c.name for c in columns if isinstance(c.type, LargeBinary)]
    groups: dict[str, list[dict[str, object]]] = defaultdict(list)
    for values in driver_rows(tx, _query(part, len(ids), tx.dialect), ids):
        row = dict(zip(names, values, strict=True))
        for name in sealed:
            row[name] = row[name].hex() if isinstance(row[name], bytes) else row[name]
        groups[str(values[place])].append(row)
    return groups


@lru_cache(maxsize=4096)
def _query(part: _Part, count: int, dialect: Dialect) -> Compiled:
    kind, owner, order = part
    query = select(owner.table).where(owner.in_([bindparam(f"id_{n}", type_=owner.type) for n in range(count)]))
    if kind in _ONLY:
        query = query.where(_ONLY[kind])
    return query.order_by(*order).compile(dialect=dialect)


def driver_rows(tx: Connection, query: Compiled, values: Sequence[object]) -> Iterator[Any]:
    """The rows of a query as the driver's plain tuples, which come several times as fast; `values` in its order.

    Raises IntegrityError for rows that cannot be read.
    """
    cursor: Any = tx.connection.cursor()
    try:
        cursor.execute(str(query), values)
        yield from cursor
    except sqlite3.DatabaseError as error:
        raise IntegrityError(f"catalog: rows cannot be read ({error}): run evidence verify") from error


def owners(tx: Connection, kind: str) -> Iterator[str]:
    """Ids of all rows of a kind."""
    query = select(OWNERS[kind])
    if kind in _ONLY:
        query = query.where(_ONLY[kind])
    for owner in tx.execute(query.execution_options(yield_per=1000)).scalars():
        yield str(owner)


def there(tx: Connection, kind: str, ids: Sequence[str]) -> frozenset[str]:
    """Those of `ids` that have a row."""
    query = select(OWNERS[kind]).where(OWNERS[kind].in_(ids))
    if kind in _ONLY:
        query = query.where(_ONLY[kind])
    return frozenset(str(owner) for owner in tx.execute(query).scalars())
