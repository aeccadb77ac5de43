"""Media values: spans of media time, frames and windows of sound.

Media time is integer nanoseconds from the stream's start, half-open. Wall time never appears here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NS = 1_000_000_000
LINE_NS = 60 * NS
"""The 60 s media-time grid: chunks are cut at its lines and the repeat gate starts anew at each."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Half-open stretch of media time [start_ns, end_ns) in nanoseconds; never empty, never negative."""

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_ns < self.end_ns:
            raise ValueError(f"not a span: [{self.start_ns}, {self.end_ns})")

    def overlaps(self, other: Span, *, gap_ns: int = 0) -> bool:
        """True if the two share an instant, or lie less than `gap_ns` apart."""
        return self.start_ns < other.end_ns + gap_ns and other.start_ns < self.end_ns + gap_ns

    def hull(self, other: Span) -> Span:
        """The smallest span that holds both."""
        return Span(start_ns=min(self.start_ns, other.start_ns), end_ns=max(self.end_ns, other.end_ns))

    def shifted(self, by_ns: int) -> Span:
        """The same stretch on another clock, `by_ns` later."""
        return Span(start_ns=self.start_ns + by_ns, end_ns=self.end_ns + by_ns)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture of a stream: `pixels` is u8[h, w, 3] RGB, upright, read-only; `span` starts at its own time.

    `line` is the line of the 60 s grid that it is a sample of; -1 at birth means the line of its own time. The two can
    differ: the frame nearest to 60 s may be one of 59.99 s.
    """

    stream_id: str
    span: Span
    pixels: NDArray[np.uint8]
    line: int = -1

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(f"a frame is u8[h, w, 3], not {self.pixels.dtype}{list(self.pixels.shape)}")
        object.__setattr__(self, "pixels", _read_only(self.pixels))
        if self.line < 0:
            object.__setattr__(self, "line", self.span.start_ns // LINE_NS)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_frame, (self.stream_id, self.span, np.asarray(self.pixels), self.line))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AudioWindow:
    """A stretch of sound: `samples` is f32[n] mono in about -1..1, read-only, at `rate_hz`."""

    stream_id: str
    span: Span
    samples: NDArray[np.float32]
    rate_hz: int

    def __post_init__(self) -> None:
        if self.samples.dtype != np.float32 or self.samples.ndim != 1:
            raise ValueError(f"an audio window is f32[n], not {self.samples.dtype}{list(self.samples.shape)}")
        if self.rate_hz <= 0:
            raise ValueError(f"not a sample rate: {self.rate_hz}")
        object.__setattr__(self, "samples", _read_only(self.samples))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_window, (self.stream_id, self.span, np.asarray(self.samples), self.rate_hz))


def _frame(stream_id: str, span: Span, pixels: NDArray[np.uint8], line: int) -> Frame:
    # Pickle loses numpy's read-only flag of a frozen slots dataclass; going through the constructor restores it.
    return Frame(stream_id=stream_id, span=span, pixels=pixels, line=line)


def _window(stream_id: str, span: Span, samples: NDArray[np.float32], rate_hz: int) -> AudioWindow:
    return AudioWindow(stream_id=stream_id, span=span, samples=samples, rate_hz=rate_hz)
