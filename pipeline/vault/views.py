"""What may be told of incidents without opening evidence: categories, spans, states, pseudonyms, digests."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, select

from pipeline.core.clock import utc_parse
from pipeline.core.decision import Action, Custody, PolicyRef, Review, Severity
from pipeline.core.errors import IntegrityError
from pipeline.core.evidence import EvidenceRecord, Kind, Party
from pipeline.core.media import Span
from pipeline.core.recording import Identity
from pipeline.vault import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A rule that fired, the incident's revision that brought it, and the tenth in which its highest score lies."""

    rule: str
    severity: Severity
    action: Action
    span: Span
    labels: tuple[str, ...]
    models: tuple[str, ...]
    score_bucket: str
    policy: PolicyRef
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """An incident as the catalog holds it; session, stream and participant are pseudonyms, "unknown", or "erased".

    Times are UTC texts; `decided_at` is "" before a decision.
    """

    incident_id: str
    recording_id: str
    session: str
    stream: str
    participant: str
    identity: Identity
    category: str
    severity: Severity
    action: Action
    span: Span
    jurisdiction: str
    legal_basis: str
    review: Review
    custody: Custody
    restricted: bool
    revision: int
    opened_at: str
    origin: str
    retention_class: str
    sealed_at: str
    decided_at: str
    findings: tuple[FindingView, ...]
    records: tuple[EvidenceRecord, ...]


def incident_views(tx: Connection, incident_id: str | None = None) -> tuple[IncidentView, ...]:
    """All incidents in the order in which they were opened, or the one with this id."""
    t = tables.incident
    query = select(t).order_by(t.c.opened_at, t.c.recording_id, t.c.start_ns, t.c.incident_id)
    if incident_id is not None:
        query = query.where(t.c.incident_id == incident_id)
    findings = _grouped(tx, tables.finding.c.incident_id, incident_id, tables.finding.c.start_ns, tables.finding.c.rule)
    records = _grouped(tx, tables.evidence_record.c.incident_id, incident_id, *_RECORD_ORDER)
    f = tables.evidence_file
    files = select(f.c.file_id, f.c.name)
    if incident_id is not None:
        files = files.where(f.c.file_id.in_([r.file_id for r in records[incident_id]]))
    names = {row.file_id: row.name for row in tx.execute(files)}
    views = []
    for row in tx.execute(query):
        try:
            kept = [_record(r, names) for r in records[row.incident_id]]
            views.append(_incident(row, findings[row.incident_id], kept))
        except (ValueError, KeyError) as error:
            raise IntegrityError(
                f"catalog: incident {row.incident_id} holds what the vault never writes ({error}): run evidence verify"
            ) from error
    return tuple(views)


_RECORD_ORDER = [tables.evidence_record.c[name] for name in ("party", "kind", "start_ns", "record_id")]


def _grouped(tx: Connection, owner: Column[Any], incident_id: str | None, *order: Column[Any]) -> dict[str, list[Any]]:
    query = select(owner.table).order_by(*order)
    if incident_id is not None:
        query = query.where(owner == incident_id)
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in tx.execute(query):
        groups[row.incident_id].append(row)
    return groups


def _incident(row: Any, findings: Iterable[Any], records: Iterable[EvidenceRecord]) -> IncidentView:
    return IncidentView(
        incident_id=row.incident_id,
        recording_id=row.recording_id,
        session=row.session,
        stream=row.stream,
        participant=row.participant,
        identity=Identity(row.identity),
        category=row.category,
        severity=Severity(row.severity),
        action=Action(row.action),
        span=Span(start_ns=row.start_ns, end_ns=row.end_ns),
        jurisdiction=row.jurisdiction,
        legal_basis=row.legal_basis,
        review=Review(row.review),
        custody=Custody(row.custody),
        restricted=row.restricted,
        revision=row.revision,
        opened_at=row.opened_at,
        origin=row.origin,
        retention_class=row.retention_class,
        sealed_at=row.sealed_at,
        decided_at=row.decided_at,
        findings=tuple(_finding(f) for f in findings),
        records=tuple(records),
    )


def _finding(row: Any) -> FindingView:
    return FindingView(
        rule=row.rule,
        severity=Severity(row.severity),
        action=Action(row.action),
        span=Span(start_ns=row.start_ns, end_ns=row.end_ns),
        labels=tuple(json.loads(row.labels)),
        models=tuple(json.loads(row.models)),
        score_bucket=row.score_bucket,
        policy=PolicyRef(name=row.policy_name, version=row.policy_version, sha256=row.policy_sha256),
        revision=row.revision,
    )


def _record(row: Any, names: dict[str, str]) -> EvidenceRecord:
    return EvidenceRecord(
        record_id=row.record_id,
        incident_id=row.incident_id,
        kind=Kind(row.kind),
        party=Party(row.party),
        span=Span(start_ns=row.start_ns, end_ns=row.end_ns),
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        content_mac=row.content_mac,
        key_id=row.key_id,
        file=names[row.file_id],
        row=row.row,
        retention_class=row.retention_class,
        sealed_at=utc_parse(row.sealed_at),
    )
