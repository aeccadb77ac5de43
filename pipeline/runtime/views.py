"""Views of a stream: the whole picture, or in a composite each person's region, seen and judged apart.

A finding in somebody's region is about that person; sound, and what nobody's region holds, cannot say whom it means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.core.ids import digest_of
from pipeline.core.media import Frame, Span
from pipeline.core.recording import Layout, Recording, Region
from pipeline.core.signal import Score
from pipeline.sample.gate import RepeatGate
from pipeline.sample.params import Params

WHOLE = ""
UNSEEN = "of the composite picture lies in nobody's region and is not looked at"


def under(terms: str, recording: Recording) -> str:
    """The fingerprint `terms` for this recording: other regions let a detector see other pictures."""
    if recording.layout is Layout.SINGLE:
        return terms
    return digest_of((terms, *sorted(map(repr, recording.regions))))


def views(recording: Recording) -> tuple[str, ...]:
    """The names of a recording's views: handles of its regions, then the whole (which also has the sound)."""
    return (*sorted({r.handle for r in recording.regions}), WHOLE)


def shown_in(recording: Recording, view: str) -> Recording:
    """The recording as one view shows it: a region's is a stream of its own with one person in it."""
    if view == WHOLE:
        return recording
    people = tuple(p for p in recording.participants if p.handle == view)
    return replace(
        recording, stream_id=f"{recording.stream_id}#{view}", layout=Layout.SINGLE, regions=(), participants=people
    )


def unseen(recording: Recording) -> tuple[str, ...]:
    """A warning if regions leave more than a hundredth of the picture to nobody."""
    if recording.layout is Layout.SINGLE:
        return ()
    left = 1 - _covered(recording.regions)
    return (f"{left:.0%} {UNSEEN}",) if left > 0.01 else ()


def _covered(regions: Sequence[Region]) -> float:
    """The share of the picture that lies in any region; what lies in several counts once."""
    edges = sorted({x for r in regions for x in (r.x, r.x + r.width)})
    area = 0.0
    for left, right in pairwise(edges):
        upto = 0.0
        for r in sorted((r for r in regions if r.x <= left and right <= r.x + r.width), key=lambda r: r.y):
            area += (right - left) * max(0.0, r.y + r.height - max(r.y, upto))
            upto = max(upto, r.y + r.height)
    return area


@dataclass(frozen=True, slots=True)
class Cut:
    """A view of frames and its region, or None for the whole."""

    view: str
    region: Region | None

    def of(self, frame: Frame) -> Frame:
        """The frame as this view shows it; at least one pixel."""
        if self.region is None:
            return frame
        height, width = frame.pixels.shape[:2]
        left = min(round(self.region.x * width), width - 1)
        top = min(round(self.region.y * height), height - 1)
        right = max(left + 1, round((self.region.x + self.region.width) * width))
        bottom = max(top + 1, round((self.region.y + self.region.height) * height))
        return replace(frame, pixels=frame.pixels[top:bottom, left:right])


def cuts(recording: Recording) -> Sequence[Cut]:
    """How its frames are to be looked at."""
    if recording.layout is Layout.SINGLE:
        return (Cut(WHOLE, None),)
    return tuple(Cut(r.handle, r) for r in recording.regions)


class Memory:
    """What one view saw on the current line of the grid: the gate, and scores of frames that later ones may repeat."""

    def __init__(self, params: Params) -> None:
        self._gate = RepeatGate(params)
        self._line = -1
        self._scores: dict[Span, list[Score]] = {}

    def repeats(self, frame: Frame) -> list[Score] | None:
        """The scores that `frame` takes over from the one it repeats, or None if it must be scored."""
        if frame.line != self._line:
            self._scores, self._line = {}, frame.line
        earlier = self._gate.repeats(frame)
        if earlier is None:
            return None
        return [replace(s, span=frame.span, repeats=earlier) for s in self._scores[earlier]]

    def keep(self, frame: Frame, scores: list[Score]) -> None:
        """Remember what `frame` scored."""
        self._scores[frame.span] = scores
