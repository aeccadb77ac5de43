"""Where decoded sound lies in time: which timestamps are believed, and how much silence a gap is.

Pure arithmetic on nanoseconds. Refuses to know packets, codecs and rates.
"""

from __future__ import annotations

from pipeline.core.media import NS

TOLERANCE_NS = 40_000_000
"""A timestamp this near to what the samples before it say is jitter, not a gap."""
WILD = "wild audio timestamps: sound is placed by counting its samples"
_PAST_THE_END_NS = 10 * NS
_MOST_STRIKES = 3


class Timeline:
    """Counts samples on from the file's zero and listens to timestamps only where they make sense.

    A step forward is a gap (its length is kept as silence) unless it leaves the file's own length or the next timestamp
    takes it back. A timestamp that lies, before the zero or behind what was already heard, counts as a strike; after
    the fourth the timestamps of this stream are not listened to any more.
    """

    def __init__(self, *, length_ns: int | None, limit_ns: int) -> None:
        self.heard_ns = 0
        """End of what was placed so far, in file time."""
        self.warnings: tuple[str, ...] = ()
        self._last_ns = limit_ns if length_ns is None else min(length_ns + _PAST_THE_END_NS, limit_ns)
        self._strikes = 0

    def place(self, at_ns: int | None, next_ns: int | None, duration_ns: int) -> int:
        """The gap in ns before samples that claim to start at `at_ns`, where those after them claim `next_ns`."""
        gap = self._gap(at_ns, next_ns)
        self.heard_ns += gap + duration_ns
        return gap

    def _gap(self, at_ns: int | None, next_ns: int | None) -> int:
        if at_ns is None or self._strikes > _MOST_STRIKES:
            return 0
        late = at_ns - self.heard_ns
        if abs(late) <= TOLERANCE_NS:
            return 0
        taken_back = next_ns is not None and next_ns < at_ns - TOLERANCE_NS
        if late > 0 and at_ns <= self._last_ns and not taken_back:
            return late
        self._strikes += 1
        self.warnings = (WILD,)
        return 0
