"""Sound of a recording: one streaming pass over its first audio stream, as 16 kHz mono.

Decoded from the start always: a decoder and a resampler that begin in the middle give other samples. All channels are
averaged, the plain mean, before resampling; values beyond 1 are kept. Refuses to know windows, models and sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
from pipeline.ingest.limits import quiet_libav
from pipeline.ingest.opener import Deadline, audio_stream, cut_short, open_media, start_ns
from pipeline.ingest.params import Params
from pipeline.ingest.report import ReadReport
from pipeline.ingest.timeline import Timeline

DAMAGED = "damaged sound: some of it could not be decoded"
_LEAST_RATE_HZ, _MOST_RATE_HZ = 2_000, 768_000
_BATCH = 8192
"""Samples that go through the resampler in one call: fewer calls, and still well under a second of sound."""
_SILENCE = 160_000

Samples = NDArray[np.float32]


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
        """Blocks at the target rate; the resampler is flushed at each gap, at each change of rate and at the end."""
        zero, rate = start_ns(container), self._params.audio_rate_hz
        waiting = _Batch(rate)
        for frame, following in _with_next(self._frames(container, stream)):
            if not _LEAST_RATE_HZ <= frame.sample_rate <= _MOST_RATE_HZ:
                self._broken = f"broken audio: {frame.sample_rate} samples a second is no rate of sound"
                break
            gap = self._timeline.place(
                _time_ns(frame, zero),
                None if following is None else _time_ns(following, zero),
                frame.samples * NS // frame.sample_rate,
            )
            if gap or frame.sample_rate != waiting.rate_hz:
                yield from self._counted(waiting.flush())
                waiting = _Batch(rate, frame.sample_rate)
            if gap:
                yield from self._silence(self._timeline.heard_ns - frame.samples * NS // frame.sample_rate)
            yield from self._counted(waiting.add(_mono(frame)))
            if self._timeline.heard_ns > self._params.max_duration_s * NS:
                self._broken = f"over the time limit: sound goes on past {self._params.max_duration_s:g} s"
                break
        yield from self._counted(waiting.flush())

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
        try:
            for packet in container.demux(stream):
                self._deadline.check()
                # Some writers pad with empty packets; to a decoder they would mean the end.
                if packet.size:
                    yield from self._decoded_frames(stream, packet)
            yield from self._decoded_frames(stream, None)
            if cut_short(container):
                self._broken = "the data end early: the file is shorter than its index says"
        except av.error.ExitError:
            self._broken = "over the time limit: the file's data do not come"
        except av.error.FFmpegError as error:
            self._broken = f"the data end early ({error.strerror})"
        except SourceError as over:
            self._broken = over.reason

    def _decoded_frames(self, stream: AudioStream, packet: Packet[AudioStream] | None) -> list[AudioFrame]:
        with quiet_libav() as messages:
            try:
                return stream.decode(packet)
            except av.error.FFmpegError:
                self._skipped += 1
                return []
            finally:
                # Some decoders swallow what they cannot read and only say so.
                self._damaged = self._damaged or bool(messages["error"]) or self._skipped > 0


class _Batch:
    """A resampler, and the mono samples that wait for it. Born without a source rate it holds nothing."""

    def __init__(self, target_hz: int, rate_hz: int = 0) -> None:
        self.rate_hz = rate_hz
        self._resampler = AudioResampler(format="flt", layout="mono", rate=target_hz)
        self._waiting: list[Samples] = []
        self._count = 0

    def add(self, samples: Samples) -> Iterator[Samples]:
        self._waiting.append(samples)
        self._count += len(samples)
        if self._count >= _BATCH:
            yield from self._resample(self._joined())

    def flush(self) -> Iterator[Samples]:
        """What is left; nothing may be added afterwards."""
        if self.rate_hz:
            if self._count:
                yield from self._resample(self._joined())
            yield from self._resample(None)

    def _joined(self) -> AudioFrame:
        frame = AudioFrame.from_ndarray(np.concatenate(self._waiting)[None, :], format="flt", layout="mono")
        frame.sample_rate = self.rate_hz
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


def _time_ns(frame: AudioFrame, zero_ns: int) -> int | None:
    if frame.pts is None or not frame.time_base:
        return None
    return int(frame.pts * frame.time_base * NS) - zero_ns


def _with_next(frames: Iterator[AudioFrame]) -> Iterator[tuple[AudioFrame, AudioFrame | None]]:
    """Each frame with the one after it, None after the last."""
    held: AudioFrame | None = None
    for frame in frames:
        if not frame.samples:
            continue
        if held is not None:
            yield held, frame
        held = frame
    if held is not None:
        yield held, None


def _mono(frame: AudioFrame) -> Samples:
    """f32[n]: the plain mean of all channels, integers scaled to -1..1."""
    array = frame.to_ndarray()
    channels = len(frame.layout.channels)
    if array.shape[0] == 1 and channels > 1:
        array = array.reshape(-1, channels).T
    if array.dtype.kind == "f":
        scaled = array.astype(np.float32, copy=False)
    else:
        bits = 8 * array.dtype.itemsize - 1
        middle = 128 if array.dtype.kind == "u" else 0
        scaled = (array.astype(np.float32) - middle) / np.float32(2**bits)
    mean = scaled[0] if channels == 1 else scaled.mean(axis=0, dtype=np.float32)
    # Not-a-number and infinite samples (float formats can hold them) would spread through the resampler.
    finite: Samples = np.nan_to_num(np.ascontiguousarray(mean), nan=0.0, posinf=0.0, neginf=0.0)
    return finite
