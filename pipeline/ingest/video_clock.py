"""Presentation times of a stream in recording time, however wild the container's timestamps are.

Refuses to know packets' contents and pictures.
"""

from __future__ import annotations

from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream

from pipeline.core.media import NS
from pipeline.ingest.opener import start_ns
from pipeline.ingest.params import Params

USUAL_RATE_HZ = 25
LEAP_NS = 10 * NS
"""A step ahead longer than this is believed only if the next frame does not take it back."""


class VideoClock:
    """Maps timestamps of one video stream to recording time in ns, and counts on where they make no sense."""

    def __init__(self, container: InputContainer, stream: VideoStream, params: Params, offset_ns: int) -> None:
        base = stream.time_base or Fraction(1, USUAL_RATE_HZ)
        self._per_tick, self._ticks = base.numerator * NS, base.denominator
        self._shift_ns = offset_ns - start_ns(container)
        self._offset_ns = offset_ns
        self._limit_ns = int(params.max_duration_s * NS)
        rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
        rate = next((r for r in rates if r and 0.1 <= r <= 1000), USUAL_RATE_HZ)
        self.usual_ns = int(NS / rate)
        """Nominal time from one frame to the next."""
        self.last_ns = -1
        """The time given last by `follow`."""
        self.counted = 0
        """Frames that `follow` had to count on."""

    def at(self, pts: int | None) -> int:
        """Recording time of a timestamp; -1 if it is missing, before the file's start, or beyond any recording."""
        if pts is None:
            return -1
        time_ns = pts * self._per_tick // self._ticks + self._shift_ns
        return time_ns if 0 <= time_ns - self._offset_ns <= self._limit_ns else -1

    def ticks(self, time_ns: int) -> int:
        """The timestamp of a recording time, rounded down: the inverse of `at`."""
        return (time_ns - self._shift_ns) * self._ticks // self._per_tick

    def length(self, duration: int | None) -> int:
        """Length in ns of a frame with this duration in ticks; the nominal one if it is missing or wild."""
        if not duration or duration < 0:
            return self.usual_ns
        length = duration * self._per_tick // self._ticks
        return length if 0 < length <= self._limit_ns else self.usual_ns

    def leaps(self, pts: int | None) -> bool:
        """True if this timestamp is so far ahead of the last time that the one after it must confirm it."""
        return self.at(pts) > max(self.last_ns, self._offset_ns) + LEAP_NS

    def follow(self, pts: int | None, next_pts: int | None = None) -> int:
        """Recording time of the next frame in order of presentation, always later than the one before; `next_pts` is
        the timestamp of the frame after it, for one that leaps.

        A timestamp that is missing, does not advance, or leaps ahead only to be taken back is replaced by counting on
        from the last frame, so that no arrangement of timestamps can hide frames behind one another.
        """
        time_ns = self.at(pts)
        if time_ns <= self.last_ns or (self.leaps(pts) and 0 <= self.at(next_pts) < time_ns):
            self.counted += 1
            time_ns = self._offset_ns if self.last_ns < 0 else self.last_ns + self.usual_ns
        self.last_ns = time_ns
        return time_ns
