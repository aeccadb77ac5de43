"""The SQLite file behind the ledger: its version and its transactions.

Knows nothing of what the columns mean. Every byte that names anyone arrives here sealed or blinded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, exc, select

from pipeline.core.errors import BusyError, ConfigError, FencedError, IntegrityError, WatchkeepError
from pipeline.recordings.migrations import MIGRATIONS, migrate
from pipeline.recordings.tables import house

BUSY_TIMEOUT_MS = 30_000
READER_WAIT_MS = 1_000
FILE = "recordings.db"


class Database:
    """`folder`/recordings.db with WAL, synchronous=FULL and secure_delete; many processes may hold it at once.

    A file written by a newer program is refused with ConfigError, one that is no database with IntegrityError.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / FILE
        self._path.touch(mode=0o600)  # the -wal and -shm files take over this mode
        self._engine = _engine(self._path)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def _migrate(self) -> None:
        with self.read() as connection:
            version = _version(connection)
        if version > len(MIGRATIONS):
            raise ConfigError(
                f"{self._path} was written by a newer watchkeep (version {version}, this one knows "
                f"{len(MIGRATIONS)}): update watchkeep"
            )
        if version == len(MIGRATIONS):
            return
        with self.write() as connection:
            migrate(connection, _version(connection))  # asked again: another process may have been faster

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that owns the write lock from its first statement, so what it checks stays true."""
        with self._transaction("IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def fenced(self, run_id: str) -> Iterator[Connection]:
        """A `write` that first checks that `run_id` is the current run; FencedError if a newer one began."""
        with self.write() as connection:
            current = connection.scalar(select(house.c.value).where(house.c.name == "current_run"))
            if current != run_id.encode():
                raise FencedError(f"run {run_id} was overtaken by a newer run of this home and writes nothing more")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot; never waits for a writer."""
        with self._transaction("DEFERRED") as connection:
            yield connection

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(begin=mode) as connection, connection.begin():
                yield connection
        except exc.OperationalError as error:
            if "locked" in str(error.orig):
                raise BusyError(f"{self._path} is held by another process for too long: try again") from error
            raise WatchkeepError(
                f"{self._path} cannot be used ({error.orig}): make room on its disk or mend it, and give "
                "the same command again; nothing that is sealed is given up for it"
            ) from error
        except exc.DatabaseError as error:
            raise IntegrityError(f"{self._path} is damaged ({error.orig}): restore it from a backup") from error

    def forget_deleted(self) -> bool:
        """Empty the write-ahead log, where deleted rows live on; False if a reader in another process prevents it."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {READER_WAIT_MS}")
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        return not busy

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _engine(path: Path) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: _connect(path), hide_parameters=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if mode := connection.get_execution_options().get("begin"):
            connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _connect(path: Path) -> sqlite3.Connection:
    # isolation_level=None: sqlite3 itself begins no transactions, `_begin` says which kind.
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
