"""What the platform ordinarily holds, as values: a recording at the place where a scan saw it, and what to look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pipeline.core.recording import UNKNOWN, Recording
from pipeline.recordings.originals import Original

Key = tuple[str, bytes]
"""recording_id and uri_mac: one row."""


class Read(StrEnum):
    """How much of a recording could be read; NONE also where it was not permitted."""

    WHOLE = "whole"
    PART = "part"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A recording that the platform ordinarily holds, with all that its manifest said (an entry of an older program has
    no connection data and no originals).

    `counts_from` is the beginning of its ordinary time: `started_at` where it is known and not after `registered_at`,
    when a scan first saw it; else that. `facts` are what the scan added.
    """

    key: Key = field(repr=False)
    recording: Recording
    read: Read
    registered_at: datetime
    counts_from: datetime
    originals: tuple[Original, ...]
    facts: Mapping[str, Any]

    def deadline(self, keep: timedelta | None) -> datetime | None:
        """When its ordinary time is over; None without one."""
        return None if keep is None else self.counts_from + keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for; a row must meet all that is given. `before`: whose time began at or before it."""

    account: str = ""
    participant: str = ""
    stream: str = ""
    session: str = ""
    recording: str = ""
    before: datetime | None = None

    @property
    def everything(self) -> bool:
        """True if nothing is asked for."""
        return self == Wanted()

    def names(self) -> tuple[tuple[str, str], ...]:
        """The look-ups by name, as (kind, text)."""
        given = (
            ("account", self.account),
            ("handle", self.participant),
            ("stream", self.stream),
            ("session", self.session),
        )
        return tuple((kind, text) for kind, text in given if text)


def names_of(recording: Recording) -> tuple[tuple[str, str], ...]:
    """Everything `recording` is found by, as (kind, text); what is unknown names nobody."""
    people = [
        (kind, text) for p in recording.participants for kind, text in (("account", p.account), ("handle", p.handle))
    ]
    said = [*people, ("stream", recording.stream_id), ("session", recording.session_id)]
    return tuple(dict.fromkeys((kind, text) for kind, text in said if text != UNKNOWN))


def described(recording: Recording) -> bool:
    """True if a manifest said anything of whose it is: a file that only lay in a folder may be no recording at all."""
    return bool(names_of(recording)) or recording.managed
