"""The written form of what leaves: each thing has exactly one, so that a changed byte is always seen.

Refuses to know whether it is true.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline.core.canonical import canonical
from pipeline.core.chain import key_name

EXPORT = "watchkeep audit export 1"
CERTIFICATE = "watchkeep destruction certificate 1"

ISSUE = "certificate.issue"
"""Verb of the entry whose `after` is the digest of a certificate's statement."""


def header_line(key: bytes, entries: int) -> bytes:
    """First line of an export: the public key that signed it, and how many entries follow."""
    header: dict[str, object] = {"entries": entries, "format": EXPORT, "key": key.hex(), "key_name": key_name(key)}
    return canonical(header) + b"\n"


def checkpoint_line(note: str) -> bytes:
    """Last line of an export."""
    return canonical({"checkpoint": note}) + b"\n"


def certificate_bytes(document: dict[str, Any]) -> bytes:
    """A certificate as a file that people can read, too."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def subject_of(incident_id: str) -> str:
    """What the entry about a certificate names."""
    return f"certificate:{incident_id}"
