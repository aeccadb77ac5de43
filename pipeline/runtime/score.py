"""Scoring a chunk: ingest, sample and score inside one process; only signals that can matter leave it.

What no rule could count is forgotten at once: memory and ledger grow with what is found, not with what is seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from pipeline.core.errors import ModelError, NotYetError, SourceError, UnreachableError
from pipeline.core.media import LINE_NS, Frame
from pipeline.core.ports import FrameClassifier
from pipeline.core.recording import Recording
from pipeline.core.signal import Score, Signal
from pipeline.decide.evaluate import matters
from pipeline.ingest.audio import AudioReader
from pipeline.ingest.opener import Deadline
from pipeline.ingest.video import VideoReader
from pipeline.runtime.line import Line
from pipeline.runtime.signals import Views, pack, unpack
from pipeline.runtime.tasks import DECODER, Chunk, ChunkDone, Tally, Track
from pipeline.runtime.views import WHOLE, Memory, cuts, under, unseen
from pipeline.sample.grid import Grid
from pipeline.sample.windows import windows

T = TypeVar("T")


def score(line: Line, position: int, recording_id: str, chunk: Chunk) -> ChunkDone:
    """Score one chunk and mark it done in the ledger, with its signals sealed there; a chunk done before is kept."""
    recording = line.ledger.roll.at(line.run_id, position)
    terms = under(line.chunk_terms, recording)
    before = line.ledger.done(recording_id, chunk.name, terms, run_id=line.run_id)
    if before is not None:
        return unpack(before)[0]
    done, views = (pictures if chunk.track is Track.VIDEO else sounds)(line, recording, chunk)
    line.ledger.mark(
        recording_id,
        chunk.name,
        terms,
        pack(done, views),
        degraded=bool(done.degraded),
        run_id=line.run_id,
    )
    return done


class _Stopwatch:
    """Seconds spent pulling from an iterator, and elsewhere."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, stage: str, since: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - since

    def pull(self, stage: str, items: Iterator[T]) -> Iterator[T]:
        while True:
            began = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.add(stage, began)
            yield item


class _Panel(Generic[T]):
    """The classifiers of one track; one that raises is silent from then on and named."""

    def __init__(self, detectors: dict[str, T], silent: tuple[str, ...]) -> None:
        self.speaking = dict(detectors)
        self.degraded = list(silent)

    def silence(self, name: str) -> None:
        del self.speaking[name]
        self.degraded.append(name)


def pictures(line: Line, recording: Recording, chunk: Chunk) -> tuple[ChunkDone, Views]:
    """Sample and score the pictures of a chunk; a repeated frame takes over the scores of the frame it repeats."""
    part = recording.parts[chunk.part]
    reader = VideoReader(
        part.uri,
        stream_id=recording.stream_id,
        picker=Grid(line.terms.sample),
        params=line.ingest,
        lines=(chunk.first, chunk.last),
        offset_ns=part.offset_ns,
        deadline=Deadline(line.ingest.max_task_s),
    )
    detectors, silent = line.detectors.frames
    panel, watch = _Panel(detectors, silent), _Stopwatch()
    looks = [(cut, Memory(line.terms.sample)) for cut in cuts(recording)]
    signals: dict[str, list[Signal]] = {cut.view: [] for cut, _ in looks}
    sampled = scored = repeated = 0
    broken = ""
    try:
        for frame in watch.pull("decode", iter(reader)):
            sampled += 1
            fresh = []
            for cut, memory in looks:
                said, news = _look(cut.of(frame), memory, panel, watch)
                fresh.append(news)
                # A frame of the line before comes a second time here, and is known by what it scores now.
                if frame.line != frame.span.start_ns // LINE_NS or matters(said, line.terms.policy):
                    signals[cut.view] += said
            repeated += None not in fresh and not any(fresh)
            scored += any(fresh)
    except SourceError as why:
        broken = why.reason
        panel.degraded += _again(why)
    report = reader.report
    tally = Tally(
        frames_sampled=sampled,
        frames_scored=scored,
        frames_repeated=repeated,
        end_ns=report.end_ns,
        seconds=watch.seconds,
    )
    done = ChunkDone(
        tally=tally,
        warnings=(*report.warnings, *unseen(recording)),
        broken=broken or report.broken,
        degraded=tuple(panel.degraded),
    )
    return done, signals


def _again(why: SourceError) -> tuple[str, ...]:
    """What did not speak, where another scan may read what inspection read and this one could not."""
    return (DECODER,) if isinstance(why, UnreachableError | NotYetError) else ()


def _look(
    frame: Frame, memory: Memory, panel: _Panel[FrameClassifier], watch: _Stopwatch
) -> tuple[list[Score], bool | None]:
    """The scores of one frame in one view, and True if it was scored, False if it repeats, None if nobody spoke."""
    began = time.perf_counter()
    taken = memory.repeats(frame)
    watch.add("gate", began)
    if taken is not None:
        return taken, False
    began = time.perf_counter()
    scores = _ask(panel, frame)
    watch.add("score", began)
    memory.keep(frame, scores)
    return scores, True if scores else None


def _ask(panel: _Panel[FrameClassifier], frame: Frame) -> list[Score]:
    scores: list[Score] = []
    for name, classifier in list(panel.speaking.items()):
        try:
            scores += classifier.score([frame])[0]
        except ModelError:
            panel.silence(name)
    return scores


def sounds(line: Line, recording: Recording, chunk: Chunk) -> tuple[ChunkDone, Views]:
    """Score the sound of a part in windows."""
    part = recording.parts[chunk.part]
    reader = AudioReader(part.uri, params=line.ingest, deadline=Deadline(line.ingest.max_task_s))
    detectors, silent = line.detectors.sounds
    panel, watch = _Panel(detectors, silent), _Stopwatch()
    signals: list[Signal] = []
    count = end_ns = 0
    broken = ""
    blocks = watch.pull("audio", iter(reader))
    try:
        for window in windows(
            blocks, stream_id=recording.stream_id, offset_ns=part.offset_ns, params=line.terms.sample
        ):
            count += 1
            end_ns = window.span.end_ns
            began = time.perf_counter()
            said: list[Score] = []
            for name, classifier in list(panel.speaking.items()):
                try:
                    said += classifier.score([window])[0]
                except ModelError:
                    panel.silence(name)
            if matters(said, line.terms.policy):
                signals += said
            watch.add("score_audio", began)
    except SourceError as why:
        broken = why.reason
        panel.degraded += _again(why)
    report = reader.report
    heard = max(0, min(end_ns - part.offset_ns, report.end_ns))
    tally = Tally(audio_windows=count, audio_ns=heard, end_ns=part.offset_ns + report.end_ns, seconds=watch.seconds)
    done = ChunkDone(
        tally=tally, warnings=report.warnings, broken=broken or report.broken, degraded=tuple(panel.degraded)
    )
    return done, {WHOLE: signals}
