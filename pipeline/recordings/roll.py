"""The roll of a run: its recordings as the manifest gave them, sealed, so that a task need only name a position.

Nothing that names anyone travels between driver and workers; both read it here. The roll is forgotten with its run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from pipeline.core.errors import IntegrityError
from pipeline.core.recording import UNKNOWN, Recording
from pipeline.recordings.cipher import Cipher
from pipeline.recordings.codec import from_json, to_json
from pipeline.recordings.database import Database
from pipeline.recordings.tables import enlisted


class Roll:
    """The enlisted recordings of the current run; the ledger's sibling over the same file and key."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._db = database
        self._cipher = cipher

    def enlist(self, run_id: str, recordings: Sequence[Recording]) -> None:
        """Keep the recordings of a run under positions 0, 1, ...; those of earlier runs are forgotten."""
        rows: list[dict[str, Any]] = [
            {
                "position": position,
                "session_mac": self._cipher.blind("session", recording.session_id),
                "sealed": self._cipher.seal_json(to_json(recording), "enlisted", run_id, str(position)),
            }
            for position, recording in enumerate(recordings)
        ]
        with self._db.fenced(run_id) as connection:
            connection.execute(delete(enlisted))
            if rows:
                connection.execute(insert(enlisted), rows)

    def at(self, run_id: str, position: int) -> Recording:
        """The recording at `position` of run `run_id`; IntegrityError if the roll is another run's."""
        with self._db.read() as connection:
            sealed = connection.scalar(select(enlisted.c.sealed).where(enlisted.c.position == position))
        if sealed is None:
            raise IntegrityError(f"recordings: no recording {position} on the roll of run {run_id}: it was overtaken")
        return from_json(self._cipher.open_json(sealed, "enlisted", run_id, str(position)))

    def counterparts(self, run_id: str, position: int) -> tuple[Recording, ...]:
        """The other recordings of the same session, by stream; none where the session is unknown."""
        mine = self.at(run_id, position)
        if mine.session_id == UNKNOWN:
            return ()
        mac = self._cipher.blind("session", mine.session_id)
        with self._db.read() as connection:
            rows = connection.execute(select(enlisted).where(enlisted.c.session_mac == mac)).all()
        others = [
            from_json(self._cipher.open_json(row.sealed, "enlisted", run_id, str(row.position)))
            for row in rows
            if row.position != position
        ]
        return tuple(sorted(others, key=lambda r: (r.stream_id, r.uri)))
