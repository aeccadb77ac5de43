"""The planned decode: the same pictures as plain decoding, bit for bit, without decoding what nobody asked for.

Whatever a file does that a plan does not allow for (an unknown codec, wild times, damage, a frame that does not come
out) raises UnplannableError: the caller then reads the file plainly from its start. Refuses to guess.
"""

from __future__ import annotations

from collections.abc import Iterator

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.core.media import NS
from pipeline.core.ports import Picking
from pipeline.ingest.video_pass import Pass, Picture, plain
from pipeline.ingest.video_plan import Act, Entry, Planner, Step, UnplannableError

SKIMMED = frozenset({"h264", "hevc", "mpeg2video", "mpeg4"})
"""Codecs whose decoder skips frames that nothing refers to without touching any other."""
RESTARTED = SKIMMED | {"vp8", "vp9", "av1", "libdav1d", "theora", "mjpeg"}
"""Codecs whose decoder begins anew at a key packet with exactly the frames it would have given in passing."""
SEEKABLE = frozenset({"mov", "matroska"})
"""Containers whose index leads to a key packet and whose packets have the same times after a seek."""
MOST_REORDERED = 16
LANDINGS = 4


class NotLandedError(UnplannableError):
    """The container's index did not lead to where the plan must begin: for a plan from the file's start."""


def planned(run: Pass, picking: Picking, *, seek: bool) -> Iterator[Picture]:
    """The pictures that `plain` gives, in the same order. Raises UnplannableError as soon as that is in doubt."""
    codec = run.stream.codec_context.name
    if codec not in RESTARTED:
        yield from plain(run, picking)
        return
    landed = seek and _land(run, picking.start_ns)
    planner: Planner[Packet[VideoStream]] = Planner(
        picking,
        reorder=MOST_REORDERED if codec in SKIMMED else 0,
        most_bytes=run.params.look_ahead_bytes,
        most_ns=int(run.params.look_ahead_s * NS),
        # H.264's leading frames can be references that later frames ask to be forgotten: their absence is an error.
        closed_only=codec == "h264",
        landed=landed,
    )
    execution = _Execution(run, planner)
    for packet in run.packets:
        entry = _entry(run, packet, codec)
        if landed and not (entry.key and entry.time_ns < picking.start_ns):
            raise NotLandedError("the seek did not land on a key packet before the wanted time")
        landed = False
        yield from execution.of(planner.add(entry))
        if picking.done:
            break
    yield from execution.of(planner.finish(run.end_ns))


def _land(run: Pass, start_ns: int) -> bool:
    """Moves to the last key packet before `start_ns`, if the container can; the first packet read shows if it did."""
    if run.container.format.name.split(",")[0] not in SEEKABLE or start_ns <= run.clock.at(run.stream.start_time or 0):
        return False
    target = run.clock.ticks(start_ns) - 1
    for _ in range(LANDINGS):
        run.container.seek(target, stream=run.stream)
        first = next(iter(run.packets), None)
        if first is not None and 0 <= run.clock.at(first.pts) < start_ns:
            run.container.seek(target, stream=run.stream)
            return True
        if first is None or first.dts is None:
            break
        # Containers seek by time of decoding: a key packet shown later than asked for lies behind it.
        target = first.dts - 1
    raise NotLandedError("the seek did not land before the wanted time")


def _entry(run: Pass, packet: Packet[VideoStream], codec: str) -> Entry[Packet[VideoStream]]:
    time_ns = -1
    if not packet.is_discard and not (codec == "vp8" and _is_hidden_vp8(packet)):
        time_ns = run.clock.at(packet.pts)
        if time_ns < 0:
            raise UnplannableError("a packet without a usable time")
        run.end_ns = max(run.end_ns, time_ns + run.clock.length(packet.duration))
    return Entry(packet, time_ns, packet.is_keyframe, packet.size)


def _is_hidden_vp8(packet: Packet[VideoStream]) -> bool:
    """RFC 6386, 9.1: bit 4 of the first byte is show_frame; alternate reference frames are packets of their own."""
    return not memoryview(packet)[0] >> 4 & 1


class _Execution:
    """Carries out steps and matches what comes out of the decoder with what is due."""

    def __init__(self, run: Pass, planner: Planner[Packet[VideoStream]]) -> None:
        self._run, self._planner = run, planner
        self._skims = run.stream.codec_context.name in SKIMMED
        self._sent_ns = -1

    def of(self, steps: Iterator[Step[Packet[VideoStream]]]) -> Iterator[Picture]:
        decoder = self._run.decoder
        for act, entry in steps:
            flaws = decoder.complaints + decoder.refused + decoder.damaged
            if entry is None:
                frames = decoder.drain()
            else:
                frames = decoder.send(entry.packet, skim=self._skims and act is Act.SKIM)
                if act is Act.DECODE:
                    self._sent_ns = max(self._sent_ns, entry.time_ns)
            if decoder.complaints + decoder.refused + decoder.damaged != flaws:
                # A concealment may draw on frames that a plan left out.
                raise UnplannableError("damage")
            for frame in frames:
                yield from self._matched(frame)
            if entry is None and self._planner.due and self._planner.due[0][0] <= self._sent_ns:
                raise UnplannableError("a wanted frame did not come out")

    def _matched(self, frame: VideoFrame) -> Iterator[Picture]:
        due, start_ns = self._planner.due, self._run.clock.at(frame.pts)
        if start_ns < 0 or (due and due[0][0] < start_ns):
            raise UnplannableError("a wanted frame did not come out")
        while due and due[0][0] == start_ns:
            _, line = due.popleft()
            end_ns = start_ns + self._run.clock.length(frame.duration)
            yield Picture(start_ns=start_ns, end_ns=end_ns, frame=frame, line=line)
