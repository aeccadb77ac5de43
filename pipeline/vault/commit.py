"""Committing a conclusion: everything it says, in one transaction, or nothing.

The file lies there, whole and durable, before this begins. What was true when sealing began is checked again here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pipeline.core.errors import FencedError, KeyDestroyedError, SealError
from pipeline.core.evidence import Party
from pipeline.core.ports import KeyStore
from pipeline.vault import tables
from pipeline.vault.attach import STRENGTH, Standing, standings
from pipeline.vault.audit import Act
from pipeline.vault.catalog_rows import Conclusion, conclusion_row, finding_row, incident_row
from pipeline.vault.involved import accounts, answer, involve, open_requests, withdrawn
from pipeline.vault.seal import Arrival, Before, Sealing
from pipeline.vault.states import state_of


def concluded(tx: Connection, conclusion_id: str) -> tuple[str, ...] | None:
    """Ids of the incidents of a conclusion, or None if it was never committed."""
    t = tables.conclusion
    said = tx.execute(select(t.c.incidents).where(t.c.conclusion_id == conclusion_id)).scalar()
    return None if said is None else tuple(json.loads(said))


def check_fence(tx: Connection, run_id: str) -> str:
    """The actor of the run; FencedError unless it is the last one that began."""
    last = tx.execute(select(tables.fence).order_by(tables.fence.c.number.desc()).limit(1)).first()
    if last is None or last.run_id != run_id:
        raise FencedError(f"run {run_id} may not write any more: another run began on this home")
    return str(last.actor)


def before(tx: Connection, said: Conclusion, keys: KeyStore) -> Before:
    """What the catalog holds of a recording, which of its keys were destroyed, and who withdrew their consent."""
    standing = standings(tx, said.recording.recording_id)
    ids = [s.incident_id for s in standing]
    r, k = tables.evidence_record, tables.key_ref
    held = {(row.owner, row.party): row.key_id for row in tx.execute(select(k).where(k.c.owner.in_(ids)))}
    erased = frozenset(place for place, key_id in held.items() if _destroyed(keys, key_id))
    return Before(
        standings=tuple(replace(s, erased=(s.incident_id, Party.SUBJECT.value) in erased) for s in standing),
        records=frozenset(tx.execute(select(r.c.record_id).where(r.c.incident_id.in_(ids))).scalars()),
        keys=held,
        erased=erased,
        withdrawn=withdrawn(tx, said.installation_key, (said.recording, said.counterpart)),
    )


def _destroyed(keys: KeyStore, key_id: str) -> bool:
    try:
        keys.exists(key_id)
    except KeyDestroyedError:
        return True
    return False


def commit(
    act: Act, said: Conclusion, sealing: Sealing, was: Before, file: Mapping[str, Any] | None, keys: KeyStore
) -> tuple[str, ...]:
    """Write the conclusion's rows and entries; `file` is its catalog row, None if no new evidence was sealed.

    Returns the incidents' ids. Raises FencedError, or SealError if the recording's incidents changed since sealing.
    """
    if (done := concluded(act.tx, said.conclusion_id)) is not None:
        return done  # another worker was first: what this one wrote is an orphan
    check_fence(act.tx, said.run_id)
    now = before(act.tx, said, keys)
    if now != was:
        raise SealError(
            f"the incidents of recording {said.recording.recording_id} changed meanwhile: conclude it again"
        )
    fresh = {s.incident_id: s for s in now.standings}
    ids = tuple(dict.fromkeys(a.incident_id for a in sealing.arrivals))
    act.tx.execute(insert(tables.conclusion), conclusion_row(said, ids, act.at))
    many(act.tx, tables.key_ref, sealing.new_keys)
    if file is not None:
        add_file(act, file, said.conclusion_id, "file.seal")
    for incident_id in sealing.refused:
        act.record("incident.refused", f"incident:{incident_id}", reason="it rests on a consent that was withdrawn")
    by_id = sorted(sealing.arrivals, key=lambda a: a.incident_id)
    for incident_id, arrivals in groupby(by_id, key=lambda a: a.incident_id):
        records = [r for r in sealing.records if r["incident_id"] == incident_id]
        _arrive(act, said, fresh.get(incident_id), list(arrivals), records)
    subject = f"conclusion:{said.conclusion_id}"
    act.record("recording.conclude", subject, after=state_of(act.tx, subject))
    return ids


def add_file(act: Act, file: Mapping[str, Any], conclusion_id: str, verb: str) -> None:
    """The rows and the entry of an evidence file that lies in its place."""
    act.tx.execute(insert(tables.key_ref), {"key_id": file["key_id"], "owner": file["file_id"], "party": "file"})
    act.tx.execute(insert(tables.evidence_file), {**file, "conclusion_id": conclusion_id})
    subject = f"file:{file['file_id']}"
    act.record(verb, subject, after=state_of(act.tx, subject))


def _arrive(
    act: Act,
    said: Conclusion,
    standing: Standing | None,
    arrivals: Sequence[Arrival],
    records: list[dict[str, object]],
) -> None:
    incident_id = arrivals[0].incident_id
    if standing and standing.gone:
        return
    people = accounts(arrivals[0].incident, said.recording, said.counterpart)
    asked = open_requests(act.tx, said.installation_key, people)
    limits: dict[str, object] = {"restricted": True} if asked else {}
    revision = standing.revision + 1 if standing else 1
    t = tables.finding
    have = set(act.tx.execute(select(t.c.finding_id).where(t.c.incident_id == incident_id)).scalars())
    rows = {
        str(row["finding_id"]): row
        for a in arrivals
        for f in a.incident.findings
        for row in [finding_row(said, incident_id, revision, f)]
        if row["finding_id"] not in have
    }
    if standing is None:
        act.tx.execute(insert(tables.incident), {**incident_row(said, arrivals[0].incident, act.at), **limits})
    elif rows or records:
        changes = _grown(standing, arrivals)
        act.tx.execute(
            update(tables.incident)
            .where(tables.incident.c.incident_id == incident_id)
            .values(revision=revision, **({} if standing.closed else changes), **limits)
        )
    else:
        return
    many(act.tx, t, list(rows.values()))
    many(act.tx, tables.evidence_record, records)
    involve(act, said.installation_key, incident_id, people)
    answer(act, asked, incident_id)
    subject = f"incident:{incident_id}"
    verb = "incident.attach" if standing else "incident.open"
    act.record(verb, subject, reason=said.conclusion_id, after=state_of(act.tx, subject))


def _grown(standing: Standing, arrivals: Sequence[Arrival]) -> dict[str, object]:
    span, severity, action = standing.span, standing.severity, standing.action
    for a in arrivals:
        span = span.hull(a.incident.span)
        severity = max(severity, a.incident.severity)
        action = max(action, a.incident.action, key=STRENGTH.index)
    return {
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
        "severity": int(severity),
        "action": action.value,
    }


def many(tx: Connection, table: Any, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, if there are any."""
    if rows:
        tx.execute(insert(table), list(rows))
