"""Evidence values: what capture hands to the vault, and what the vault gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pipeline.core.media import Span


class Kind(StrEnum):
    """What one item of evidence is."""

    FRAME = "frame"
    DERIVATIVE = "derivative"
    AUDIO = "audio"
    PACKETS = "packets"
    CONNECTION = "connection"
    FINDINGS = "findings"
    ORIGINAL = "original"
    """Piece of an ordinary file as the platform stored it, preserved by order."""
    CHAT = "chat"
    """Piece of a chat log, preserved by order."""


class Party(StrEnum):
    """Whose data an item is: each party of an incident has a key of its own."""

    SUBJECT = "subject"
    COUNTERPART = "counterpart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One item of evidence in the clear, not yet sealed: lives in memory only.

    `position` tells items of one kind apart within an incident and party (e.g. a frame's time in ns).
    `facts` are sealed beside the bytes (scores, model digests, identities): JSON values only.
    """

    kind: Kind
    party: Party
    stream: str
    position: str
    span: Span
    media_type: str
    body: bytes = field(repr=False)
    facts: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """One sealed item. `sha256` is of the ciphertext: custody can be shown without a matchable plaintext hash."""

    record_id: str
    incident_id: str
    kind: Kind
    party: Party
    span: Span
    media_type: str
    size: int
    sha256: str
    content_mac: str
    key_id: str
    file: str
    row: int
    retention_class: str
    sealed_at: datetime
