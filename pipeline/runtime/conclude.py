"""Conclusion of a recording: decide on all its signals, fold incidents, cut the evidence again from the source, seal.

A chunk cannot know its incident before its neighbours spoke, so evidence never depends on chunking: only the spans of
incidents, and the source, decide what is cut.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.capture.capture import capture
from pipeline.capture.media import Digests
from pipeline.core.decision import Incident
from pipeline.core.evidence import Draft
from pipeline.core.ids import keyed_id
from pipeline.core.media import NS
from pipeline.core.recording import Recording
from pipeline.core.signal import Signal
from pipeline.decide.evaluate import decide
from pipeline.incident.fold import fold
from pipeline.ingest.audio_tape import AudioTapes
from pipeline.ingest.regular import regular_file
from pipeline.runtime.line import Line
from pipeline.runtime.report import Outcome, Row, combine
from pipeline.runtime.signals import unpack
from pipeline.runtime.tasks import ChunkDone, Inspection, Tally, cut
from pipeline.runtime.views import shown_in, under, views


def conclude(line: Line, inspection: Inspection) -> Row:
    """Decide, seal and commit one recording whose chunks are all done; doing it twice is doing it once.

    Raises SourceError, and nothing is concluded, if something was flagged and the source is gone.
    """
    recording = replace(
        line.ledger.roll.at(line.run_id, inspection.position),
        recording_id=inspection.recording_id,
        sha256=inspection.sha256,
    )
    done, seen = _gather(line, recording, inspection)
    failed = tuple(sorted({name for d in done for name in d.degraded}))
    degraded = (*failed, *(f"{name} (switched off)" for name in line.terms.off))
    seconds: dict[str, float] = {"inspect": inspection.seconds}
    began = time.perf_counter()
    found = [
        incident
        for view in views(recording)
        for incident in _judge(line, shown_in(recording, view), seen.get(view, []), degraded)
    ]
    incidents = sorted(found, key=lambda i: (i.span, i.category, i.stream_id))
    seconds["decide"] = time.perf_counter() - began
    if incidents:
        _at_hand(recording, inspection)
    notes: list[str] = []
    others = line.ledger.roll.counterparts(line.run_id, inspection.position)
    if incidents and len(others) > 1:
        # One key is one person's: a third party's stream must not lie under the second's.
        notes.append(f"of {len(others)} other streams of the session only the first was kept as the counterpart's")
    cutting = _Cutting(line, recording, others[0] if others else None, incidents, notes)
    began = time.perf_counter()
    ids = line.vault.conclude(
        _conclusion_id(line, recording, failed),
        line.run_id,
        recording,
        cutting.drafts(),
        policy=line.terms.policy.ref,
        degraded=degraded,
        merge_gap_ns=_gap_ns(line),
        counterpart=others[0] if others else None,
    )
    seconds["capture"] = cutting.seconds
    seconds["seal"] = time.perf_counter() - began - cutting.seconds
    row = _row(inspection, done, degraded, ids, tuple(notes), seconds)
    line.ledger.conclude(
        recording.recording_id,
        under(line.terms.fingerprint, recording),
        row.to_json(),
        degraded=bool(failed),
        run_id=line.run_id,
    )
    return row


def _at_hand(recording: Recording, inspection: Inspection) -> None:
    """Raises SourceError if a part that was scanned cannot be had now: what is concluded is never cut again."""
    for part, facts in zip(recording.parts, inspection.parts, strict=True):
        if not facts.reason:
            with regular_file(part.uri):
                pass


def _gap_ns(line: Line) -> int:
    return round(line.terms.policy.merge_gap_s * NS)


def _judge(line: Line, shown: Recording, signals: Sequence[Signal], degraded: tuple[str, ...]) -> tuple[Incident, ...]:
    """The incidents of one view."""
    decision = decide(signals, line.terms.policy, stream_id=shown.stream_id, degraded=degraded)
    return fold(
        decision,
        shown,
        installation_key=line.installation_key,
        opened_at=line.clock.now(),
        merge_gap_ns=_gap_ns(line),
    )


def _conclusion_id(line: Line, recording: Recording, failed: tuple[str, ...]) -> str:
    """The same for the same work. A degraded one is its run's own: the next run tries again and may find more."""
    again = (line.run_id,) if failed else ()
    terms = under(line.terms.fingerprint, recording)
    return keyed_id(line.installation_key, "conclusion", recording.recording_id, terms, *again)


def _gather(
    line: Line, recording: Recording, inspection: Inspection
) -> tuple[list[ChunkDone], dict[str, list[Signal]]]:
    """What all chunks of a recording say, by view."""
    terms = under(line.chunk_terms, recording)
    done: list[ChunkDone] = []
    seen: dict[str, list[Signal]] = {}
    for part, facts in enumerate(inspection.parts):
        for chunk in cut(part, facts):
            blob = line.ledger.done(inspection.recording_id, chunk.name, terms, run_id=line.run_id)
            if blob is None:
                raise LookupError(f"chunk {chunk.name} was not scored")
            one, said = unpack(blob)
            done.append(one)
            for view, signals in said.items():
                seen.setdefault(view, []).extend(signals)
    return done, seen


class _Cutting:
    """Cuts one incident's evidence at a time, so that memory holds one incident's bytes and not all."""

    def __init__(
        self,
        line: Line,
        recording: Recording,
        counterpart: Recording | None,
        incidents: Sequence[Incident],
        notes: list[str],
    ) -> None:
        self._line = line
        self._recording = recording
        self._counterpart = counterpart
        self._incidents = incidents
        self._notes = notes
        self.seconds = 0.0

    def drafts(self) -> Iterator[tuple[Incident, Sequence[Draft]]]:
        """In order of media time, so that each file's sound is decoded once and its digest taken once."""
        with AudioTapes.opened(self._line.ingest) as tapes:
            sources = replace(self._line.sources, audio=tapes.between, digest=Digests())
            for incident in self._incidents:
                began = time.perf_counter()
                captured = capture(
                    incident,
                    self._recording,
                    self._counterpart,
                    policy=self._line.terms.policy.ref,
                    sources=sources,
                    params=self._line.capture,
                )
                self._notes += captured.notes
                self.seconds += time.perf_counter() - began
                yield incident, captured.drafts


def _row(
    inspection: Inspection,
    done: Sequence[ChunkDone],
    degraded: tuple[str, ...],
    incidents: tuple[str, ...],
    notes: tuple[str, ...],
    seconds: dict[str, float],
) -> Row:
    tally = sum((d.tally for d in done), Tally())
    seen = tally.frames_sampled > 0 or tally.audio_windows > 0
    reason = combine([*(f.reason for f in inspection.parts), *(d.broken for d in done)])
    outcome = Outcome.UNREADABLE if not seen else Outcome.PARTIAL if reason else Outcome.SCANNED
    warnings = dict.fromkeys([*inspection.warnings, *(w for d in done for w in d.warnings), *notes])
    return Row(
        outcome=outcome,
        recording_id=inspection.recording_id,
        reason=reason or ("" if seen else "no frame and no sound could be decoded"),
        warnings=tuple(warnings),
        degraded=degraded,
        duration_s=round(tally.end_ns / NS, 3),
        frames_sampled=tally.frames_sampled,
        frames_scored=tally.frames_scored,
        frames_repeated=tally.frames_repeated,
        audio_s=round(tally.audio_ns / NS, 3),
        incidents=incidents,
        seconds={stage: round(spent, 4) for stage, spent in {**tally.seconds, **seconds}.items()},
    )
