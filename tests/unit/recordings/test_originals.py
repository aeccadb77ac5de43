"""A managed file is removed if it is what was scanned, even while somebody exchanges it at the worst moment."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.media import NS
from pipeline.core.recording import Part
from pipeline.recordings import originals
from pipeline.recordings.ledger import Ledger
from pipeline.recordings.originals import Removal, noted, remove
from tests.unit.recordings.conftest import AT
from tests.unit.recordings.shelf import Shelf

BODY, OTHER = b"what was scanned", b"what is kept now"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "ann.mp4").write_bytes(BODY)
    return tmp_path / "ann.mp4"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def put(path: Path, body: bytes) -> Path:
    """Another file under the same name."""
    fresh = path.with_name("fresh")
    fresh.write_bytes(body)
    return fresh.rename(path)


def test_a_removal_is_durable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, bool]] = []
    real = os.fsync
    original = noted(str(path), digest(BODY))

    def fsync(handle: int) -> None:
        synced.append((os.fstat(handle).st_ino, path.exists()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    assert remove(original) == (Removal.REMOVED, "")
    assert synced == [(path.parent.stat().st_ino, False)]


def test_a_file_that_nobody_could_read_stays_if_it_has_another_length(path: Path) -> None:
    original, at = noted(str(path)), path.stat().st_mtime_ns
    path.write_bytes(BODY + b"!")
    os.utime(path, ns=(at, at))
    assert remove(original)[0] is Removal.LEFT and path.exists()


def test_a_file_exchanged_while_it_is_read_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original, real = noted(str(path), digest(BODY)), hashlib.file_digest

    def read(body: Any, name: str) -> Any:
        found = real(body, name)
        put(path, OTHER)
        return found

    monkeypatch.setattr(originals.hashlib, "file_digest", read)
    assert remove(original) == (Removal.LEFT, "it changed while it was looked at")
    assert path.read_bytes() == OTHER


def test_a_file_that_was_away_only_while_it_was_read_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = noted(str(path), digest(BODY))
    scanned, kept = path.rename(path.with_name("scanned")), put(path, OTHER)
    real: Callable[..., int] = os.open

    def opened(name: str, flags: int, *args: Any, **names: Any) -> int:
        if name != path.name:
            return real(name, flags, *args, **names)
        aside = kept.rename(path.with_name("aside"))
        scanned.rename(path)
        handle = real(name, flags, *args, **names)
        path.rename(scanned)
        aside.rename(path)
        return handle

    monkeypatch.setattr(os, "open", opened)
    assert remove(original)[0] is Removal.LEFT
    assert path.read_bytes() == OTHER


def test_what_was_read_whole_is_not_pushed_out_by_what_was_read_in_part(ledger: Ledger, tmp_path: Path) -> None:
    shelf = Shelf(ledger, tmp_path / "media")
    both = [shelf.file("one.mp4"), shelf.file("two.mp4")]
    whole = shelf.scan(shelf.recording(*both))
    shelf.begin("run-2")
    part = replace(whole, recording_id="ab" * 16, parts=(*whole.parts[:1], Part(uri=str(both[1]), offset_ns=60 * NS)))
    facts = {"duration_ns": [60 * NS, 0]}
    ledger.register(part, sha256=[digest(b"one.mp4"), ""], facts=facts, run_id="run-2", at=AT)
    assert ledger.concluded(whole.recording_id, "f", run_id="x") is not None
