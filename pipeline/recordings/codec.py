"""A Recording as JSON values and back, exactly: what roll and holdings keep (sealed) of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pipeline.core.recording import (
    AgeClass,
    Connection,
    Identity,
    Layout,
    ParentalConsent,
    Part,
    Participant,
    ProvisionMode,
    Recording,
    Region,
)


def to_json(recording: Recording) -> dict[str, Any]:
    """Every field of `recording`; enums by value, times in ISO 8601, purposes sorted."""
    body = asdict(recording)
    body["started_at"] = recording.started_at.isoformat() if recording.started_at else None
    for person, given in zip(body["participants"], recording.participants, strict=True):
        person["purposes"] = None if given.purposes is None else sorted(given.purposes)
    return body


def from_json(body: dict[str, Any]) -> Recording:
    """The inverse of `to_json`."""
    started = body["started_at"]
    return Recording(
        **{
            **body,
            "parts": tuple(Part(**p) for p in body["parts"]),
            "layout": Layout(body["layout"]),
            "regions": tuple(Region(**r) for r in body["regions"]),
            "participants": tuple(_participant(p) for p in body["participants"]),
            "started_at": None if started is None else datetime.fromisoformat(started),
        }
    )


def recalled(recording_id: str, details: dict[str, Any], started_at: str | None) -> dict[str, Any]:
    """What an older program kept of a recording, in the form of `to_json`; what it did not keep is unknown."""
    return {
        "recording_id": recording_id,
        "parts": details["parts"],
        "session_id": details["session_id"],
        "stream_id": details["stream_id"],
        "layout": Layout.SINGLE.value,
        "regions": [],
        "started_at": started_at,
        "participants": [
            {
                "identity": Identity.UNKNOWN.value,
                "connection": {},
                "parental_consent": ParentalConsent.UNKNOWN.value,
                "purposes": None,
                **person,
            }
            for person in details["participants"]
        ],
    }


def _participant(body: dict[str, Any]) -> Participant:
    purposes = body["purposes"]
    return Participant(
        **{
            **body,
            "identity": Identity(body["identity"]),
            "connection": Connection(**body["connection"]),
            "age_class": AgeClass(body["age_class"]),
            "parental_consent": ParentalConsent(body["parental_consent"]),
            "provision_mode": ProvisionMode(body["provision_mode"]),
            "purposes": None if purposes is None else frozenset(purposes),
        }
    )
