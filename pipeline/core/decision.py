"""Decisions and incidents: what the policy made of the signals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from pipeline.core.media import Span
from pipeline.core.recording import Identity
from pipeline.core.signal import Signal


class Severity(IntEnum):
    """Harm, least first; SEVERE restricts who may look and who may decide."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    SEVERE = 4


class Action(StrEnum):
    """What a rule asks for. Only INTERRUPT acts on a person without a person deciding."""

    RECORD = "record"
    REVIEW = "review"
    ESCALATE = "escalate"
    INTERRUPT = "interrupt"

    @property
    def automatic(self) -> bool:
        """True if it reaches the participant before a human looked."""
        return self is Action.INTERRUPT


class Review(StrEnum):
    """Where a person's judgement stands."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    NOT_NEEDED = "not_needed"
    """Kept by order and not for what it shows: there is nothing to judge."""


class Custody(StrEnum):
    """Where the evidence stands (the destroy machine)."""

    ACTIVE = "active"
    DELETING = "deleting"
    KEY_DESTROYED = "key_destroyed"
    PURGED = "purged"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRef:
    """The policy by name, version and the sha256 of its file."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that fired, on which span, and the signals that made it fire (in order of media time)."""

    rule: str
    category: str
    severity: Severity
    action: Action
    span: Span
    signals: tuple[Signal, ...]

    def __post_init__(self) -> None:
        if not self.signals:
            raise ValueError(f"rule {self.rule} fired on nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the policy says of one stream. `degraded` names the detectors that did not speak: never "clean"."""

    stream_id: str
    findings: tuple[Finding, ...]
    policy: PolicyRef
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One category of abuse on one stretch of one stream: the unit of review and of erasure.

    `participant` is the handle of the person the stream shows, with `identity` saying how surely; UNKNOWN if nobody is
    named. `action` is already weakened to REVIEW where the identity is not verified and the rule was automatic.
    """

    incident_id: str
    recording_id: str
    session_id: str
    stream_id: str
    participant: str
    identity: Identity
    category: str
    severity: Severity
    action: Action
    span: Span
    findings: tuple[Finding, ...]
    opened_at: datetime
    review: Review = Review.OPEN
    custody: Custody = Custody.ACTIVE
    restricted: bool = False
    revision: int = 1
