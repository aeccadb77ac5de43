"""The job ledger: which run did what, which chunk is done under which settings, and what the platform ordinarily holds.

Values that name anyone are sealed, look-ups are blinded, and the signals of a chunk live only until its recording is
concluded. Refuses to know what a chunk, a fingerprint or a report means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.core.recording import UNKNOWN, Recording
from pipeline.recordings.cipher import Cipher
from pipeline.recordings.database import (
    Database,
    chunks,
    conclusions,
    enlisted,
    house,
    registered,
    registered_accounts,
    reports,
    runs,
)
from pipeline.recordings.described import described
from pipeline.recordings.roll import Roll

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A recording that the platform ordinarily holds; `details` is what `described` made of it, plus `facts`."""

    recording_id: str
    registered_at: datetime
    details: Mapping[str, Any]


class Ledger:
    """HOME/recordings/recordings.db under its own key; any number of processes may use it at once.

    Every write names its run and checks, in its own transaction, that this run is still the current one; if a newer one
    began, FencedError, and nothing was written.
    """

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._db = database
        self._cipher = cipher
        self.roll = Roll(database, cipher)

    @classmethod
    def open(cls, folder: Path, key: bytes) -> Self:
        """Open or create the ledger. `key` is the 32-byte recordings key; another key is refused with ConfigError."""
        cipher = Cipher(key)
        ledger = cls(Database(folder), cipher)
        try:
            cipher.open(ledger._key_check(), "house", "key_check")
        except IntegrityError:
            ledger.close()
            raise ConfigError(
                f"{folder} was written under another recordings key: point WATCHKEEP_KEYS at the folder of its keys"
            ) from None
        return ledger

    def _key_check(self) -> bytes:
        """A sealed value that only the right key opens; the first to come puts it there."""
        wanted = select(house.c.value).where(house.c.name == "key_check")
        with self._db.read() as connection:
            found: bytes | None = connection.scalar(wanted)
        if found is not None:
            return found
        mine = {"name": "key_check", "value": self._cipher.seal(b"recordings", "house", "key_check")}
        with self._db.write() as connection:
            connection.execute(insert(house).values(mine).on_conflict_do_nothing())
            return bytes(connection.scalars(wanted).one())

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

    def register(self, recording: Recording, facts: Mapping[str, Any], *, run_id: str, at: datetime) -> None:
        """Note that the platform holds `recording` at its uri; a later scan refreshes it. `facts` are JSON values."""
        row = {
            "recording_id": recording.recording_id,
            "uri_mac": self._cipher.blind("uri", recording.uri),
            "started_at": UNKNOWN if recording.started_at is None else utc_text(recording.started_at),
            "registered_at": utc_text(at),
            "sealed": self._cipher.seal_json(
                {**described(recording), "facts": dict(facts)}, "registered", recording.recording_id
            ),
        }
        refreshed = {name: row[name] for name in ("started_at", "sealed")}
        accounts = {p.account for p in recording.participants} - {UNKNOWN}
        with self._db.fenced(run_id) as connection:
            connection.execute(insert(registered).values(row).on_conflict_do_update(set_=refreshed))
            for account in accounts:
                mac = self._cipher.blind("account", account)
                link = {"account_mac": mac, "recording_id": row["recording_id"], "uri_mac": row["uri_mac"]}
                connection.execute(insert(registered_accounts).values(link).on_conflict_do_nothing())

    def recordings_of(self, account: str) -> tuple[Registered, ...]:
        """The registered recordings that show `account`, oldest entry first."""
        links = registered_accounts
        held = select(registered.c.recording_id, registered.c.registered_at, registered.c.sealed).join(
            links, and_(links.c.recording_id == registered.c.recording_id, links.c.uri_mac == registered.c.uri_mac)
        )
        wanted = held.where(links.c.account_mac == self._cipher.blind("account", account))
        with self._db.read() as connection:
            rows = connection.execute(wanted.order_by(registered.c.registered_at, registered.c.recording_id)).all()
        return tuple(
            Registered(
                recording_id=row.recording_id,
                registered_at=utc_parse(row.registered_at),
                details=self._cipher.open_json(row.sealed, "registered", row.recording_id),
            )
            for row in rows
        )

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

    def report(self, position: int, report: Mapping[str, Any], *, run_id: str) -> None:
        """Keep what this run says of its recording number `position` (whatever its outcome), sealed."""
        sealed = self._cipher.seal_json(report, "reports", run_id, str(position))
        row = insert(reports).values(run_id=run_id, position=position, sealed=sealed)
        with self._db.fenced(run_id) as connection:
            connection.execute(row.on_conflict_do_update(set_={"sealed": sealed}))

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
