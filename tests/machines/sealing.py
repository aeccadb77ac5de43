"""What a scan brings: recordings of two parties with evidence of some bytes, sealed through the vault itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.core.decision import Action, Finding, Incident, PolicyRef, Severity
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.ids import keyed_id
from pipeline.core.media import NS, Span
from pipeline.core.recording import Identity, Part, Participant, Recording
from pipeline.core.signal import ModelRef, Score
from tests.machines.model import COUNTERPART, SUBJECT, canary
from tests.machines.rulebook import CATEGORIES
from tests.machines.world import BEGINNING, INSTALLATION_KEY

POLICY = PolicyRef(name="video-chat", version="1", sha256="ab" * 32)
SPAN = Span(start_ns=NS, end_ns=2 * NS)

Pair = tuple[Incident, Sequence[Draft]]


def recording(number: int, account: str, other: str, *, basis: str, jurisdiction: str) -> Recording:
    """A recording of `account`, with `other` in the same session."""
    people = tuple(
        Participant(
            handle=f"handle-{name}",
            account=name,
            identity=Identity.VERIFIED,
            jurisdiction=jurisdiction,
            policy_version="2026-11",
            purposes=frozenset({"DETECT"}),
        )
        for name in (account, other)
    )
    return Recording(
        parts=(Part(uri=f"secret-uri-{number}.mp4"),),
        recording_id=keyed_id(INSTALLATION_KEY, "recording", number),
        sha256="cd" * 32,
        session_id=f"secret-session-{number}",
        stream_id=f"secret-stream-{number}",
        participants=people,
        jurisdiction=jurisdiction,
        legal_basis=basis,
    )


def pairs(of: Recording, names: dict[str, str]) -> Iterator[Pair]:
    """An incident with its evidence for each category of `names`, which says what the incident is called."""
    model = ModelRef(name="model", version="1", sha256="ef" * 32)
    score = Score(span=SPAN, label="model.label", value=0.9, model=model)
    for category, name in names.items():
        severity = CATEGORIES[category].severity
        action = Action.ESCALATE if severity >= Severity.SEVERE else Action.REVIEW
        found = Finding(rule="rule", category=category, severity=severity, action=action, span=SPAN, signals=(score,))
        incident = Incident(
            incident_id=keyed_id(INSTALLATION_KEY, "incident", of.recording_id, category),
            recording_id=of.recording_id,
            session_id=of.session_id,
            stream_id=of.stream_id,
            participant=of.participants[0].handle,
            identity=Identity.VERIFIED,
            category=category,
            severity=severity,
            action=action,
            span=SPAN,
            findings=(found,),
            opened_at=BEGINNING,
        )
        yield incident, tuple(drafts(name, of.stream_id))


def drafts(name: str, stream: str) -> Iterator[Draft]:
    """A picture of each party and the subject's connection, each with a canary."""
    for kind, party in ((Kind.FRAME, SUBJECT), (Kind.CONNECTION, SUBJECT), (Kind.FRAME, COUNTERPART)):
        yield Draft(
            kind=kind,
            party=Party(party),
            stream=stream,
            position="1",
            span=SPAN,
            media_type="image/jpeg" if kind is Kind.FRAME else "application/json",
            body=body(name, kind.value, party),
            facts={"said": canary(f"facts {name}").hex()},
        )


def body(name: str, kind: str, party: str) -> bytes:
    return canary(f"{name} {kind} {party}")
