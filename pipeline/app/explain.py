"""Explanations: why evidence and ordinary content are still here, in both worlds, as plain JSON values."""

from __future__ import annotations

from typing import Any

from pipeline.app import look, recordings
from pipeline.app.desk import Sitting, named, sitting
from pipeline.app.home import Home
from pipeline.core.clock import utc_text
from pipeline.custody import explain as explanations
from pipeline.custody.explain import sees_all
from pipeline.vault.holds import Holds
from pipeline.vault.requests import Requests


def explain(home: Home, name: str | None, *, incident: str, account: str, record: str) -> dict[str, Any]:
    """Explain one incident, one record, or all there is on an account: evidence, and what is stored ordinarily."""
    with sitting(home, name) as here:
        if account:
            hidden = frozenset[str]() if sees_all(here.person) else Holds(here.desk.parts).hidden()
            parties = [(i, p) for i, p in Requests(here.desk.parts).incidents_of(account) if i not in hidden]
            found = [_incident(here, i, f"this account is its {party.value}") for i, party in parties]
            return {"incidents": found, "recordings": _ordinary(home, account)}
        if record:
            incident_id, words = _of_record(here, record)
            return {"incidents": [_incident(here, incident_id, words)], "recordings": []}
        return {"incidents": [_incident(here, named(here, incident), "")], "recordings": []}


def _of_record(here: Sitting, beginning: str) -> tuple[str, str]:
    record_id, incident_id = look.record(here.desk.vault, beginning, legal=sees_all(here.person))
    kept = next(r for r in here.desk.vault.incident(incident_id).records if r.record_id == record_id)
    return incident_id, f"record {record_id} is a {kept.kind.value} of the {kept.party.value}'s side"


def _incident(here: Sitting, incident_id: str, about: str) -> dict[str, Any]:
    said = explanations.explain(here.desk, incident_id, by=here.person)
    return {
        "incident_id": incident_id,
        "about": about,
        "verdict": said.verdict,
        "due_at": utc_text(said.due_at) if said.due_at else "unknown",
        "words": list(said.words),
    }


def _ordinary(home: Home, account: str) -> list[dict[str, Any]]:
    return [
        {
            "recording_id": r["recording_id"],
            "uri": r["uri"],
            "registered_at": r["registered_at"],
            "deadline": r["deadline"],
        }
        for r in recordings.listed(home, {"account": account})["recordings"]
    ]
