"""The SQLite file of people: its tables, their versions, its transactions, and the lock of changes.

Knows nothing of what the columns mean; the one module of this package that knows SQL's dialect.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, QueuePool, Table, Text, create_engine, event, exc

from pipeline.core.errors import BusyError, ConfigError, IntegrityError, WatchkeepError

BUSY_TIMEOUT_MS = 30_000
FILE = "people.db"
LOCK = "lock"

Transaction = Connection
"""What `Database.read` and `Database.write` hand out."""


def _text(name: str, *, key: bool = False, unique: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False, unique=unique)


_meta = MetaData()
person = Table(
    "person",
    _meta,
    _text("person_id", key=True),
    _text("name"),
    _text("name_key", unique=True),  # folded: two names that differ in case or form only are one
    _text("passphrase"),  # argon2id with its parameters and salt, never the passphrase
    _text("made_at"),
    _text("renewed_at"),  # when somebody last made, reset or re-enabled the account
    _text("disabled_at"),  # "" while it is not
)
appointment = Table("appointment", _meta, _text("person_id", key=True), _text("role", key=True), _text("granted_at"))
attempt = Table(
    "attempt",
    _meta,
    _text("slot", key=True),
    Column("failures", Integer, nullable=False),
    _text("last_at"),
    _text("locked_until"),  # "" while it is not
)
pending = Table("pending", _meta, _text("person_id", key=True), _text("body"), _text("approval_id"))
"""A change that is being written down in the audit chain: the account as it will be."""
candidate = Table("candidate", _meta, _text("digest", key=True), _text("passphrase"), _text("made_at"))
"""Passphrases that were handed in and wait for an approval; the request names the digest only."""
approval_request = Table(
    "approval_request",
    _meta,
    _text("request_id", key=True),
    _text("act"),
    _text("params"),
    _text("digest"),
    _text("requested_by"),
    _text("requested_at"),
    _text("expires_at"),
    Column("needed", Integer, nullable=False),
    _text("roles"),
    _text("refused_by"),
    _text("refused_at"),
    _text("reason"),
    _text("spent_at"),
)
vote = Table("vote", _meta, _text("request_id", key=True), _text("person_id", key=True), _text("at"))


def _first_tables(connection: Connection) -> None:
    tables = [person, appointment, attempt, pending, candidate, approval_request, vote]
    _meta.create_all(connection, tables=tables, checkfirst=False)


MIGRATIONS = (_first_tables,)
"""Entry i brings a file from version i to i + 1. Once released, an entry is frozen and further ones are appended."""


class Database:
    """`folder`/people.db with WAL, synchronous=FULL and secure_delete; many processes may hold it at once.

    A file written by a newer program is refused with ConfigError, one that is no database with IntegrityError.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / FILE
        self._path.touch(mode=0o600)  # the -wal and -shm files take over this mode
        self._engine = _engine(self._path)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def _migrate(self) -> None:
        with self.read() as tx:
            version = _version(tx)
        if version > len(MIGRATIONS):
            raise ConfigError(
                f"{self._path} was written by a newer watchkeep (version {version}, this one knows "
                f"{len(MIGRATIONS)}): update watchkeep"
            )
        if version == len(MIGRATIONS):
            return
        with self.write() as tx:
            for step in MIGRATIONS[_version(tx) :]:  # asked again: another process may have been faster
                step(tx)
            tx.exec_driver_sql(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction that owns the write lock from its first statement, so what it checks stays true."""
        with self._transaction("IMMEDIATE") as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One snapshot; never waits for a writer."""
        with self._transaction("DEFERRED") as tx:
            yield tx

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[Transaction]:
        try:
            with self._engine.connect().execution_options(begin=mode) as tx, tx.begin():
                yield tx
        except exc.OperationalError as error:
            if "locked" in str(error.orig):
                raise BusyError(f"{self._path} is held by another process for too long: try again") from error
            raise WatchkeepError(f"{self._path} cannot be used: {error.orig}") from error
        except exc.DatabaseError as error:
            raise IntegrityError(f"{self._path} is damaged ({error.orig}): restore it from a backup") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other process changes an account meanwhile, see `alone`."""
        with alone(self._folder):
            yield

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of changes: nobody changes an account meanwhile; the kernel frees it however its holder ends.

    A backup that takes catalog and people under it has both of one moment. BusyError if it is held for too long.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise BusyError(f"{folder} is being changed by another process for too long: try again") from None
                time.sleep(0.01)
        yield
    finally:
        os.close(handle)


def copy(folder: Path, to: Path) -> bool:
    """One snapshot of the file of `folder` as the new file `to`; False if there is none. The caller syncs it."""
    if not (folder / FILE).exists():
        return False
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(handle)
    try:
        with closing(_connect(folder / FILE)) as people, closing(sqlite3.connect(to)) as fresh:
            people.backup(fresh)
    except sqlite3.Error as error:
        raise WatchkeepError(f"{folder / FILE} cannot be copied to {to}: {error}") from error
    return True


def _version(tx: Transaction) -> int:
    return int(tx.exec_driver_sql("PRAGMA user_version").scalar_one())


def _engine(path: Path) -> Engine:
    # The pool of "sqlite://" would give a thread that reads inside a write the connection of the write.
    engine = create_engine("sqlite://", creator=lambda: _connect(path), poolclass=QueuePool, hide_parameters=True)

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
