"""Whether a recording falls under an order that names a person and a time; doubt counts as in scope, and is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.recording import Recording
from pipeline.recordings.held import Held, Read
from pipeline.recordings.originals import Original

LONGEST = timedelta(days=1)
"""A recording whose length nobody read is taken to be no longer than this."""

UNKNOWN_START = "nobody said when it began"
UNKNOWN_LENGTH = "nobody could read how long it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoped:
    """One recording to copy: as the manifest gave it (people, connections, chat), where its files lay and what they
    were when a scan saw them, and `doubt` ("" where its time is sure)."""

    recording: Recording
    registered_at: datetime
    originals: tuple[Original, ...]
    read: Read
    doubt: str


def scoped(found: Held, begin: datetime | None, end: datetime | None) -> Scoped | None:
    """`found` if it may overlap [begin, end), else None; the clock's stated uncertainty widens its time both ways."""
    recording = found.recording
    doubt = ""
    if recording.started_at is None:
        doubt = UNKNOWN_START
    else:
        around = timedelta(milliseconds=recording.clock_uncertainty_ms or 0)
        length = _length(found)
        if end is not None and recording.started_at - around >= end:
            return None
        if begin is not None and recording.started_at + (length or LONGEST) + around < begin:
            return None
        if length is None and begin is not None and recording.started_at - around < begin:
            doubt = UNKNOWN_LENGTH
    return Scoped(
        recording=recording,
        registered_at=found.registered_at,
        originals=found.originals,
        read=found.read,
        doubt=doubt,
    )


def _length(found: Held) -> timedelta | None:
    """From its start to the end of its last part; None if a part was not read."""
    if found.read is not Read.WHOLE:
        return None
    durations = found.facts.get("duration_ns", ())
    if len(durations) != len(found.recording.parts) or not all(durations):
        return None
    end_ns = max(part.offset_ns + ns for part, ns in zip(found.recording.parts, durations, strict=True))
    return timedelta(microseconds=end_ns / 1000)
