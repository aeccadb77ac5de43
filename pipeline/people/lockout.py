"""Lock-out: whoever guesses waits, longer each time; names that do not exist wait like those that do.

An attempt counts as failed from before it is looked at until it succeeds, so guesses made at once count like guesses
made in turn.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import PermissionRefused
from pipeline.people.account import name_key
from pipeline.people.database import Database, attempt

FREE_FAILURES = 4
"""Wrong passphrases in a row after which nothing happens yet."""

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(hours=24)
"""Failures count until none was added for so long."""


class LogInRefused(PermissionRefused):
    """Nobody was logged in. `locked_until` is set by the attempt that locked the account; `person_id` "" if unknown."""

    def __init__(self, words: str, *, person_id: str = "", locked_until: datetime | None = None) -> None:
        super().__init__(words)
        self.person_id = person_id
        self.locked_until = locked_until


def delay(failures: int) -> timedelta:
    """How long is waited after so many failures in a row."""
    if failures <= FREE_FAILURES:
        return timedelta(0)
    return min(FIRST_DELAY * (1 << min(failures - FREE_FAILURES - 1, 16)), LONGEST_DELAY)


class Attempts:
    """Who failed how often; survives the process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, slot: str, now: datetime) -> datetime | None:
        """Count an attempt; until when the next one is refused if this one fails, None if it is not.

        Raises LogInRefused, and counts nothing, while it is locked.
        """
        with self._database.write() as tx:
            row = tx.execute(attempt.select().where(attempt.c.slot == slot)).first()
            failures = 0
            if row is not None and now - utc_parse(row.last_at) < FORGOTTEN_AFTER:
                failures = row.failures
                if row.locked_until and now < (until := utc_parse(row.locked_until)):
                    raise LogInRefused(f"too many wrong passphrases: wait until {_told(until)}")
            wait = delay(failures + 1)
            until_next = now + wait if wait else None
            tx.execute(attempt.delete().where(attempt.c.slot == slot))
            said = {"slot": slot, "failures": failures + 1, "last_at": utc_text(now)}
            tx.execute(attempt.insert(), {**said, "locked_until": utc_text(until_next) if until_next else ""})
            return until_next

    def succeed(self, slot: str) -> None:
        """It was the right one."""
        with self._database.write() as tx:
            tx.execute(attempt.delete().where(attempt.c.slot == slot))


def wrong(person_id: str, until: datetime | None) -> LogInRefused:
    """The one sentence for an unknown name and for a wrong passphrase."""
    words = "there is no such person with this passphrase: check both"
    if until is not None:
        words += f"; after so many failures, wait until {_told(until)}"
    return LogInRefused(words, person_id=person_id, locked_until=until)


def slot_of(person_id: str | None, name: str) -> str:
    """Where failures are counted. Unknown names share 65,536 places: somebody may have typed a passphrase as a name."""
    if person_id is not None:
        return person_id
    return "unknown-" + hashlib.sha256(name_key(name).encode("utf-8", "surrogatepass")).hexdigest()[:4]


def _told(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
