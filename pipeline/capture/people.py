"""Connection data of the people a stream shows, one draft each, as the platform gave them; unknown is written out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.core.clock import utc_text
from pipeline.core.decision import Incident
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.recording import UNKNOWN, Participant, Recording

JSON_TYPE = "application/json"


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Canonical JSON: sorted keys, no spaces, ASCII (file names may hold bytes that are no text)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def described(recording: Recording) -> dict[str, Any]:
    """What the manifest said of the stream itself, as JSON values."""
    uncertainty = recording.clock_uncertainty_ms
    return {
        "recording_id": recording.recording_id,
        "sha256": recording.sha256,
        "session_id": recording.session_id,
        "stream_id": recording.stream_id,
        "layout": recording.layout.value,
        "parts": [{"uri": p.uri, "offset_ns": p.offset_ns} for p in recording.parts],
        "started_at": UNKNOWN if recording.started_at is None else utc_text(recording.started_at),
        "clock_source": recording.clock_source,
        "clock_uncertainty_ms": UNKNOWN if uncertainty is None else uncertainty,
        "policy_version": recording.policy_version,
        "jurisdiction": recording.jurisdiction,
        "legal_basis": recording.legal_basis,
    }


def connections(
    incident: Incident, recording: Recording, party: Party, *, sources: Sequence[Mapping[str, Any]]
) -> Iterator[Draft]:
    """One CONNECTION draft per participant of `recording`; one of unknowns where nobody is listed.

    `sources` are the files that were cut, with their digests: each party's stand under that party's key alone.

    In a subject's recording that shows several people, those who are not the incident's participant are counterparts.
    """
    shown = recording.participants or (Participant(handle=UNKNOWN),)
    named = any(p.handle == incident.participant for p in shown)
    for person in shown:
        other = party is Party.SUBJECT and named and person.handle != incident.participant
        yield Draft(
            kind=Kind.CONNECTION,
            party=Party.COUNTERPART if other else party,
            stream=recording.stream_id,
            position=f"{recording.stream_id}/{person.handle}",
            span=incident.span,
            media_type=JSON_TYPE,
            body=json_bytes(
                {
                    "participant": _person(person, recording),
                    "recording": described(recording),
                    "sources": list(sources),
                }
            ),
        )


def _person(person: Participant, recording: Recording) -> dict[str, Any]:
    connection = person.connection
    return {
        "handle": person.handle,
        "account": person.account,
        "identity": person.identity.value,
        "ip": connection.ip,
        "port": connection.port or UNKNOWN,
        "device": connection.device,
        "client": connection.client,
        "language": person.language,
        "jurisdiction": person.jurisdiction,
        "jurisdiction_source": person.jurisdiction_source,
        "age_class": person.age_class.value,
        "parental_consent": person.parental_consent.value,
        "policy_version": person.policy_version,
        "provision_mode": person.provision_mode.value,
        "purposes": UNKNOWN if person.purposes is None else sorted(person.purposes),
        "regions": [[r.x, r.y, r.width, r.height] for r in recording.regions if r.handle == person.handle],
    }
