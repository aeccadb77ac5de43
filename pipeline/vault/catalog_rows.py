"""The rows that a conclusion writes into the catalog: words for categories and rules, pseudonyms for names."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pipeline.core.clock import utc_text
from pipeline.core.decision import Custody, Finding, Incident, PolicyRef
from pipeline.core.ids import keyed_id
from pipeline.core.recording import Recording
from pipeline.core.retention import UNCONFIRMED
from pipeline.vault.provenance import known, labels_of, models_of, pseudonym, score_bucket, subject_of

DETECTED = "auto_detect"
"""The origin of what a scan found."""

ORDERED = "order"
"""The origin of what was preserved because an order names a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What is concluded of one recording, by which run and under which policy.

    `counterpart` is the other side's recording. `origin` and `retention_class` are those of what is sealed with it.
    """

    conclusion_id: str
    run_id: str
    recording: Recording
    counterpart: Recording | None
    policy: PolicyRef
    degraded: tuple[str, ...]
    installation_key: bytes
    origin: str = DETECTED
    retention_class: str = UNCONFIRMED


def conclusion_row(said: Conclusion, ids: tuple[str, ...], at: str) -> dict[str, str]:
    """The row of a conclusion that named these incidents, in order."""
    return {
        "conclusion_id": said.conclusion_id,
        "recording_id": said.recording.recording_id,
        "run_id": said.run_id,
        **_policy(said.policy),
        "degraded": json.dumps(said.degraded),
        "incidents": json.dumps(ids),
        "concluded_at": at,
    }


def incident_row(said: Conclusion, incident: Incident, sealed_at: str) -> dict[str, object]:
    """The row of a new incident, nobody named; its review and restriction are what `incident` says."""
    person = subject_of(incident, said.recording)
    return {
        "incident_id": incident.incident_id,
        "recording_id": incident.recording_id,
        "session": pseudonym(said.installation_key, "session", incident.session_id),
        "stream": pseudonym(said.installation_key, "stream", incident.stream_id),
        "participant": pseudonym(said.installation_key, "participant", incident.participant),
        "identity": incident.identity.value,
        "category": incident.category,
        "detected_as": incident.category,
        "severity": int(incident.severity),
        "action": incident.action.value,
        "start_ns": incident.span.start_ns,
        "end_ns": incident.span.end_ns,
        "jurisdiction": known(person.jurisdiction, said.recording.jurisdiction),
        "legal_basis": said.recording.legal_basis,
        "review": incident.review.value,
        "custody": Custody.ACTIVE.value,
        "restricted": incident.restricted,
        "revision": 1,
        "opened_at": utc_text(incident.opened_at),
        "origin": said.origin,
        "retention_class": said.retention_class,
        "sealed_at": sealed_at,
        "decided_at": "",
        "floor_at": "",
    }


def finding_row(said: Conclusion, incident_id: str, revision: int, finding: Finding) -> dict[str, object]:
    """The row of a finding; the same finding by the same policy and models always has the same id."""
    labels, models = labels_of(finding.signals), models_of(finding.signals)
    span = finding.span
    place = (incident_id, finding.rule, finding.category, span.start_ns, span.end_ns, said.policy.sha256)
    return {
        "finding_id": keyed_id(said.installation_key, "finding", *place, *labels, *models),
        "incident_id": incident_id,
        "revision": revision,
        "conclusion_id": said.conclusion_id,
        "rule": finding.rule,
        "category": finding.category,
        "severity": int(finding.severity),
        "action": finding.action.value,
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
        "labels": json.dumps(labels),
        "models": json.dumps(models),
        "signals": len(finding.signals),
        "score_bucket": score_bucket(finding.signals),
        **_policy(said.policy),
    }


def _policy(policy: PolicyRef) -> dict[str, str]:
    return {f"policy_{name}": value for name, value in asdict(policy).items()}
