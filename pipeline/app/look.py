"""What runs did and what was flagged, as plain JSON values; evidence stays sealed."""

from __future__ import annotations

from typing import Any

from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.core.clock import utc_text
from pipeline.core.errors import ConfigError
from pipeline.core.evidence import EvidenceRecord
from pipeline.core.media import NS, Span
from pipeline.recordings.ledger import Ledger, Run
from pipeline.vault.cases import Cases
from pipeline.vault.holds import Holds
from pipeline.vault.vault import Vault
from pipeline.vault.views import FindingView, IncidentView


def runs(home: Home) -> list[dict[str, Any]]:
    """All runs, newest first; looking makes nothing where nothing was scanned."""
    installation = Installation.open(home)
    if not installation.home.recordings.exists():
        return []
    ledger = installation.ledger()
    try:
        return [_run(run) for run in ledger.runs()]
    finally:
        ledger.close()


def run(home: Home, run_id: str) -> dict[str, Any]:
    """One run with its recordings; `last` is the newest, and an unambiguous beginning of an id is enough."""
    installation = Installation.open(home)
    if not installation.home.recordings.exists():
        raise ConfigError(_nothing(home))
    ledger = installation.ledger()
    try:
        found = _named(ledger, run_id)
        return {**_run(found), "totals": dict(found.totals), "recordings": list(ledger.run_recordings(found.run_id))}
    finally:
        ledger.close()


def _named(ledger: Ledger, run_id: str) -> Run:
    known = ledger.runs()
    matching = known[:1] if run_id == "last" else [r for r in known if run_id and r.run_id.startswith(run_id)]
    if len(matching) == 1:
        return matching[0]
    begin = "several runs begin" if matching else "no run begins"
    raise ConfigError(f"{begin} with {run_id!r}: `watchkeep runs list` names them")


def _run(found: Run) -> dict[str, Any]:
    state = "stopped" if found.finished_at else "cut off or running"
    return {
        "run_id": found.run_id,
        "started_at": utc_text(found.started_at),
        "finished_at": utc_text(found.finished_at) if found.finished_at else "unknown",
        "state": "complete" if found.complete else state,
        "actor": found.actor,
        "command": found.command,
        "recordings": found.totals.get("recordings", 0),
        "incidents": found.totals.get("incidents", 0),
    }


def incidents(home: Home, *, legal: bool = False) -> list[dict[str, Any]]:
    """All incidents, newest first; looking makes nothing where nothing was sealed.

    Without `legal` none that would tell of a confidential hold.
    """
    installation = Installation.open(home)
    if untouched(installation):
        return []
    with open_vault(installation) as vault:
        return [_incident(view) for view in reversed(_shown(vault, legal=legal))]


def _shown(vault: Vault, *, legal: bool) -> list[IncidentView]:
    hidden = frozenset[str]() if legal else Holds(vault.parts).hidden()
    return [view for view in vault.incidents() if view.incident_id not in hidden]


def incident(home: Home, incident_id: str, *, legal: bool = False) -> dict[str, Any]:
    """One incident with findings and records, as `incidents` shows them; a beginning of its id is enough."""
    with open_vault(Installation.open(home)) as vault:
        hidden = frozenset[str]() if legal else Holds(vault.parts).hidden()
        known = Cases(vault.parts).beginning(incident_id) if incident_id else ()
        matching = [i for i in known if i not in hidden]
        if len(matching) != 1:
            many = "several incidents begin" if matching else "no incident begins"
            raise ConfigError(f"{many} with {incident_id!r}: `watchkeep incidents list` names them")
        view = vault.incident(matching[0])
        return {
            **_incident(view),
            "findings": [_finding(f) for f in view.findings],
            "evidence": [_record(r) for r in view.records],
        }


def record(vault: Vault, beginning: str, *, legal: bool) -> tuple[str, str]:
    """The whole ids of a record and of its incident, from the beginning of the former; ConfigError as for `incident`.

    Without `legal` no record that would tell of a confidential hold is there.
    """
    hidden = frozenset[str]() if legal else Holds(vault.parts).hidden()
    known = vault.records_beginning(beginning) if beginning else ()
    matching = [(record_id, incident_id) for record_id, incident_id in known if incident_id not in hidden]
    if len(matching) == 1:
        return matching[0]
    begin = "several records begin" if matching else "no record begins"
    raise ConfigError(f"{begin} with {beginning!r}: `watchkeep incidents show ID` names those of an incident")


def open_vault(installation: Installation) -> Vault:
    """The vault that is there; ConfigError where nothing was ever sealed, instead of a new and empty one."""
    if untouched(installation):
        raise ConfigError(_nothing(installation.home))
    return installation.vault()


def untouched(installation: Installation) -> bool:
    """True if nothing was ever kept here. Keys without a home are no fresh start: the vault says what is missing."""
    home = installation.home
    return not home.used and not (home.keys / "vault").exists()


def _nothing(home: Home) -> str:
    return f"nothing was scanned in {home.root} yet: `watchkeep scan` starts it, or name the right --home"


def _incident(view: IncidentView) -> dict[str, Any]:
    return {
        "incident_id": view.incident_id,
        "recording_id": view.recording_id,
        "session": view.session,
        "stream": view.stream,
        "participant": view.participant,
        "identity": view.identity.value,
        "category": view.category,
        "severity": view.severity.name.lower(),
        "action": view.action.value,
        **_seconds(view.span),
        "jurisdiction": view.jurisdiction,
        "legal_basis": view.legal_basis,
        "retention_class": view.retention_class,
        "review": view.review.value,
        "custody": view.custody.value,
        "restricted": view.restricted,
        "revision": view.revision,
        "opened_at": view.opened_at,
        "records": len(view.records),
    }


def _finding(view: FindingView) -> dict[str, Any]:
    return {
        "rule": view.rule,
        **_seconds(view.span),
        "score": view.score_bucket,
        "labels": list(view.labels),  # labels have commas in them
        "models": list(view.models),
        "policy": f"{view.policy.name} {view.policy.version} {view.policy.sha256[:12]}",
        "revision": view.revision,
    }


def _record(record: EvidenceRecord) -> dict[str, Any]:
    return {
        "record_id": record.record_id,
        "kind": record.kind.value,
        "party": record.party.value,
        **_seconds(record.span),
        "media_type": record.media_type,
        "size": record.size,
        "sha256_sealed": record.sha256,
        "content_mac": record.content_mac,
        "retention_class": record.retention_class,
        "sealed_at": utc_text(record.sealed_at),
    }


def _seconds(span: Span) -> dict[str, float]:
    return {"start_s": span.start_ns / NS, "end_s": span.end_ns / NS}
