"""Sound of a recording: one streaming pass over its first audio stream, as 16 kHz mono.

Decoded from the start always: a decoder and a resampler that begin in the middle give other samples. All channels are
averaged, the plain mean, before resampling; values beyond 1 are kept. Refuses to know windows, models and sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from pipeline.core.errors import SourceError
from pipeline.core.media import NS, Span
from pipeline.ingest.limits import Messages, quiet_libav
from pipeline.ingest.opener import CUT_SHORT, Deadline, audio_stream, cut_off, cut_short, open_media, packets, start_ns
from pipeline.ingest.params import Params
from pipeline.ingest.report import ReadReport
from pipeline.ingest.timeline import Timeline

DAMAGED = "damaged sound: some of it could not be decoded"
_LEAST_RATE_HZ, _MOST_RATE_HZ = 2_000, 768_000
_BATCH = 8192
"""Samples that go through the resampler in one call: fewer calls, and still well under a second of sound."""
_SILENCE = 160_000
_LOUDEST = 1000.0

Samples = NDArray[np.float32]
Form = tuple[int, int, str]
"""Rate in Hz, number of channels, sample format: one resampler takes one form."""


class AudioReader:
    """Iterate once: (index, f32[n]) blocks without holes, `index` in samples from the file's zero.

    Gaps of more than 40 ms are filled with zeros. Raises SourceError as `open_media` does, or "no decodable stream: no
    audio"; what happens after the first block ends the iteration, and `report.broken` says why.
    """

    def __init__(self, path: str, *, params: Params, deadline: Deadline | None = None) -> None:
        self._path = path
        self._params = params
        self._deadline = deadline or Deadline(params.max_task_s)
        self._skipped = 0
        self._damaged = False
        self._broken = ""
        self._decoded = 0
        self._written = 0
        self._timeline = Timeline(length_ns=None, limit_ns=0)

    @property
    def report(self) -> ReadReport:
        """How the pass went; valid after the iteration ended or raised."""
        return ReadReport(
            warnings=(*self._timeline.warnings, *((DAMAGED,) if self._damaged else ())),
            broken=self._broken,
            end_ns=self._written * NS // self._params.audio_rate_hz,
            decoded=self._decoded,
            skipped_packets=self._skipped,
        )

    def __iter__(self) -> Iterator[tuple[int, Samples]]:
        with open_media(self._path, self._params) as container:
            stream = audio_stream(container)
            if stream is None:
                raise SourceError("no decodable stream: no audio")
            length = None if container.duration is None else container.duration * (NS // av.time_base)
            self._timeline = Timeline(length_ns=length, limit_ns=round(self._params.max_duration_s * NS))
            for block in self._resampled(container, stream):
                yield self._written, block
                self._written += len(block)

    def _resampled(self, container: InputContainer, stream: AudioStream) -> Iterator[Samples]:
        """Blocks at the target rate; the resampler is flushed at each gap, at each change of form and at the end."""
        rate, batch = self._params.audio_rate_hz, None
        for frame, at_ns, next_ns in _with_next(self._frames(container, stream), start_ns(container)):
            if not _LEAST_RATE_HZ <= frame.sample_rate <= _MOST_RATE_HZ:
                self._broken = f"broken audio: {frame.sample_rate} samples a second is no rate of sound"
                break
            duration = frame.samples * NS // frame.sample_rate
            gap = self._timeline.place(at_ns, next_ns, duration)
            if batch is None or gap or batch.form != _form(frame):
                yield from self._counted(batch.flush() if batch else ())
                batch = _Batch(_form(frame), rate)
            if gap:
                yield from self._silence(self._timeline.heard_ns - duration)
            yield from self._counted(batch.add(frame))
            if self._timeline.heard_ns > self._params.max_duration_s * NS:
                self._broken = f"over the time limit: sound goes on past {self._params.max_duration_s:g} s"
                break
        yield from self._counted(batch.flush() if batch else ())

    def _counted(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        for block in blocks:
            self._decoded += len(block)
            yield block

    def _silence(self, until_ns: int) -> Iterator[Samples]:
        end = round(until_ns * self._params.audio_rate_hz / NS)
        while self._written < end:
            yield np.zeros(min(end - self._written, _SILENCE), np.float32)

    def _frames(self, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
        """Decoded frames; packets that the decoder refuses are counted, and what ends the data early is kept."""
        with quiet_libav() as messages:
            try:
                for packet in packets(container, stream):
                    self._deadline.check()
                    yield from self._decode(stream, packet, messages)
                yield from self._decode(stream, None, messages)
                if cut_short(container) or cut_off(self._path):
                    self._broken = CUT_SHORT
            except av.error.ExitError:
                self._broken = "over the time limit: the file's data do not come"
            except av.error.FFmpegError as error:
                self._broken = f"the data end early ({error.strerror})"
            except SourceError as over:
                self._broken = over.reason

    def _decode(self, stream: AudioStream, packet: Packet[Any] | None, messages: Messages) -> list[AudioFrame]:
        before = messages["error"]
        try:
            return stream.decode(packet)
        except av.error.FFmpegError:
            self._skipped += 1
            self._damaged = True
            return []
        finally:
            # Some decoders swallow what they cannot read and only say so.
            self._damaged = self._damaged or messages["error"] > before


class _Batch:
    """A resampler, and the frames of one form that wait for it."""

    def __init__(self, form: Form, target_hz: int) -> None:
        self.form = form
        self._resampler = AudioResampler(format="flt", layout="mono", rate=target_hz)
        self._waiting: list[NDArray[Any]] = []
        self._count = 0

    def add(self, frame: AudioFrame) -> Iterator[Samples]:
        self._waiting.append(frame.to_ndarray())
        self._count += frame.samples
        if self._count >= _BATCH:
            yield from self._resample(self._joined())

    def flush(self) -> Iterator[Samples]:
        """What is left; nothing may be added afterwards."""
        if self._count:
            yield from self._resample(self._joined())
        yield from self._resample(None)

    def _joined(self) -> AudioFrame:
        rate, channels, _ = self.form
        array = np.concatenate(self._waiting, axis=1)
        # Packed samples come as one row.
        planes = array if len(array) == channels else array.reshape(-1, channels).T
        frame = AudioFrame.from_ndarray(_mean(planes)[None, :], format="flt", layout="mono")
        frame.sample_rate = rate
        self._waiting, self._count = [], 0
        return frame

    def _resample(self, frame: AudioFrame | None) -> Iterator[Samples]:
        for out in self._resampler.resample(frame):
            if out.samples:
                yield np.asarray(out.to_ndarray()[0], np.float32)


def audio_between(path: str, span: Span, *, params: Params, offset_ns: int = 0) -> Samples:
    """The f32[n] samples of `span` (recording time; the file begins at `offset_ns`); shorter or empty past the end."""
    rate = params.audio_rate_hz
    first, last = (max(0, round((at - offset_ns) * rate / NS)) for at in (span.start_ns, span.end_ns))
    kept: list[Samples] = []
    for index, block in AudioReader(path, params=params):
        if index >= last:
            break
        if index + len(block) > first:
            kept.append(block[max(0, first - index) : last - index])
    return np.concatenate(kept) if kept else np.zeros(0, np.float32)


def _form(frame: AudioFrame) -> Form:
    return frame.sample_rate, frame.layout.nb_channels, frame.format.name


def _time_ns(frame: AudioFrame, zero_ns: int) -> int | None:
    base = frame.time_base
    if frame.pts is None or not base:
        return None
    return frame.pts * base.numerator * NS // base.denominator - zero_ns


def _with_next(frames: Iterator[AudioFrame], zero_ns: int) -> Iterator[tuple[AudioFrame, int | None, int | None]]:
    """Each frame with its time and the time of the one after it, None where it has none."""
    held: AudioFrame | None = None
    held_ns: int | None = None
    for frame in frames:
        if not frame.samples:
            continue
        at_ns = _time_ns(frame, zero_ns)
        if held is not None:
            yield held, held_ns, at_ns
        held, held_ns = frame, at_ns
    if held is not None:
        yield held, held_ns, None


def _mean(planes: NDArray[Any]) -> Samples:
    """f32[n]: the plain mean of channels given as float or integer samples, integers scaled to -1..1."""
    if planes.dtype.kind == "f":
        # What is no number, or absurd, in one channel would spread to the others and through the resampler.
        planes = np.clip(np.nan_to_num(planes, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
    mean: Samples = planes.mean(axis=0, dtype=np.float32)
    if planes.dtype.kind != "f":
        middle = 128 if planes.dtype.kind == "u" else 0
        mean = (mean - middle) / np.float32(2 ** (8 * planes.dtype.itemsize - 1))
    return np.ascontiguousarray(mean, np.float32)
