"""What the manifest said about a recording and its people, as collected.

UNKNOWN is a value, never a null: what was not given stays unknown, is printed so, and the strictest rule applies to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

UNKNOWN = "unknown"


class Identity(StrEnum):
    """How surely a participant is the person a stream shows."""

    VERIFIED = "verified"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


class AgeClass(StrEnum):
    """Age as the platform holds it."""

    ADULT = "adult"
    TEEN = "13_17"
    UNDER_13 = "u13"
    UNKNOWN = "unknown"


class ProvisionMode(StrEnum):
    """Whether data were collected automatically or volunteered by the person."""

    AUTOMATIC = "automatic"
    VOLUNTEERED = "volunteered"
    UNKNOWN = "unknown"


class ParentalConsent(StrEnum):
    """Verifiable parental consent, where it matters (COPPA)."""

    GIVEN = "given"
    REFUSED = "refused"
    NOT_NEEDED = "not_needed"
    UNKNOWN = "unknown"


class Layout(StrEnum):
    """Whether a stream shows one side, or several mixed into one picture."""

    SINGLE = "single"
    COMPOSITE = "composite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Connection data as the platform logged them; `port` is 0 where unknown."""

    ip: str = UNKNOWN
    port: int = 0
    device: str = UNKNOWN
    client: str = UNKNOWN

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"not a port: {self.port}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A person in a session. `handle` is the manifest's name for them; `account` is UNKNOWN for anonymous people."""

    handle: str
    account: str = UNKNOWN
    identity: Identity = Identity.UNKNOWN
    connection: Connection = field(default_factory=Connection)
    language: str = UNKNOWN
    jurisdiction: str = UNKNOWN
    jurisdiction_source: str = UNKNOWN
    age_class: AgeClass = AgeClass.UNKNOWN
    parental_consent: ParentalConsent = ParentalConsent.UNKNOWN
    policy_version: str = UNKNOWN
    provision_mode: ProvisionMode = ProvisionMode.UNKNOWN
    purposes: frozenset[str] | None = None
    """Purposes this person's data may serve; None means unknown (not: none)."""

    def __post_init__(self) -> None:
        if not self.handle:
            raise ValueError("a participant needs a handle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One media file of a recording, beginning `offset_ns` after the recording's start."""

    uri: str
    offset_ns: int = 0

    def __post_init__(self) -> None:
        if not self.uri or self.offset_ns < 0:
            raise ValueError(f"not a part: {self.uri!r} at {self.offset_ns}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A participant's rectangle in a composite picture, in fractions 0..1 of its width and height."""

    handle: str
    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (0 <= self.x < 1 and 0 <= self.y < 1 and self.width > 0 and self.height > 0):
            raise ValueError(f"not a region: {self}")
        if self.x + self.width > 1.0001 or self.y + self.height > 1.0001:
            raise ValueError(f"region of {self.handle!r} leaves the picture")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One stream of one session as recorded: its media parts and all that was said about it.

    `recording_id` and `sha256` are UNKNOWN until the content was read once (see `core.ids.recording_id`).
    `participants` are those this stream shows; `started_at` is aware UTC or None where unknown. `managed`: Watchkeep
    may delete the originals when their ordinary time is over; otherwise it only says so. `chat` is the uri of the
    session's chat log, "" where none was named. Neither is part of what makes a recording the same one.
    """

    parts: tuple[Part, ...]
    recording_id: str = UNKNOWN
    sha256: str = UNKNOWN
    session_id: str = UNKNOWN
    stream_id: str = UNKNOWN
    layout: Layout = Layout.SINGLE
    regions: tuple[Region, ...] = ()
    participants: tuple[Participant, ...] = ()
    started_at: datetime | None = None
    clock_source: str = UNKNOWN
    clock_uncertainty_ms: int | None = None
    policy_version: str = UNKNOWN
    jurisdiction: str = UNKNOWN
    legal_basis: str = UNKNOWN
    managed: bool = False
    chat: str = ""

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a recording has at least one part")
        if self.started_at is not None and self.started_at.utcoffset() is None:
            raise ValueError("a recording's start needs a time zone")
        if self.layout is Layout.COMPOSITE and not self.regions:
            raise ValueError("a composite recording needs its regions")
        known = {p.handle for p in self.participants}
        if stray := [r.handle for r in self.regions if r.handle not in known]:
            raise ValueError(f"regions name participants that are not listed: {stray}")

    @property
    def uri(self) -> str:
        """The first part's uri: the recording's name in reports."""
        return self.parts[0].uri
