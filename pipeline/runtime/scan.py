"""The driver: which task runs next, what its answer means, and the report. It touches no media and no signals.

Order: the canary first; then conclusions (they free the ledger), then inspections, as few as keep chunks in store, then
chunks, longest first. A worker that dies loses nothing: its task is handed out again.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.core.errors import FencedError, IntegrityError, ModelError, SealError, WatchkeepError
from pipeline.recordings.ledger import Ledger
from pipeline.runtime.job import Job, Progress
from pipeline.runtime.pool import Pool
from pipeline.runtime.report import LOST, Outcome, Report, Row, combine
from pipeline.runtime.signals import pack
from pipeline.runtime.tasks import (
    DECODER,
    Act,
    Answer,
    ChunkDone,
    Concluded,
    Failed,
    Inspection,
    Tally,
    Task,
    cut,
    weight,
)
from pipeline.runtime.views import under

TRIES = 3
"""A task is handed out at most this often; decoders that die on one chunk three times will die again."""


@dataclass(slots=True)
class _Open:
    """A recording on its way."""

    inspection: Inspection
    waiting: int


class Scan:
    """One run over enlisted recordings."""

    def __init__(self, job: Job, ledger: Ledger, progress: Callable[[Progress], None]) -> None:
        self._job = job
        self._recordings = job.recordings
        self._ledger = ledger
        self._progress = progress
        self._rows: dict[int, Row] = {}
        self._open: dict[int, _Open] = {}
        self._first: dict[str, int] = {}
        self._twins: dict[int, list[int]] = {}
        self._ready: list[tuple[int, float, str, Task]] = []
        self._flying: dict[str, Task] = {}
        self._tries: dict[str, int] = {}
        self._media_s = self._known_s = 0.0
        self._began = time.perf_counter()
        self.first_score_s = 0.0
        self.canary = "not run"
        for position, row in job.closed.items():
            self._close(position, row)
        todo = [p for p in range(len(job.recordings)) if p not in job.closed]
        self._uninspected = sorted(todo, key=lambda p: (job.sizes[p], -p))
        self._push(Task(act=Act.CANARY))

    def run(self, pool: Pool) -> Report:
        """Drive the pool until every recording has its row. KeyboardInterrupt passes through, with nothing lost."""
        last = 0.0
        while len(self._rows) < len(self._recordings) or self._flying or self._ready:
            self._hand_out(pool)
            answered = pool.next(0.25)
            if answered is not None:
                self._take(*answered)
            now = time.perf_counter()
            if now - last > 0.2:
                last = now
                self._tell()
        self._tell()
        return self.report(complete=True)

    def report(self, *, complete: bool) -> Report:
        """What is known so far, in the order in which the recordings were named."""
        rows = tuple(replace(self._rows[p], uri=r.uri) for p, r in enumerate(self._recordings) if p in self._rows)
        wall = time.perf_counter() - self._began
        return Report(
            run_id=self._job.run_id,
            rows=rows,
            wall_s=wall,
            first_score_s=self.first_score_s,
            canary=self.canary,
            complete=complete,
        )

    def _tell(self) -> None:
        self._progress(
            Progress(
                recordings=len(self._recordings),
                finished=len(self._rows),
                media_s=self._media_s,
                known_s=self._known_s,
                flagged=len({i for r in self._rows.values() for i in r.incidents}),
                wall_s=time.perf_counter() - self._began,
            )
        )

    def _push(self, task: Task) -> None:
        order = {Act.CANARY: 0, Act.CONCLUDE: 1, Act.INSPECT: 2, Act.SCORE: 3}[task.act]
        heapq.heappush(self._ready, (order, -task.weight, task.name, task))

    def _hand_out(self, pool: Pool) -> None:
        while len(self._flying) < pool.capacity:
            # As many chunks in store as there are workers: the longest goes first, what is short fills the end. But no
            # more of the archive is inspected than that takes.
            while self._uninspected and len(self._ready) < pool.capacity:
                position = self._uninspected.pop()
                self._push(Task(act=Act.INSPECT, position=position, weight=self._job.sizes[position]))
            task = self._pick()
            if task is None:
                return
            self._flying[task.name] = task
            pool.submit(task)

    def _pick(self) -> Task | None:
        held: list[tuple[int, float, str, Task]] = []
        picked: Task | None = None
        while self._ready:
            entry = heapq.heappop(self._ready)
            if entry[3].act is Act.CONCLUDE and self.canary == "not run":
                held.append(entry)
                continue
            picked = entry[3]
            break
        for entry in held:
            heapq.heappush(self._ready, entry)
        return picked

    def _take(self, task: Task, answer: Answer) -> None:
        del self._flying[task.name]
        if isinstance(answer, Failed):
            self._failed(task, answer)
        elif isinstance(answer, Inspection):
            self._inspected(answer)
        elif isinstance(answer, ChunkDone):
            self.first_score_s = self.first_score_s or time.perf_counter() - self._began
            self._media_s += task.weight
            self._scored(task)
        elif isinstance(answer, Concluded):
            self._close(task.position, answer.row)
        else:
            self._listen(answer)

    def _listen(self, canary: str) -> None:
        """After a failed canary nothing of this run may count: its chunks are forgotten, nothing was concluded."""
        if canary != "ok":
            self._ledger.forget(run_id=self._job.run_id)
            raise ModelError(
                f"the canary failed ({canary}): this installation does not find what it must, so nothing was decided; "
                "`watchkeep models verify` and `watchkeep doctor` look for the cause"
            )
        self.canary = canary

    def _failed(self, task: Task, failure: Failed) -> None:
        if failure.fault == "fenced":
            raise FencedError(failure.reason)
        if failure.fault == "integrity":
            raise IntegrityError(failure.reason)
        if failure.fault == "seal":
            raise SealError(failure.reason)
        if failure.fault == "other":
            raise WatchkeepError(failure.reason)
        self._tries[task.name] = self._tries.get(task.name, 0) + 1
        if failure.fault in ("died", "program") and self._tries[task.name] < TRIES:
            self._push(task)
            return
        reason = failure.reason if failure.fault != "died" else f"its worker died {TRIES} times ({failure.reason})"
        match task.act:
            case Act.CANARY:
                self._listen(reason)
            case Act.INSPECT:
                self._close(task.position, Row(outcome=Outcome.UNREADABLE, reason=reason))
            case Act.SCORE:
                self._lost(task, reason, again=failure.fault != "source")
                self._scored(task)
            case Act.CONCLUDE:
                row = Row(outcome=Outcome.PARTIAL, recording_id=task.recording_id, reason=reason, degraded=(LOST,))
                self._close(task.position, row)

    def _inspected(self, found: Inspection) -> None:
        position = found.position
        if found.recording_id in self._first and any(not f.reason for f in found.parts):
            original = self._first[found.recording_id]
            if original in self._rows:
                self._echo(position, original)
            else:
                self._twins.setdefault(original, []).append(position)
            return
        self._first[found.recording_id] = position
        if found.done:
            before = self._ledger.concluded(
                found.recording_id, self._under(self._job.terms, position), run_id=self._job.run_id
            )
            assert before is not None  # noqa: S101
            row = Row.from_json(before)
            self._close(position, row.as_skipped())
            return
        # A part that is still being written makes the recording another one when it is finished: what is sealed of the
        # others now would be sealed once more then.
        later = any(f.retry for f in found.parts)
        if later or all(f.reason for f in found.parts):
            outcome = Outcome.SKIPPED if later else Outcome.UNREADABLE
            self._close(position, Row(outcome=outcome, reason=combine([f.reason for f in found.parts])))
            return
        tasks = [
            Task(
                act=Act.SCORE,
                position=position,
                recording_id=found.recording_id,
                chunk=chunk,
                weight=weight(facts, chunk),
            )
            for part, facts in enumerate(found.parts)
            for chunk in cut(part, facts)
        ]
        if not tasks:
            reason = "no detector that is switched on looks at what it holds"
            self._close(position, Row(outcome=Outcome.SKIPPED, recording_id=found.recording_id, reason=reason))
            return
        self._open[position] = _Open(found, len(tasks))
        self._known_s += sum(t.weight for t in tasks)
        for task in tasks:
            self._push(task)

    def _lost(self, task: Task, reason: str, *, again: bool) -> None:
        """A chunk nobody could score: what was seen of the others still counts; `again` lets the next run retry it."""
        assert task.chunk is not None  # noqa: S101
        silent = (DECODER,) if again else ()
        blob = pack(ChunkDone(tally=Tally(), broken=reason, degraded=silent), {})
        self._ledger.mark(
            task.recording_id,
            task.chunk.name,
            self._under(self._job.chunk_terms, task.position),
            blob,
            degraded=again,
            run_id=self._job.run_id,
        )

    def _scored(self, task: Task) -> None:
        state = self._open[task.position]
        state.waiting -= 1
        if state.waiting:
            return
        del self._open[task.position]
        self._push(
            Task(
                act=Act.CONCLUDE,
                position=task.position,
                recording_id=task.recording_id,
                inspection=state.inspection,
            )
        )

    def _under(self, terms: str, position: int) -> str:
        return under(terms, self._recordings[position])

    def _close(self, position: int, row: Row) -> None:
        """A recording has its row, and so have those with the same content that waited for it."""
        self._record(position, row)
        for twin in self._twins.pop(position, ()):
            self._echo(twin, position)

    def _echo(self, position: int, original: int) -> None:
        row = self._rows[original]
        note = f"the same content as {self._recordings[original].uri!r}: scanned once for both"
        self._record(position, replace(row, warnings=(*row.warnings, note), seconds={}), also=original)

    def _record(self, position: int, row: Row, *, also: int | None = None) -> None:
        self._rows[position] = row
        named = replace(row, uri=self._recordings[position].uri)
        speaks_of = [self._recordings[p] for p in (position, also) if p is not None]
        self._ledger.report(position, named.to_json(), run_id=self._job.run_id, recordings=speaks_of)
