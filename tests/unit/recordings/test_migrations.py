"""A ledger that an older program wrote goes on, with what it has."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline.core.clock import utc_text
from pipeline.core.recording import UNKNOWN, AgeClass
from pipeline.recordings.cipher import Cipher
from pipeline.recordings.database import FILE
from pipeline.recordings.fates import YOURS
from pipeline.recordings.held import Wanted
from pipeline.recordings.ledger import Ledger
from pipeline.recordings.migrations import MIGRATIONS
from pipeline.recordings.scope import UNKNOWN_LENGTH
from pipeline.recordings.tables import meta
from tests.unit.recordings.conftest import AT, KEY
from tests.unit.recordings.shelf import Shelf

PERSON = {
    "handle": "a",
    "account": "ann",
    "jurisdiction": "NL",
    "age_class": "u13",
    "policy_version": UNKNOWN,
    "provision_mode": UNKNOWN,
}


def first_version(folder: Path, media: Path) -> None:
    """A file of version 1 with one recording of "ann", registered a day after it began."""
    cipher, uri = Cipher(KEY), str(media / "old.mp4")
    folder.mkdir()
    details: dict[str, Any] = {
        "parts": [{"uri": uri, "offset_ns": 0}],
        "session_id": "s",
        "stream_id": "t",
        "participants": [PERSON],
        "facts": {"sha256": ["x"], "duration_ns": [0]},
    }
    mac = cipher.blind("uri", uri)
    with sqlite3.connect(folder / FILE) as raw:
        raw.executescript(MIGRATIONS[0])
        sealed = cipher.seal_json(details, "registered", "rec")
        raw.execute("INSERT INTO house VALUES ('key_check', ?)", [cipher.seal(b"recordings", "house", "key_check")])
        times = [utc_text(AT - timedelta(days=1)), utc_text(AT)]
        raw.execute("INSERT INTO registered VALUES ('rec', ?, ?, ?, ?)", [mac, *times, sealed])
        raw.execute("INSERT INTO registered_accounts VALUES (?, 'rec', ?)", [cipher.blind("account", "ann"), mac])
        raw.execute("PRAGMA user_version = 1")
    raw.close()


def test_an_older_file_is_brought_up_to_date_and_its_recordings_are_found_told_and_forgotten(
    folder: Path, tmp_path: Path
) -> None:
    first_version(folder, tmp_path)
    ledger = Ledger.open(folder, KEY)
    (held,) = ledger.ordinary.list(Wanted(account="ann"))
    assert (held.recording.recording_id, held.recording.session_id) == ("rec", "s")
    assert held.recording.participants[0].age_class is AgeClass.UNDER_13
    assert held.recording.participants[0].connection.ip == UNKNOWN
    assert (held.registered_at, held.counts_from, held.recording.started_at) == (
        AT,
        AT - timedelta(days=1),
        AT - timedelta(days=1),
    )
    (scoped,) = ledger.ordinary.in_scope(account="ann", begin=AT - timedelta(hours=12), end=None)
    assert scoped.doubt == UNKNOWN_LENGTH
    done = ledger.ordinary.delete(Wanted(account="ann"), now=AT)
    assert [(t.uri, t.why) for t in done.told] == [(str(tmp_path / "old.mp4"), YOURS)]
    ledger.close()


def test_a_managed_file_that_an_older_entry_names_too_stays_with_that(folder: Path, tmp_path: Path) -> None:
    first_version(folder, tmp_path)
    ledger = Ledger.open(folder, KEY)
    ledger.begin_run("run-1", at=AT, actor="a", command="c")
    shelf = Shelf(ledger, tmp_path)
    path = shelf.file("old.mp4")
    shelf.scan(shelf.recording(path, account="ben"))
    assert ledger.ordinary.delete(Wanted(account="ben"), now=AT).removed == 0 and path.exists()
    ledger.close()


def test_the_tables_are_those_that_the_migrations_make(ledger: Ledger, folder: Path) -> None:
    with sqlite3.connect(folder / FILE) as raw:
        tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {
            t: [(c[1], c[2], bool(c[3]), bool(c[5])) for c in raw.execute(f"PRAGMA table_info({t})")] for t in tables
        }
        indexes = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOTNULL")}
    raw.close()
    kinds = {"LargeBinary": "BLOB", "Text": "TEXT", "Integer": "INTEGER", "Boolean": "BOOLEAN"}
    assert found == {
        t.name: [(c.name, kinds[type(c.type).__name__], not c.nullable, c.primary_key) for c in t.columns]
        for t in meta.tables.values()
    }
    assert indexes == {str(i.name) for t in meta.tables.values() for i in t.indexes}
