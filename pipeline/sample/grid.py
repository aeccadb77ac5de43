"""The exact grid: which frames are samples, decided from their presentation times alone.

Grid times are k / rate_hz in recording time, from the stream's first frame to its end. For each the frame with the
nearest presentation time is a sample, the earlier on a tie; the first frame always is one, so that no stream however
short goes unseen. Every line of the 60 s grid is sampled for itself: a frame that is nearest to grid times of two
lines is a sample of both, once each, and so no cut between lines can change a result. Refuses to know pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pipeline.core.media import LINE_NS, NS
from pipeline.core.ports import Picking
from pipeline.sample.params import Params


class Grid:
    """The Picker of a rate (see core.ports): every frame if `rate_hz` is None, else the grid's."""

    def __init__(self, params: Params) -> None:
        self._params = params

    def over(self, lines: tuple[int, int | None]) -> Picking:
        """A fresh pass for the lines [first, last)."""
        if self._params.rate_hz is None:
            return _Every(lines)
        return _OnGrid(lines, Fraction(self._params.rate_hz).limit_denominator(1_000_000))


class _Every:
    """Full rate: each frame, in the line that its own time lies in."""

    def __init__(self, lines: tuple[int, int | None]) -> None:
        self._first, self._last = lines
        self.start_ns = lines[0] * LINE_NS
        self.done = False

    def see(self, time_ns: int) -> Sequence[tuple[int, int]]:
        line = time_ns // LINE_NS
        if self._last is not None and line >= self._last:
            self.done = True
            return ()
        return ((time_ns, line),) if line >= self._first else ()

    def end(self, end_ns: int) -> Sequence[tuple[int, int]]:
        self.done = True
        return ()


class _OnGrid:
    """Constant state: the frame before, the last line it was given in, the next grid time."""

    def __init__(self, lines: tuple[int, int | None], rate_hz: Fraction) -> None:
        self._first, self._last = lines
        self._period = NS / rate_hz
        self.start_ns = lines[0] * LINE_NS
        self.done = False
        self._before = -1
        self._given = -1
        self._next = 0

    def see(self, time_ns: int) -> Sequence[tuple[int, int]]:
        if time_ns < self._next:
            self._before, self._given = time_ns, -1
            return ()
        before = self._before
        picks: list[tuple[int, int]] = []
        if before < 0:
            own = time_ns // LINE_NS
            given = self._give(picks, time_ns, -1, own, own)
        else:
            # Grid times up to and including the middle are nearer to the frame before, or as near.
            middle = (before + time_ns) // 2
            self._pick(picks, before, self._given, before, middle)
            given = self._pick(picks, time_ns, -1, middle, time_ns)
        self._before, self._given = time_ns, given
        self._next = self._after(time_ns)
        self.done = self._last is not None and self._next >= self._last * LINE_NS
        return picks

    def end(self, end_ns: int) -> Sequence[tuple[int, int]]:
        picks: list[tuple[int, int]] = []
        if self._before >= 0:
            self._pick(picks, self._before, self._given, self._before, end_ns - 1)
        self.done = True
        return picks

    def _pick(self, picks: list[tuple[int, int]], time_ns: int, given: int, after_ns: int, upto_ns: int) -> int:
        """The frame is nearest to the grid times in (after, upto]; returns the last line it has been given in."""
        earliest = self._after(after_ns)
        if earliest > upto_ns:
            return given
        # A line holds at least twelve grid times: all the lines between the first and the last one have some.
        latest = self._at(self._index_after(upto_ns) - 1)
        return self._give(picks, time_ns, given, earliest // LINE_NS, latest // LINE_NS)

    def _give(self, picks: list[tuple[int, int]], time_ns: int, given: int, first: int, last: int) -> int:
        upto = last if self._last is None else min(last, self._last - 1)
        picks.extend((time_ns, line) for line in range(max(first, given + 1, self._first), upto + 1))
        return max(given, last)

    def _at(self, k: int) -> int:
        return k * self._period.numerator // self._period.denominator

    def _index_after(self, time_ns: int) -> int:
        """The least k whose grid time lies after `time_ns`."""
        k = (time_ns + 1) * self._period.denominator // self._period.numerator
        while self._at(k) <= time_ns:
            k += 1
        return k

    def _after(self, time_ns: int) -> int:
        return self._at(self._index_after(time_ns))
