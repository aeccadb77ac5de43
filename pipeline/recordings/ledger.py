"""The job ledger: which run did what, which chunk is done under which settings, and what the platform ordinarily holds.

Values that name anyone are sealed, look-ups are blinded, and the signals of a chunk live only until its recording is
concluded. Refuses to know what a chunk, a fingerprint or a report means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import ConfigError
from pipeline.core.recording import Recording
from pipeline.recordings.cipher import Cipher
from pipeline.recordings.database import Database
from pipeline.recordings.holdings import Holdings
from pipeline.recordings.opening import opened
from pipeline.recordings.ordinary import Ordinary
from pipeline.recordings.roll import Roll
from pipeline.recordings.tables import chunks, conclusions, enlisted, house, report_links, reports, runs

CHUNKS_KEPT = timedelta(days=7)
"""Signals of a recording that no run came back to conclude are forgotten after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as the ledger knows it. `finished_at` is None while it runs, or if it was cut off without a word."""

    run_id: str
    actor: str
    command: str
    started_at: datetime
    finished_at: datetime | None
    complete: bool
    totals: Mapping[str, Any]


class Ledger:
    """HOME/recordings/recordings.db under its own key; any number of processes may use it at once.

    Every write names its run and checks, in its own transaction, that this run is still the current one; if a newer one
    began, FencedError, and nothing was written.
    """

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._db = database
        self._cipher = cipher
        self._holdings = Holdings(cipher)
        self.roll = Roll(database, cipher)
        self.ordinary = Ordinary(database, cipher)

    @classmethod
    def open(cls, folder: Path, key: bytes) -> Self:
        """Open or create the ledger. `key` is the 32-byte recordings key; another key is refused with ConfigError."""
        return cls(*opened(folder, key))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def begin_run(self, run_id: str, *, at: datetime, actor: str, command: str) -> None:
        """Make `run_id` the current run: from now on no other run writes. An id is used once."""
        sealed = self._cipher.seal_json({"actor": actor, "command": command}, "runs", run_id)
        with self._db.write() as connection:
            connection.execute(
                insert(runs).values(run_id=run_id, started_at=utc_text(at), complete=False, sealed=sealed)
            )
            current = insert(house).values(name="current_run", value=run_id.encode())
            connection.execute(current.on_conflict_do_update(set_={"value": run_id.encode()}))

    def register(
        self, recording: Recording, *, sha256: Sequence[str], facts: Mapping[str, Any], run_id: str, at: datetime
    ) -> None:
        """Note that the platform holds `recording`; a later scan refreshes it.

        `sha256` is of each part, "" where it was not read; `facts` are JSON values, of which `duration_ns` of each part
        says how long the recording is.
        """
        with self._db.fenced(run_id) as connection:
            self._holdings.note(connection, recording, sha256, facts, run_id=run_id, at=at)

    def register_unread(self, recordings: Iterable[Recording], *, run_id: str, at: datetime) -> None:
        """Note what the platform holds and nobody may read, under an id of its name."""
        with self._db.fenced(run_id) as connection:
            for recording in recordings:
                named = replace(recording, recording_id=self._holdings.unread_id(recording))
                unread = [""] * len(recording.parts)
                self._holdings.note(connection, named, unread, {}, run_id=run_id, at=at)

    def done(self, recording_id: str, chunk: str, fingerprint: str, *, run_id: str) -> bytes | None:
        """The result of a finished chunk, or None. Degraded ones count only for the run that marked them."""
        key = (chunks.c.recording_id == recording_id, chunks.c.chunk == chunk, chunks.c.fingerprint == fingerprint)
        valid = or_(~chunks.c.degraded, chunks.c.run_id == run_id)
        with self._db.read() as connection:
            sealed = connection.scalar(select(chunks.c.sealed).where(*key, valid))
        return None if sealed is None else self._cipher.open(sealed, "chunks", recording_id, chunk, fingerprint)

    def mark(
        self, recording_id: str, chunk: str, fingerprint: str, result: bytes, *, degraded: bool, run_id: str
    ) -> None:
        """Keep the result of a finished chunk (sealed) until its recording is concluded; marking twice is once."""
        sealed = self._cipher.seal(result, "chunks", recording_id, chunk, fingerprint)
        fresh = {"run_id": run_id, "degraded": degraded, "sealed": sealed}
        key = {"recording_id": recording_id, "chunk": chunk, "fingerprint": fingerprint}
        with self._db.fenced(run_id) as connection:
            connection.execute(insert(chunks).values(**key, **fresh).on_conflict_do_update(set_=fresh))

    def forget(self, *, run_id: str) -> None:
        """Drop every chunk result of this run: they cannot be trusted."""
        with self._db.fenced(run_id) as connection:
            connection.execute(delete(chunks).where(chunks.c.run_id == run_id))

    def conclude(
        self, recording_id: str, fingerprint: str, report: Mapping[str, Any], *, degraded: bool, run_id: str
    ) -> None:
        """Keep the report (sealed) and forget all chunk results of this recording, in one transaction."""
        sealed = self._cipher.seal_json(report, "conclusions", recording_id, fingerprint)
        fresh = {"run_id": run_id, "degraded": degraded, "sealed": sealed}
        key = {"recording_id": recording_id, "fingerprint": fingerprint}
        with self._db.fenced(run_id) as connection:
            connection.execute(insert(conclusions).values(**key, **fresh).on_conflict_do_update(set_=fresh))
            connection.execute(delete(chunks).where(chunks.c.recording_id == recording_id))

    def concluded(self, recording_id: str, fingerprint: str, *, run_id: str) -> dict[str, Any] | None:
        """The report of a concluded recording, or None. Degraded ones count only for the run that concluded them."""
        key = (conclusions.c.recording_id == recording_id, conclusions.c.fingerprint == fingerprint)
        valid = or_(~conclusions.c.degraded, conclusions.c.run_id == run_id)
        with self._db.read() as connection:
            sealed = connection.scalar(select(conclusions.c.sealed).where(*key, valid))
        return None if sealed is None else self._cipher.open_json(sealed, "conclusions", recording_id, fingerprint)

    def look_again(self, since: datetime) -> int:
        """Forget what was concluded by runs that ended after `since` or never: the next scan looks anew. How many."""
        later = or_(runs.c.finished_at.is_(None), runs.c.finished_at >= utc_text(since))
        known = select(runs.c.run_id).where(~later)
        with self._db.write() as connection:
            return connection.execute(delete(conclusions).where(conclusions.c.run_id.not_in(known))).rowcount

    def report(
        self, position: int, report: Mapping[str, Any], *, run_id: str, recordings: Iterable[Recording] = ()
    ) -> None:
        """Keep what this run says of its recording number `position` (whatever its outcome), sealed.

        `recordings` are all that it speaks of: with any of them it goes.
        """
        sealed = self._cipher.seal_json(report, "reports", run_id, str(position))
        row = insert(reports).values(run_id=run_id, position=position, sealed=sealed)
        links = [
            {"name_mac": mac, "run_id": run_id, "position": position}
            for mac in sorted(map(self._holdings.name, recordings))
        ]
        with self._db.fenced(run_id) as connection:
            connection.execute(row.on_conflict_do_update(set_={"sealed": sealed}))
            if links:
                connection.execute(insert(report_links).on_conflict_do_nothing(), links)

    def finish_run(self, run_id: str, totals: Mapping[str, Any], *, at: datetime, complete: bool) -> None:
        """Close the run; `complete` is False after a clean stop, whose chunk results stay for the next start.

        Its roll goes, chunk results of earlier runs older than CHUNKS_KEPT go, and the write-ahead log is emptied of
        what was deleted (if a reader in another process prevents that, the next run does it).
        """
        stale = select(runs.c.run_id).where(runs.c.started_at < utc_text(at - CHUNKS_KEPT), runs.c.run_id != run_id)
        closed = {
            "finished_at": utc_text(at),
            "complete": complete,
            "totals": self._cipher.seal_json(totals, "runs", run_id, "totals"),
        }
        with self._db.fenced(run_id) as connection:
            connection.execute(update(runs).where(runs.c.run_id == run_id).values(closed))
            connection.execute(delete(chunks).where(chunks.c.run_id.in_(stale)))
            connection.execute(delete(enlisted))
        self._db.forget_deleted()

    def runs(self) -> tuple[Run, ...]:
        """All runs, newest first."""
        with self._db.read() as connection:
            rows = connection.execute(select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id)).all()
        return tuple(self._run(row) for row in rows)

    def run(self, run_id: str) -> Run:
        """One run; ConfigError if there is none of this id."""
        with self._db.read() as connection:
            row = connection.execute(select(runs).where(runs.c.run_id == run_id)).one_or_none()
        if row is None:
            raise ConfigError(f"no run {run_id} in this home: `watchkeep runs list` names them")
        return self._run(row)

    def _run(self, row: Any) -> Run:
        opened = self._cipher.open_json(row.sealed, "runs", row.run_id)
        totals = {} if row.totals is None else self._cipher.open_json(row.totals, "runs", row.run_id, "totals")
        return Run(
            run_id=row.run_id,
            actor=opened["actor"],
            command=opened["command"],
            started_at=utc_parse(row.started_at),
            finished_at=None if row.finished_at is None else utc_parse(row.finished_at),
            complete=row.complete,
            totals=totals,
        )

    def run_recordings(self, run_id: str) -> tuple[dict[str, Any], ...]:
        """The reports of a run, in the order of its recordings."""
        wanted = select(reports.c.position, reports.c.sealed).where(reports.c.run_id == run_id)
        with self._db.read() as connection:
            rows = connection.execute(wanted.order_by(reports.c.position)).all()
        return tuple(self._cipher.open_json(row.sealed, "reports", run_id, str(row.position)) for row in rows)
