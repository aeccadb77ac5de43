"""One pass over the video of an opened file, and its slow obvious form: plain decoding, the oracle of the planned one.

A pass yields the pictures that a Picking wants. Refuses to know pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.core.ports import Picking
from pipeline.ingest.opener import Deadline
from pipeline.ingest.params import Params
from pipeline.ingest.video_clock import VideoClock
from pipeline.ingest.video_decode import Decoder, Packets


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture, the recording time it is shown in, and the line it is a sample of (-1: of none yet)."""

    start_ns: int
    end_ns: int
    frame: VideoFrame
    line: int = -1


class Pass:
    """The packets, the decoder and the clock of one pass; counts what it meets."""

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        *,
        params: Params,
        offset_ns: int,
        deadline: Deadline | None,
    ) -> None:
        self.container, self.stream, self.params = container, stream, params
        self.packets = Packets(container, stream, deadline)
        self.decoder = Decoder(stream, params)
        self.clock = VideoClock(container, stream, params, offset_ns)
        self.end_ns = 0
        """End of the last frame met, in recording time."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Flaws met so far, in stable words."""
        found = {
            "frames without a usable time were counted on": self.clock.counted,
            "damaged in places: read as far as possible": self.decoder.flaws + self.packets.flaws,
        }
        return tuple(words for words, count in found.items() if count)

    @property
    def broken(self) -> str:
        """Why the data ended early, or gave nothing; "" if they were read to their end."""
        if self.packets.ended and not self.end_ns:
            return "the data are damaged or missing: no frame could be decoded"
        return self.packets.broken


def plain(run: Pass, picking: Picking) -> Iterator[Picture]:
    """Decodes everything from the file's start and lets the picking choose among the frames that come out."""
    before: Picture | None = None
    for picture in _pictures(run):
        for time_ns, line in picking.see(picture.start_ns):
            chosen = picture if before is None or time_ns == picture.start_ns else before
            yield replace(chosen, line=line)
        if picking.done:
            return
        before = picture
    if before is not None:
        for _, line in picking.end(before.end_ns):
            yield replace(before, line=line)


def _pictures(run: Pass) -> Iterator[Picture]:
    leaping: VideoFrame | None = None
    for frame in _decoded(run):
        if leaping is not None:
            yield _timed(run, leaping, frame.pts)
        leaping = frame if run.clock.leaps(frame.pts) else None
        if leaping is None:
            yield _timed(run, frame, None)
    if leaping is not None:
        yield _timed(run, leaping, None)


def _decoded(run: Pass) -> Iterator[VideoFrame]:
    for packet in run.packets:
        yield from run.decoder.send(packet)
    yield from run.decoder.drain()


def _timed(run: Pass, frame: VideoFrame, next_pts: int | None) -> Picture:
    start_ns = run.clock.follow(frame.pts, next_pts)
    run.end_ns = start_ns + run.clock.length(frame.duration)
    return Picture(start_ns=start_ns, end_ns=run.end_ns, frame=frame)
