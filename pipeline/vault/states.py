"""What a catalog row says, as one digest: the audit entry of each act holds it, so a later edit is seen.

The subject of an entry is "<kind>:<id>". An incident's state is its own row with its findings, records and keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, Select, select

from pipeline.core.errors import IntegrityError
from pipeline.vault.canonical import digest_of_rows, plain
from pipeline.vault.tables import conclusion, evidence_file, evidence_record, fence, finding, incident, key_ref

OWNERS: dict[str, Column[Any]] = {
    "run": fence.c.run_id,
    "conclusion": conclusion.c.conclusion_id,
    "file": evidence_file.c.file_id,
    "incident": incident.c.incident_id,
}
"""The kinds of subject that have rows, and the column that holds their ids."""


def state_of(tx: Connection, subject: str) -> str:
    """sha256 hex of the rows of `subject`, or "" if its row is not there.

    Raises IntegrityError for a value that the vault never writes.
    """
    kind, _, owner = subject.partition(":")
    column = OWNERS[kind]
    row = tx.execute(select(column.table).where(column == owner)).first()
    if row is None:
        return ""
    state: dict[str, object] = {"row": plain(row._asdict()), "keys": _rows(tx, _keys_of(owner))}
    if kind == "incident":
        state["findings"] = _rows(tx, _of_incident(finding.c.finding_id, owner))
        state["records"] = _rows(tx, _of_incident(evidence_record.c.record_id, owner))
    try:
        return digest_of_rows(state)
    except TypeError as error:
        raise IntegrityError(f"catalog: {subject} holds a value of a kind that the vault never writes") from error


def owners(tx: Connection, kind: str) -> Iterator[str]:
    """Ids of all rows of a kind."""
    yield from tx.execute(select(OWNERS[kind]).execution_options(yield_per=1000)).scalars()


def _keys_of(owner: str) -> Select[Any]:
    return select(key_ref).where(key_ref.c.owner == owner).order_by(key_ref.c.key_id)


def _of_incident(column: Column[Any], incident_id: str) -> Select[Any]:
    return select(column.table).where(column.table.c.incident_id == incident_id).order_by(column)


def _rows(tx: Connection, query: Select[Any]) -> list[dict[str, object]]:
    return [plain(row._asdict()) for row in tx.execute(query)]
