"""The findings of an incident as one draft: which rules fired on which signals, by which policy, from which bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.capture.people import JSON_TYPE, described, json_bytes
from pipeline.core.decision import Finding, Incident, PolicyRef
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.media import Span
from pipeline.core.recording import Recording
from pipeline.core.signal import Score, Signal


def findings_draft(
    incident: Incident,
    recording: Recording,
    policy: PolicyRef,
    *,
    sources: Sequence[Mapping[str, Any]],
    notes: Sequence[str],
) -> Draft:
    """One FINDINGS draft. Wall times of the scan are left out: a rescan under the same terms gives the same bytes.

    Its position is the digest of its bytes, so that what another policy or model found is kept beside it.
    """
    body = {
        "incident": {
            "participant": incident.participant,
            "identity": incident.identity.value,
            "category": incident.category,
            "severity": incident.severity.name.lower(),
            "action": incident.action.value,
            "span": _span(incident.span),
        },
        "policy": {"name": policy.name, "version": policy.version, "sha256": policy.sha256},
        "recording": described(recording),
        "findings": [_finding(f) for f in incident.findings],
        "sources": list(sources),
        "notes": list(notes),
    }
    written = json_bytes(body)
    return Draft(
        kind=Kind.FINDINGS,
        party=Party.SUBJECT,
        stream=recording.stream_id,
        position=hashlib.sha256(written).hexdigest(),
        span=incident.span,
        media_type=JSON_TYPE,
        body=written,
    )


def _span(span: Span | None) -> list[int] | None:
    return None if span is None else [span.start_ns, span.end_ns]


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "category": finding.category,
        "severity": finding.severity.name.lower(),
        "action": finding.action.value,
        "span": _span(finding.span),
        "signals": [_signal(s) for s in finding.signals],
    }


def _signal(signal: Signal) -> dict[str, Any]:
    common = {"label": signal.label, "span": _span(signal.span)}
    if isinstance(signal, Score):
        model = {"name": signal.model.name, "version": signal.model.version, "sha256": signal.model.sha256}
        return {**common, "score": signal.value, "model": model, "repeats": _span(signal.repeats)}
    return {
        **common,
        "bank": signal.bank,
        "entry": signal.entry,
        "algorithm": signal.algorithm,
        "distance": signal.distance,
        "threshold": signal.threshold,
    }
