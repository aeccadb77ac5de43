"""The planned decode: the same pictures as plain decoding, bit for bit, without decoding what nobody asked for.

Whatever a file does that a plan does not allow for (an unknown codec, wild times, damage, a frame that does not come
out) raises UnplannableError: the caller then reads the file plainly from its start. Refuses to guess.
"""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.core.media import NS
from pipeline.core.ports import Picking
from pipeline.ingest.video_codecs import CodecFacts
from pipeline.ingest.video_pass import Pass, Picture, plain
from pipeline.ingest.video_plan import Act, Entry, Planner, Step, UnplannableError

SEEKABLE = frozenset({"mov", "matroska"})
"""Containers whose index leads to a key packet and whose packets have the same times after a seek."""
LANDINGS = 4


class NotLandedError(UnplannableError):
    """The container's index did not lead to where the plan must begin: for a plan from the file's start."""


def planned(run: Pass, picking: Picking, *, seek: bool) -> Iterator[Picture]:
    """The pictures that `plain` gives, in the same order. Raises UnplannableError as soon as that is in doubt."""
    facts = CodecFacts(run.stream)
    if not facts.is_planned:
        yield from plain(run, picking)
        return
    landed = seek and _land(run, facts, picking.start_ns)
    planner: Planner[Packet[VideoStream]] = Planner(
        picking,
        reorder=facts.reorder,
        reorders=facts.reorders,
        most_bytes=run.params.look_ahead_bytes,
        most_ns=int(run.params.look_ahead_s * NS),
        landed=landed,
    )
    execution = _Execution(run, planner, skims=facts.skims)
    for packet in run.packets:
        entry = _entry(run, packet, facts)
        yield from execution.of(planner.add(entry))
        if picking.done:
            break
    yield from execution.of(planner.finish(run.end_ns))


def _land(run: Pass, facts: CodecFacts, start_ns: int) -> bool:
    """Moves to a key packet before `start_ns`, by the index the last one; False if that is the file's start anyway."""
    if run.container.format.name.split(",")[0] not in SEEKABLE or start_ns <= run.clock.at(run.stream.start_time):
        return False
    target = run.clock.ticks(start_ns) - 1
    for _ in range(LANDINGS):
        try:
            run.container.seek(target, stream=run.stream)
        except av.error.FFmpegError:
            break
        first = next(iter(run.packets), None)
        if first is None or first.pts is None:
            break
        if facts.begins(first) and 0 <= run.clock.at(first.pts) < start_ns:
            run.container.seek(target, stream=run.stream)
            return True
        # The index goes by time of decoding: a key packet shown later than asked for has another one before it.
        target = (first.pts if first.dts is None else first.dts) - 1
    raise NotLandedError("the seek did not land before the wanted time")


def _entry(run: Pass, packet: Packet[VideoStream], facts: CodecFacts) -> Entry[Packet[VideoStream]]:
    time_ns = -1
    if facts.shows(packet):
        time_ns = run.clock.at(packet.pts)
        if time_ns < 0:
            raise UnplannableError("a packet without a usable time")
        run.end_ns = max(run.end_ns, time_ns + run.clock.length(packet.duration))
    return Entry(packet, time_ns, facts.begins(packet), packet.size)


class _Execution:
    """Carries out steps and matches what comes out of the decoder with what is due."""

    def __init__(self, run: Pass, planner: Planner[Packet[VideoStream]], *, skims: bool) -> None:
        self._run, self._planner, self._skims = run, planner, skims
        self._sent_ns = self._shown_ns = -1

    def of(self, steps: Iterator[Step[Packet[VideoStream]]]) -> Iterator[Picture]:
        decoder = self._run.decoder
        for act, entry in steps:
            flaws = decoder.flaws
            if entry is None:
                frames = decoder.drain()
            else:
                frames = decoder.send(entry.packet, skim=self._skims and act is Act.SKIM)
                if act is Act.DECODE:
                    self._sent_ns = max(self._sent_ns, entry.time_ns)
            if decoder.flaws != flaws:
                # A concealment may draw on frames that a plan left out.
                raise UnplannableError("damage")
            for frame in frames:
                yield from self._matched(frame)
            if entry is None and self._planner.due and self._planner.due[0][0] <= self._sent_ns:
                raise UnplannableError("a wanted frame did not come out")

    def _matched(self, frame: VideoFrame) -> Iterator[Picture]:
        due, start_ns = self._planner.due, self._run.clock.at(frame.pts)
        if start_ns <= self._shown_ns or (due and due[0][0] < start_ns):
            raise UnplannableError("a wanted frame did not come out")
        self._shown_ns = start_ns
        while due and due[0][0] == start_ns:
            _, line = due.popleft()
            end_ns = start_ns + self._run.clock.length(frame.duration)
            yield Picture(start_ns=start_ns, end_ns=end_ns, frame=frame, line=line)
