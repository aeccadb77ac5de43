"""The catalog's database: opened at its newest version, and its two kinds of transaction.

SQLite with WAL, synchronous=FULL, secure_delete and foreign keys. Refuses to know what the rows mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, exc

from pipeline.core.errors import BusyError, ConfigError, IntegrityError, SealError
from pipeline.vault.disk import locked, make_folder, sync_file, write_new

REVISION = "0002"
"""The newest step in `migrations`."""

BUSY_TIMEOUT_S = 30
LOG_TIMEOUT_MS = 500
FILE = "catalog.db"
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", "temp_store=MEMORY")


class Catalog:
    """`folder`/catalog.db, for many processes at once; brought to the newest version when opened, under a lock.

    Raises ConfigError for a catalog of a newer program, IntegrityError for one that is damaged, BusyError if another
    process holds it for too long, SealError if it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.path = folder / FILE
        self._engine = _engine(self.path)
        with locked(folder / "lock"):
            self.path.touch(mode=0o600)  # the -wal and -shm files take over this mode
            with self.write() as tx:
                self._migrate(tx)

    def _migrate(self, tx: Connection) -> None:
        known = tx.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").first()
        version = tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if known else None
        if version == REVISION:
            return
        if version is not None and str(version) > REVISION:
            raise ConfigError(f"{self.path} was written by a newer watchkeep (version {version}): update watchkeep")
        from alembic import command  # slow to import, and needed only when there is something to migrate
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        config.attributes["connection"] = tx
        command.upgrade(config, "head")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot; waits for no writer."""
        with self._transaction("DEFERRED") as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that owns the write lock from its first statement, so what it checks stays true."""
        with self._transaction("IMMEDIATE") as tx:
            yield tx

    @contextmanager
    def _transaction(self, mode: str) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(begin_mode=mode) as tx, tx.begin():
                yield tx
        except exc.OperationalError as error:
            if "locked" in str(error.orig):
                raise BusyError(f"{self.path} is held by another process for too long: try again") from error
            raise SealError(
                f"{self.path} cannot be used ({error.orig}): make room on its disk or mend it, and give "
                "the same command again; nothing that is sealed is given up for it"
            ) from error
        except exc.IntegrityError:
            raise  # a broken constraint is our own fault, not a damaged file
        except exc.DatabaseError as error:
            raise IntegrityError(f"{self.path} is damaged ({error.orig}): restore it from a backup") from error

    def empty_log(self) -> bool:
        """Bring the write-ahead log into the file and empty it, so that nothing erased lies in it any more.

        False if a reader stands in the way for too long: then a later one does it. SealError if the disk refuses.
        """
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={LOG_TIMEOUT_MS}")
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")
        except sqlite3.OperationalError as error:
            connection.invalidate()
            raise SealError(
                f"the log of {self.path} cannot be emptied ({error}): make room, and sweep again"
            ) from error
        finally:
            connection.close()
        return not busy

    def copy(self, to: Path) -> None:
        """One snapshot of all of it as the new file `to`, durable; writers go on meanwhile."""
        write_new(to, b"")
        with self.read() as tx, closing(sqlite3.connect(to)) as copy:
            try:
                driver: sqlite3.Connection = tx.connection.driver_connection  # type: ignore[assignment]  # SQLite's own
                driver.backup(copy)
            except sqlite3.Error as error:
                raise SealError(f"{self.path} cannot be copied to {to}: {error}") from error
        sync_file(to)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


@contextmanager
def read_copy(path: Path) -> Iterator[Connection]:
    """Read a copy that nobody writes; no file is made beside it."""
    where = f"file:{quote(str(path))}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(where, uri=True), poolclass=QueuePool)
    try:
        with engine.connect() as tx:
            yield tx
    finally:
        engine.dispose()


def let_go(path: Path) -> None:
    """Take the catalog out of use before it is moved: its write-ahead log goes into it.

    Raises BusyError while another process has it open; one that is no database any more is nobody's.
    """
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as alone:
        try:
            (mode,) = alone.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.DatabaseError as error:
            mode = "wal" if "locked" in str(error) else ""
    if mode == "wal":
        raise BusyError(f"{path} is open in another process: end that, and restore again")


def _engine(path: Path) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: _connect(path), poolclass=QueuePool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def _begin(tx: Connection) -> None:
        tx.exec_driver_sql(f"BEGIN {tx.get_execution_options()['begin_mode']}")

    return engine


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return _opened(path, _PRAGMAS)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise
        # A full disk has no room for the index of the log, which alone needs no file: reading and proving go on.
        return _opened(path, ("locking_mode=EXCLUSIVE", *_PRAGMAS))


def _opened(path: Path, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    # isolation_level=None: sqlite3 begins nothing by itself, `_begin` says which kind of transaction it is.
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
