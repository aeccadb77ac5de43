"""Ordinary deletion: what the platform ordinarily holds goes, at its time or when somebody asks, whatever else is kept.

It has no key, no folder and no word in common with evidence: it cannot know whether a recording was flagged, held or
copied, and does not ask. A plan comes first; whatever changes anything is called under the home's lock.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.core.clock import utc_parse, utc_text
from pipeline.recordings.cipher import Cipher
from pipeline.recordings.database import Database
from pipeline.recordings.fates import ANEW, CHAT, OURS, SHARED, TOLD_KEPT, YOURS, Deleted, Fate, Told
from pipeline.recordings.held import Held, Key, Wanted
from pipeline.recordings.holdings import Holdings
from pipeline.recordings.opening import opened
from pipeline.recordings.originals import Original, Removal, noted, remove
from pipeline.recordings.scope import Scoped, scoped
from pipeline.recordings.tables import enlisted, house, leaving, told

BATCH = 50
"""Recordings, and files, to a transaction: each is a wait for the disk."""


class Ordinary:
    """Ordinary content and its deletion; the ledger's sibling over the same file and key."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._db = database
        self._cipher = cipher
        self._holdings = Holdings(cipher)

    @classmethod
    def open(cls, folder: Path, key: bytes) -> Self:
        """Open or create the file in `folder`; another recordings key than its own is refused with ConfigError."""
        return cls(*opened(folder, key))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def list(self, wanted: Wanted) -> Iterator[Held]:
        """What is held and wanted, the oldest first."""
        for key in self._keys(wanted):
            with self._db.read() as connection:
                found = self._holdings.open(connection, key)
            if found is not None:
                yield found

    def plan(self, wanted: Wanted) -> Iterator[tuple[Held, tuple[Fate, ...]]]:
        """What `delete` would forget, and do with the files of each; changes nothing."""
        gone: set[Key] = set()
        for found in self.list(wanted):
            gone.add(found.key)
            with self._db.read() as connection:
                fates = tuple(fate for fate, _ in self._fates(connection, found, gone))
            yield found, fates

    def delete(self, wanted: Wanted, *, now: datetime, progress: Callable[[int, int], None] | None = None) -> Deleted:
        """Forget what is wanted, each recording with its results and reports at once; then remove originals.

        What an earlier deletion left unfinished is finished too. `progress` hears how many of how many are forgotten.
        """
        keys = self._keys(wanted)
        self._overtake()
        said: dict[str, Told] = {}
        forgotten = 0
        for first in range(0, len(keys), BATCH):
            with self._db.write() as connection:
                forgotten += sum(self._forget(connection, key, now, said) for key in keys[first : first + BATCH])
            if progress is not None:
                progress(min(first + BATCH, len(keys)), len(keys))
        return self._finish(forgotten, now, said)

    def finish(self, *, now: datetime) -> Deleted:
        """Remove the originals that a deletion which was cut off had written down; `delete` does it too."""
        return self._finish(0, now, {})

    def told(self) -> tuple[Told, ...]:
        """What the platform was told to delete in the last TOLD_KEPT, oldest first."""
        with self._db.read() as connection:
            rows = connection.execute(select(told).order_by(told.c.told_at, told.c.told_id)).all()
        return tuple(
            Told(at=utc_parse(row.told_at), **self._cipher.open_json(row.sealed, "told", row.told_id)) for row in rows
        )

    def waiting(self) -> tuple[Told, ...]:
        """Managed originals whose recording is forgotten and which could not be removed yet, and why."""
        return tuple(Told(uri=original.uri, why=why, at=at) for _, original, why, at in self._leaving())

    def in_scope(
        self, *, begin: datetime | None, end: datetime | None, account: str = "", participant: str = ""
    ) -> Iterator[Scoped]:
        """What an order to preserve has to copy: all that shows the account (or handle) and may overlap [begin, end).

        A snapshot: what is registered or deleted while it is read changes nothing in it. None is an open end. Doubt
        about the time counts as in scope, and is said. Raises ValueError if nobody is named.
        """
        if not account and not participant:
            raise ValueError("an order to preserve names an account or a participant")
        with self._db.read() as connection:
            keys = self._holdings.keys(connection, Wanted(account=account, participant=participant))
            rows = [self._holdings.open(connection, key) for key in keys]
        return (found for row in rows if row is not None and (found := scoped(row, begin, end)) is not None)

    def _keys(self, wanted: Wanted) -> tuple[Key, ...]:
        with self._db.read() as connection:
            return self._holdings.keys(connection, wanted)

    def _overtake(self) -> None:
        """Workers that outlived a killed scan write nothing any more, and its roll, which names everybody, goes."""
        with self._db.write() as connection:
            connection.execute(update(house).where(house.c.name == "current_run").values(value=b""))
            connection.execute(delete(enlisted))

    def _fates(self, connection: Connection, found: Held, gone: set[Key]) -> Iterator[tuple[Fate, Original]]:
        """Of each file of a recording, once; `gone` are the rows that do not count as naming it any more."""
        for original in {o.place: o for o in found.originals}.values():
            if self._holdings.sharing(connection, original) - gone:
                yield Fate(uri=original.uri, removes=False, why=SHARED), original
            elif found.recording.managed:
                yield Fate(uri=original.uri, removes=True, why=OURS), original
            else:
                yield Fate(uri=original.uri, removes=False, why=YOURS), original
        if found.recording.chat:
            chat = noted(found.recording.chat)
            if not self._holdings.sharing(connection, chat) - gone:
                yield Fate(uri=chat.uri, removes=False, why=CHAT), chat

    def _forget(self, connection: Connection, key: Key, now: datetime, said: dict[str, Told]) -> bool:
        """One recording out of the ledger. What is to happen to its files is written down in the same transaction, so
        that a crash loses track of none."""
        found = self._holdings.open(connection, key)
        if found is None:
            return False
        for fate, original in self._fates(connection, found, {key}):
            if fate.removes:
                name = secrets.token_hex(8)
                sealed = self._cipher.seal_json({"original": asdict(original), "why": ""}, "leaving", name)
                row = {"leaving_id": name, "asked_at": utc_text(now), "sealed": sealed}
                connection.execute(insert(leaving).values(row))
            elif fate.why != SHARED:
                self._tell(connection, Told(uri=fate.uri, why=fate.why, at=now), said)
        self._holdings.drop(connection, key)
        self._holdings.drop_reports(connection, found.recording)
        return True

    def _finish(self, forgotten: int, now: datetime, said: dict[str, Told]) -> Deleted:
        removed, rows = 0, self._leaving()
        for first in range(0, len(rows), BATCH):
            # Files first, their rows after: a crash between tries again, and finds them gone.
            outcomes = [
                (name, original, *self._remove(original)) for name, original, _, _ in rows[first : first + BATCH]
            ]
            with self._db.write() as connection:
                for name, original, outcome, why in outcomes:
                    row = leaving.c.leaving_id == name
                    if outcome is Removal.LATER:
                        sealed = self._cipher.seal_json({"original": asdict(original), "why": why}, "leaving", name)
                        connection.execute(update(leaving).where(row).values(sealed=sealed))
                    else:
                        connection.execute(delete(leaving).where(row))
                    if outcome is Removal.LEFT:
                        self._tell(connection, Told(uri=original.uri, why=why, at=now), said)
            removed += sum(outcome is Removal.REMOVED for _, _, outcome, _ in outcomes)
        with self._db.write() as connection:
            connection.execute(delete(told).where(told.c.told_at < utc_text(now - TOLD_KEPT)))
        return Deleted(
            recordings=forgotten,
            removed=removed,
            told=tuple(said.values()),
            waiting=self.waiting(),
            emptied=self._db.forget_deleted(),
        )

    def _remove(self, original: Original) -> tuple[Removal, str]:
        with self._db.read() as connection:
            anew = self._holdings.sharing(connection, original)
        return (Removal.LEFT, ANEW) if anew else remove(original)

    def _leaving(self) -> tuple[tuple[str, Original, str, datetime], ...]:
        with self._db.read() as connection:
            rows = connection.execute(select(leaving).order_by(leaving.c.asked_at, leaving.c.leaving_id)).all()
        found = [(r.leaving_id, r.asked_at, self._cipher.open_json(r.sealed, "leaving", r.leaving_id)) for r in rows]
        return tuple((name, Original(**body["original"]), body["why"], utc_parse(at)) for name, at, body in found)

    def _tell(self, connection: Connection, what: Told, said: dict[str, Told]) -> None:
        name = secrets.token_hex(8)
        sealed = self._cipher.seal_json({"uri": what.uri, "why": what.why}, "told", name)
        connection.execute(insert(told).values(told_id=name, told_at=utc_text(what.at), sealed=sealed))
        said[name] = what
