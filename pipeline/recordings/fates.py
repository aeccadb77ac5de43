"""What ordinary deletion does with the platform's files, and what it says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

TOLD_KEPT = timedelta(days=30)
"""What the platform was told to delete is listed for this long; the list names files, so it is forgotten too."""

OURS = "managed: removed if it is still what was scanned"
YOURS = "not managed: yours to delete"
CHAT = "a chat log: yours to delete"
SHARED = "another recording's too: goes with that one"
ANEW = "a scan registered it anew after it was to be removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a deletion means for one file: it `removes` it, or not, and why."""

    uri: str
    removes: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A file that the platform has to delete, or look at, itself; since when, and why."""

    uri: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a deletion did: recordings forgotten, originals removed, files that the platform was `told` of, originals
    `waiting` to be removed by the next deletion or scan. `emptied` is False if another process that was just looking
    kept traces in the write-ahead log; the next deletion or scan empties it.
    """

    recordings: int
    removed: int
    told: tuple[Told, ...]
    waiting: tuple[Told, ...]
    emptied: bool
