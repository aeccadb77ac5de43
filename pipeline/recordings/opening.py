"""Opens the ledger's file under its key, for all that works on it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.recordings.cipher import Cipher
from pipeline.recordings.database import Database
from pipeline.recordings.tables import house


def opened(folder: Path, key: bytes) -> tuple[Database, Cipher]:
    """The file in `folder`, made if missing, and the cipher of the 32-byte recordings `key`.

    Another key is refused with ConfigError. The caller closes the database.
    """
    cipher = Cipher(key)
    database = Database(folder)
    try:
        cipher.open(_key_check(database, cipher), "house", "key_check")
    except IntegrityError:
        database.close()
        raise ConfigError(
            f"{folder} was written under another recordings key: point WATCHKEEP_KEYS at the folder of its keys"
        ) from None
    except BaseException:
        database.close()
        raise
    return database, cipher


def _key_check(database: Database, cipher: Cipher) -> bytes:
    """A sealed value that only the right key opens; the first to come puts it there."""
    wanted = select(house.c.value).where(house.c.name == "key_check")
    with database.read() as connection:
        found: bytes | None = connection.scalar(wanted)
    if found is not None:
        return found
    mine = {"name": "key_check", "value": cipher.seal(b"recordings", "house", "key_check")}
    with database.write() as connection:
        connection.execute(insert(house).values(mine).on_conflict_do_nothing())
        return bytes(connection.scalars(wanted).one())
