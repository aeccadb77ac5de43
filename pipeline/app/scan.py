"""The scan service: from what was asked to a report, under the home's lock."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.app.actor import actor
from pipeline.app.compose import Installation, compose_line, fetch_models
from pipeline.app.home import Home
from pipeline.app.workers import MakeWorker, Workers, wants_ray
from pipeline.core.clock import utc_text
from pipeline.core.errors import ConfigError, IntegrityError, ModelError, SealError
from pipeline.core.ids import digest_of
from pipeline.core.recording import UNKNOWN, Recording
from pipeline.decide.permit import permit
from pipeline.decide.policy import Policy
from pipeline.ingest.limits import limit_core
from pipeline.recordings.lock import HomeLock
from pipeline.runtime.job import Job, Progress
from pipeline.runtime.line import Line
from pipeline.runtime.report import Outcome, Report, Row
from pipeline.runtime.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for."""

    paths: tuple[str, ...] = ()
    manifest: Path | None = None
    policy: Path | None = None
    workers: int | None = None
    ray: str | None = None
    command: tuple[str, ...] = ()


def scan(home: Home, request: Request, *, progress: Callable[[Progress], None], say: Callable[[str], None]) -> Report:
    """Scan; on Ctrl-C the report is of what was done so far, and `complete` is False.

    Raises ConfigError, ModelError, BusyError and what a broken vault raises, each a sentence.
    """
    installation = Installation.open(home, policy=request.policy)
    recordings = installation.recordings(request.paths, request.manifest)
    if not recordings:
        looked = ", ".join(map(repr, request.paths + ((str(request.manifest),) if request.manifest else ())))
        raise ConfigError(
            f"nothing to scan: {looked or 'no name'} holds no file; name media files, folders or a --manifest"
        )
    sizes = [sum(_size(part.uri) for part in r.parts) for r in recordings]
    ray = wants_ray(request.ray or installation.settings.run.ray, sum(sizes))
    limit_core()
    with HomeLock(home.lock, at=installation.clock.now()):
        fetch_models(installation, say)
        began = installation.clock.now()
        run_id = digest_of((utc_text(began), str(os.getpid()), str(time.monotonic_ns())))[:16]
        line = compose_line(installation, run_id)
        for original in line.ledger.ordinary.finish(now=began).waiting:
            say(f"{original.uri!r} of a deleted recording could not be removed yet: {original.why}")
        line.ledger.begin_run(run_id, at=began, actor=actor(), command=shlex.join(request.command))
        line.vault.begin_run(run_id, actor=actor())
        line.ledger.roll.enlist(run_id, recordings)
        job = Job(
            run_id=run_id,
            recordings=recordings,
            sizes=sizes,
            closed=_not_permitted(recordings, installation.policy),
            terms=line.terms.fingerprint,
            chunk_terms=line.chunk_terms,
        )
        line.ledger.register_unread((recordings[p] for p in job.closed), run_id=run_id, at=began)
        driver = Scan(job, line.ledger, progress)
        make = MakeWorker(home=home, policy=request.policy, run_id=run_id, terms=line.terms.fingerprint)
        count = request.workers or installation.settings.run.workers or len(os.sched_getaffinity(0))
        with Workers(make, count=count, task_s=installation.settings.ingest.max_task_s, ray=ray, say=say) as workers:
            try:
                report = driver.run(workers.pool)
            except KeyboardInterrupt:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                say("stopping")
                workers.leaving = True
                report = driver.report(complete=False)
            except (ModelError, SealError, IntegrityError):
                _finish(line, driver.report(complete=False))
                raise
        _finish(line, report)
    return report


def _finish(line: Line, report: Report) -> None:
    line.ledger.finish_run(line.run_id, report.totals(), at=line.clock.now(), complete=report.complete)
    _close(line)


def _close(line: Line) -> None:
    line.ledger.close()
    line.vault.close()


def _size(uri: str) -> int:
    try:
        return os.lstat(uri).st_size
    except (OSError, ValueError):
        return 0


def _not_permitted(recordings: Sequence[Recording], policy: Policy) -> dict[int, Row]:
    """The gate before decoding: sessions whose people may not be scanned automatically."""
    sessions: dict[str, list[Recording]] = {}
    for recording in recordings:
        sessions.setdefault(recording.session_id, []).append(recording)
    closed: dict[int, Row] = {}
    for position, recording in enumerate(recordings):
        together = [recording] if recording.session_id == UNKNOWN else sessions[recording.session_id]
        answer = permit(together, policy)
        if not answer.permitted:
            closed[position] = Row(outcome=Outcome.NOT_PERMITTED, reason=f"{answer.rule}, {answer.citation}")
    return closed
