"""What the rows of evidence and findings say about where they come from.

Readable with the file key: who is not named, rules, models, policy, and the terms under which data were collected.
Sealed: pseudonyms, uris, times, and what capture knew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pipeline import __version__
from pipeline.core.clock import utc_text
from pipeline.core.decision import Finding, Incident
from pipeline.core.evidence import Draft, Party
from pipeline.core.ids import keyed_id
from pipeline.core.recording import UNKNOWN, Participant, Recording
from pipeline.core.signal import Score, Signal

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,63}")
CAPTURE_TOOL = f"watchkeep {__version__}"


def models_of(signals: Iterable[Signal]) -> list[str]:
    """Models as name@version:sha256 and banks as bank:name, sorted, each once."""
    return sorted(
        {
            f"{s.model.name}@{s.model.version}:{s.model.sha256}" if isinstance(s, Score) else f"bank:{s.bank}"
            for s in signals
        }
    )


def labels_of(signals: Iterable[Signal]) -> list[str]:
    """Labels, sorted, each once."""
    return sorted({s.label for s in signals})


def score_bucket(signals: Iterable[Signal]) -> str:
    """The tenth in which the highest score lies, e.g. "0.8-0.9", or "match" where no classifier spoke."""
    scores = [s.value for s in signals if isinstance(s, Score)]
    if not scores:
        return "match"
    tenth = min(9, int(max(scores) * 10))
    return f"{tenth / 10:.1f}-{(tenth + 1) / 10:.1f}"


def signals_of(findings: Iterable[Finding]) -> list[Signal]:
    """All signals behind `findings`."""
    return [s for f in findings for s in f.signals]


def subject_of(incident: Incident, recording: Recording) -> Participant:
    """The person the incident is about; a participant of unknowns unless exactly one is named."""
    people = [p for p in recording.participants if p.handle == incident.participant]
    return people[0] if len(people) == 1 else Participant(handle=UNKNOWN)


def known(*values: str) -> str:
    """The first that is known, else "unknown"."""
    return next((v for v in values if v != UNKNOWN), UNKNOWN)


def pseudonym(installation_key: bytes, kind: str, name: str) -> str:
    """The keyed pseudonym of a name in the catalog; what is unknown stays so."""
    return UNKNOWN if name == UNKNOWN else keyed_id(installation_key, f"pseudonym/{kind}", name)


def code(text: str) -> str:
    """`text` if it can be the code of something, else "unknown": what was told of a person may hold an address or name.

    It stays in the connection data, which are sealed, as it was told.
    """
    return text if _CODE.fullmatch(text) else UNKNOWN


def terms(incident: Incident, recording: Recording, party: Party) -> dict[str, Any]:
    """The columns of an evidence row on collection terms: as told for the subject, unknown for the counterpart."""
    if party is Party.COUNTERPART:
        return {
            "provision_mode": UNKNOWN,
            "privacy_policy_version": UNKNOWN,
            "legal_basis": UNKNOWN,
            "purposes": [UNKNOWN],
            "jurisdiction": UNKNOWN,
        }
    person = subject_of(incident, recording)
    return {
        "provision_mode": person.provision_mode.value,
        "privacy_policy_version": code(known(person.policy_version, recording.policy_version)),
        "legal_basis": recording.legal_basis,
        "purposes": [UNKNOWN] if person.purposes is None else sorted({code(p) for p in person.purposes}),
        "jurisdiction": known(person.jurisdiction, recording.jurisdiction),
    }


def facts(incident: Incident, recording: Recording, draft: Draft, sha256: str, sealed_at: str) -> bytes:
    """JSON of what is sealed beside a record's bytes; the counterpart's holds nothing that names the subject."""
    said: dict[str, object] = {
        "position": draft.position,
        "stream": draft.stream,
        "session": recording.session_id,
        "span": [draft.span.start_ns, draft.span.end_ns],
        "sha256": sha256,
        "size": len(draft.body),
        "sealed_at": sealed_at,
        "facts": dict(draft.facts),
    }
    if draft.party is Party.SUBJECT:
        uncertainty = recording.clock_uncertainty_ms
        said |= {
            "participant": incident.participant,
            "identity": incident.identity.value,
            "recording_sha256": recording.sha256,
            "parts": [[p.uri, p.offset_ns] for p in recording.parts],
            "started_at": UNKNOWN if recording.started_at is None else utc_text(recording.started_at),
            "clock_source": recording.clock_source,
            "clock_uncertainty_ms": UNKNOWN if uncertainty is None else uncertainty,
        }
    # ASCII, because file names may hold bytes that are no text.
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode("ascii")
