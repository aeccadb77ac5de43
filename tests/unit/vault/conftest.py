"""A vault with two-party evidence in it, full of canaries that must never lie on a disk in the clear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.core.decision import Action, Finding, Incident, PolicyRef, Severity
from pipeline.core.evidence import Draft, Kind, Party
from pipeline.core.ids import keyed_id
from pipeline.core.media import NS, Span
from pipeline.core.recording import Connection, Identity, Part, Participant, Recording
from pipeline.core.signal import ModelRef, Score
from pipeline.vault.vault import Vault

MASTER = bytes(range(32))
INSTALLATION_KEY = bytes(range(1, 33))
POLICY = PolicyRef(name="video-chat", version="1", sha256="ab" * 32)

JPEG = b"\xff\xd8\xff\xe0CANARY-JPEG-" + bytes(range(256)) * 4
CANARIES = (
    JPEG[4:60],
    b"canary-account",
    b"canary-handle",
    b"203.0.113.77",
    b"canary-uri",
    b"canary-session",
    b"canary-stream",
)


class StepClock:
    """A second later at every reading."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def span(start_s: float, end_s: float) -> Span:
    return Span(start_ns=int(start_s * NS), end_ns=int(end_s * NS))


def recording(number: int = 0, **changes: object) -> Recording:
    person = Participant(
        handle="canary-handle",
        account="canary-account",
        identity=Identity.VERIFIED,
        connection=Connection(ip="203.0.113.77"),
        jurisdiction="NL",
        policy_version="nl-2026-03",
        purposes=frozenset({"DETECT"}),
    )
    whole = Recording(
        parts=(Part(uri=f"canary-uri-{number}.mp4"),),
        recording_id=keyed_id(INSTALLATION_KEY, "recording", number),
        sha256="cd" * 32,
        session_id="canary-session",
        stream_id="canary-stream",
        participants=(person,),
        jurisdiction="US",
        legal_basis="LEGIT_INTEREST",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def finding(at: Span, *, rule: str = "nudity", category: str = "nudity", value: float = 0.93) -> Finding:
    score = Score(
        span=at, label="opennsfw.nsfw", value=value, model=ModelRef(name="opennsfw", version="1", sha256="ef" * 32)
    )
    return Finding(
        rule=rule, category=category, severity=Severity.HIGH, action=Action.REVIEW, span=at, signals=(score,)
    )


def incident(
    of: Recording, at: Span, *, category: str = "nudity", severity: Severity = Severity.HIGH, rule: str = "nudity"
) -> Incident:
    return Incident(
        incident_id=keyed_id(INSTALLATION_KEY, "incident", of.recording_id, category, at.start_ns),
        recording_id=of.recording_id,
        session_id=of.session_id,
        stream_id=of.stream_id,
        participant="canary-handle",
        identity=Identity.VERIFIED,
        category=category,
        severity=severity,
        action=Action.REVIEW,
        span=at,
        findings=(finding(at, category=category, rule=rule),),
        opened_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


def draft(at: Span, *, kind: Kind = Kind.FRAME, party: Party = Party.SUBJECT, body: bytes = JPEG) -> Draft:
    return Draft(
        kind=kind,
        party=party,
        stream="canary-stream" if party is Party.SUBJECT else "canary-stream-2",
        position=str(at.start_ns),
        span=at,
        media_type="image/jpeg",
        body=body,
        facts={"score": 0.93, "handle": "canary-handle", "file": "canary-uri\udcff"},
    )


def drafts(at: Span) -> tuple[Draft, ...]:
    return (
        draft(at),
        draft(at, kind=Kind.AUDIO, body=b"fLaC" + JPEG * 3),
        draft(at, party=Party.COUNTERPART, body=JPEG[::-1]),
        draft(at, kind=Kind.CONNECTION, body=b'{"ip":"203.0.113.77","account":"canary-account"}'),
        draft(at, kind=Kind.PACKETS, body=b""),
    )


@dataclass
class Place:
    """Where one installation lies, and how to open its vault."""

    root: Path
    clock: StepClock = field(default_factory=StepClock)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    def open(self) -> Vault:
        return Vault.open(self.home, self.keys, master=MASTER, installation_key=INSTALLATION_KEY, clock=self.clock)

    def files(self) -> list[Path]:
        return sorted(p for p in (self.home / "vault").rglob("*") if p.is_file())


def seal_one(
    vault: Vault,
    of: Recording,
    pairs: Sequence[tuple[Incident, Sequence[Draft]]],
    *,
    conclusion: str = "c1",
    run: str = "run-1",
    policy: PolicyRef = POLICY,
    merge_gap_ns: int = 5 * NS,
) -> tuple[str, ...]:
    return vault.conclude(conclusion, run, of, pairs, policy=policy, merge_gap_ns=merge_gap_ns)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def vault(place: Place) -> Iterator[Vault]:
    with place.open() as opened:
        opened.begin_run("run-1", "os:ada(1000)")
        yield opened


@pytest.fixture
def sealed(vault: Vault) -> Vault:
    """One recording with two incidents of two parties."""
    of = recording()
    seal_one(
        vault,
        of,
        [
            (incident(of, span(1, 2)), drafts(span(1, 2))),
            (incident(of, span(1, 2), category="weapon", severity=Severity.SEVERE), drafts(span(1, 2))),
        ],
    )
    return vault
