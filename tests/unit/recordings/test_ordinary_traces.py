"""Ordinary deletion: what was made of a recording goes with it, whoever is at work."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import FencedError
from pipeline.recordings.held import Wanted
from pipeline.recordings.ledger import Ledger
from tests.unit.recordings.conftest import AT, KEY
from tests.unit.recordings.shelf import Shelf

ANN = Wanted(account="ann")


@pytest.fixture
def shelf(ledger: Ledger, tmp_path: Path) -> Shelf:
    return Shelf(ledger, tmp_path / "media")


def rows(folder: Path, table: str) -> int:
    with sqlite3.connect(folder / "recordings.db") as raw:
        count: int = raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    raw.close()
    return count


def test_a_report_that_names_another_recording_goes_with_either(shelf: Shelf) -> None:
    ann, ben = (shelf.recording(shelf.file(n), account=n) for n in ("ann", "ben"))
    shelf.report(0, ann)
    shelf.report(1, ben, ann)
    shelf.scan(ann)
    shelf.ordinary.delete(ANN, now=AT)
    assert shelf.ledger.run_recordings("run-1") == ()


def test_what_scans_made_of_the_same_content_elsewhere_stays_until_that_goes(shelf: Shelf) -> None:
    ann, ben = (shelf.recording(shelf.file(n, b"same"), account=n) for n in ("ann", "ben"))
    nameless = {"session_id": "unknown", "stream_id": "unknown"}
    first, second = shelf.scan(replace(ann, **nameless)), shelf.scan(replace(ben, **nameless))
    assert first.recording_id == second.recording_id
    shelf.ordinary.delete(ANN, now=AT)
    assert shelf.ledger.concluded(first.recording_id, "f", run_id="x") is not None
    shelf.ordinary.delete(Wanted(account="ben"), now=AT)
    assert shelf.ledger.concluded(first.recording_id, "f", run_id="x") is None


def test_a_worker_that_outlived_its_killed_scan_registers_nothing_after_a_deletion(shelf: Shelf, folder: Path) -> None:
    known = shelf.scan(shelf.recording(shelf.file("ann.mp4")))
    shelf.ledger.roll.enlist("run-1", [known])
    late = Ledger.open(folder, KEY)
    shelf.ordinary.delete(ANN, now=AT)
    with pytest.raises(FencedError):
        late.register(known, sha256=["d"], facts={}, run_id="run-1", at=AT)
    late.close()
    assert rows(folder, "enlisted") == 0


def test_another_process_that_looks_keeps_traces_and_that_is_said(shelf: Shelf, folder: Path) -> None:
    shelf.scan(shelf.recording(shelf.file("ann.mp4")))
    reader = sqlite3.connect(folder / "recordings.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM held").fetchone()
    assert not shelf.ordinary.delete(ANN, now=AT).emptied
    reader.close()
    assert shelf.ordinary.finish(now=AT).emptied
