"""The original encoded packets of a span, cut without re-encoding into Matroska.

The cut begins at a key packet of its own before the span; where none is near enough there is no cut, and the reason is
said. Nothing is decoded here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import av.container

from pipeline.capture.media import pictures_of, sounds_of, zero_ns
from pipeline.capture.params import Params
from pipeline.core.media import NS, Span

_INTERLEAVE_NS = 10 * NS
"""How far one stream of a file may run ahead of another before it no longer counts as one recording."""
_FORMLESS = "it begins too late for the file's header to say what it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A Matroska file in memory. Its packets are the source's own bytes and keep its timestamps, to the millisecond.

    `retimed` counts packets whose timestamps ran backwards and were raised to those before them.
    """

    body: bytes = field(repr=False)
    span: Span
    codecs: tuple[str, ...]
    packets: int
    retimed: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Taken:
    """One packet with its times in the file's media time (ns from the file's earliest start)."""

    packet: Any
    index: int
    start_ns: int
    dts_ns: int
    end_ns: int
    size: int


class _TooLateError(Exception):
    """Seeking went past the wanted time: read from the beginning instead."""


def cut(opened: Callable[[], av.container.InputContainer], span: Span, *, offset_ns: int, params: Params) -> Cut | str:
    """Cut `span` (recording time) out of a file, or say in words why there is no cut; "" if it holds nothing then."""
    try:
        with opened() as container:
            return _cut(container, span, offset_ns, params, seek=True)
    except _TooLateError:
        with opened() as container:
            return _cut(container, span, offset_ns, params, seek=False)


def _cut(
    container: av.container.InputContainer, span: Span, offset_ns: int, params: Params, *, seek: bool
) -> Cut | str:
    streams = [*pictures_of(container), *sounds_of(container)]
    if not streams or span.end_ns <= offset_ns:
        return ""
    zero = zero_ns(container)
    low, high = max(0, span.start_ns - offset_ns), span.end_ns - offset_ns
    from_start = not (seek and _sought(container, zero, low - round(params.packet_back_s * NS)))
    gathering = _Gathering(streams[0].index, low, params, from_start=from_start)
    try:
        for taken in _within(container, streams, zero, high):
            if not gathering.take(taken):
                break
    except av.FFmpegError as why:
        gathering.note = f"the packets end early: {why.strerror}"
    held = gathering.held
    if not gathering.begun or max(t.end_ns for t in held) <= low:
        return gathering.refusal
    if held[0].start_ns < low - round(params.packet_back_s * NS):
        return f"no key packet within {params.packet_back_s:g} s before the span"
    return _written(streams, held, offset_ns, gathering.note)


class _Gathering:
    """Packets since the last key packet that is not after `low_ns`, within the bounds."""

    def __init__(self, lead: int, low_ns: int, params: Params, *, from_start: bool) -> None:
        self.held: list[_Taken] = []
        self.note = self.refusal = ""
        self._lead, self._low, self._params, self._from_start = lead, low_ns, params, from_start
        self.begun = False
        self._size = 0

    def take(self, taken: _Taken) -> bool:
        """Take in one packet; False if the cut is full."""
        key = taken.index == self._lead and taken.packet.is_keyframe
        late = taken.start_ns > self._low
        if key and late and not (self.begun or self.refusal or self._from_start):
            raise _TooLateError
        if key and not (late and (self.begun or self.refusal)):
            self.held = [t for t in self.held if t.index != self._lead and t.start_ns >= taken.start_ns]
            self._size = sum(t.size for t in self.held)
            self.begun, self.refusal = True, ""
        if taken.index == self._lead and not self.begun:
            return True
        self.held.append(taken)
        self._size += taken.size
        if taken.dts_ns < self._low and self._size > self._params.packet_back_bytes:
            self.held, self._size, self.begun = [], 0, False
            self.refusal = f"no key packet within {self._params.packet_back_bytes >> 20} MB before the span"
        elif self._size > self._params.packet_max_bytes:
            self.note = f"the packets end early: the cut reached {self._params.packet_max_bytes >> 20} MB"
            return False
        return True


def _within(
    container: av.container.InputContainer, streams: Sequence[Any], zero: int, high_ns: int
) -> Iterator[_Taken]:
    open_streams = {s.index for s in streams}
    decoded: dict[int, int] = {}
    for packet in _demuxed(container, streams):
        sound = packet.stream.type == "audio"
        if (packet.pts is None and packet.dts is None) or (sound and not packet.size):
            continue  # an empty picture packet repeats the picture before it, an empty sound packet is nothing
        if packet.dts is None:
            # Matroska leaves it out where pictures are reordered, so for the very key packet a cut begins with.
            packet.dts = decoded.get(packet.stream.index, packet.pts - int(1 / packet.time_base))
        if packet.pts is None:
            packet.pts = packet.dts
        decoded[packet.stream.index] = packet.dts
        start, dts = (_ns(v, packet.time_base) - zero for v in (packet.pts, packet.dts))
        if dts < high_ns:
            longest = NS if sound else _INTERLEAVE_NS
            end = start + min(max(1, _ns(packet.duration or 0, packet.time_base)), longest)
            yield _Taken(packet, packet.stream.index, start, dts, end, packet.size)
            continue
        open_streams.discard(packet.stream.index)
        if not open_streams or dts >= high_ns + _INTERLEAVE_NS:
            return


def _demuxed(container: av.container.InputContainer, streams: Sequence[Any]) -> Iterator[Any]:
    try:
        yield from container.demux(streams)
    except IndexError:
        # PyAV stumbles at the very end, in flushing, over streams that began in the middle of the file.
        return


def _sought(container: av.container.InputContainer, zero: int, at_ns: int) -> bool:
    if at_ns <= 0:
        return False
    try:
        container.seek((zero + at_ns) // 1000)
    except av.FFmpegError:
        return False
    return True


def _written(streams: Sequence[Any], held: Sequence[_Taken], offset_ns: int, note: str) -> Cut | str:
    out = io.BytesIO()
    last: dict[int, int] = {}
    retimed = 0
    used = [s for s in streams if any(t.index == s.index for t in held)]
    if formless := [s for s in used if not _has_form(s)]:
        used = [s for s in used if s not in formless]
        held = [t for t in held if t.index in {s.index for s in used}]
        note = "; ".join(filter(None, (note, *(f"the {s.type} is left out: {_FORMLESS}" for s in formless))))
    if not held:
        return _FORMLESS
    try:
        with av.open(out, "w", format="matroska", options={"fflags": "+bitexact"}) as target:
            copies = {s.index: target.add_stream_from_template(s, opaque=True) for s in used}
            for taken in held:
                packet, floor = taken.packet, last.get(taken.index, taken.packet.dts)
                retimed += packet.dts < floor
                packet.dts = last[taken.index] = max(packet.dts, floor)
                packet.pts = max(packet.pts, packet.dts)
                packet.stream = copies[taken.index]
                target.mux(packet)
    except (av.FFmpegError, ValueError) as why:
        return f"the packets cannot be written as Matroska: {why}"
    return Cut(
        body=out.getvalue(),
        span=Span(
            start_ns=max(0, min(t.start_ns for t in held)) + offset_ns, end_ns=max(t.end_ns for t in held) + offset_ns
        ),
        codecs=tuple(s.codec_context.name for s in used),
        packets=len(held),
        retimed=retimed,
        note=note,
    )


def _has_form(stream: Any) -> bool:
    context = stream.codec_context
    return bool(context.sample_rate if stream.type == "audio" else context.width and context.height)


def _ns(value: int, time_base: Fraction) -> int:
    return value * NS * time_base.numerator // time_base.denominator
