"""The vault in numbers, for operators: how much there is of what, how old, and what waits. Nothing is unsealed.

Incidents that would tell of a confidential hold are not counted; files and bytes are what lies on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, func, select

from pipeline.core.decision import Custody, Review
from pipeline.vault.hidden import hidden
from pipeline.vault.parts import Parts
from pipeline.vault.tables import audit_event, evidence_file, evidence_record, incident
from pipeline.vault.tables_keeping import conflict, destruction, request, rule_set, sweep, unlinked


class Stats:
    """Counts over one vault."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def read(self) -> Mapping[str, Any]:
        """One snapshot as JSON values; times are UTC texts, "never" and "none" where there is nothing."""
        with self._parts.catalog.read() as tx:
            i = incident
            waiting = (i.c.review.in_([Review.OPEN.value, Review.UNDER_REVIEW.value]), _kept())
            last = tx.execute(select(sweep).order_by(sweep.c.at.desc()).limit(1)).first()
            bytes_stored = select(func.coalesce(func.sum(evidence_file.c.size), 0)).where(
                evidence_file.c.file_id.not_in(select(unlinked.c.file_id))
            )
            return {
                "incidents": _counts(tx, i.c.custody, _told()),
                "review": _counts(tx, i.c.review, _kept()),
                "classes": _counts(tx, i.c.retention_class, _kept()),
                "restricted": _one(tx, select(func.count()).select_from(i).where(i.c.restricted, _kept())),
                "oldest_unreviewed": _one(tx, select(func.min(i.c.sealed_at)).where(*waiting)) or "none",
                "records": _one(tx, select(func.count()).select_from(evidence_record)),
                "keys_destroyed": _one(tx, select(func.count()).select_from(destruction)),
                "files": _one(tx, select(func.count()).select_from(evidence_file)),
                "files_unlinked": _one(tx, select(func.count()).select_from(unlinked)),
                "bytes": _one(tx, bytes_stored),
                "open_conflicts": _one(tx, select(func.count()).select_from(conflict).where(conflict.c.ended_at == "")),
                "open_requests": _one(tx, select(func.count()).select_from(request).where(request.c.state != "done")),
                "rules": _one(tx, select(rule_set.c.name).order_by(rule_set.c.number.desc()).limit(1)) or "none",
                "audit_entries": _one(tx, select(func.count()).select_from(audit_event)),
                "last_sweep": last.at if last else "never",
                "last_sweep_destroyed": last.destroyed if last else 0,
                "last_sweep_unreviewed": last.unreviewed if last else 0,
                "unreviewed_expired": _one(tx, select(func.coalesce(func.sum(sweep.c.unreviewed), 0))),
            }


def _kept() -> Any:
    alive = incident.c.custody.in_([Custody.ACTIVE.value, Custody.DELETING.value])
    return alive & _told()


def _told() -> Any:
    return incident.c.incident_id.not_in(hidden())


def _counts(tx: Connection, column: Column[str], *where: Any) -> dict[str, int]:
    query = select(column, func.count()).where(*where).group_by(column).order_by(column)
    return {row[0]: row[1] for row in tx.execute(query)}


def _one(tx: Connection, query: Any) -> Any:
    return tx.execute(query).scalar()
