"""The destruction ledger and its head: changed, shortened, old, half-written, and a disk that is full."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.core.errors import IntegrityError, KeyDestroyedError
from pipeline.vault.keys import FileKeyStore
from pipeline.vault.ledger import DestructionLedger, LedgerHead
from tests.unit.vault.key_places import store_at


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "ledger" / "destroyed.jsonl"


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return tmp_path / "keys-master" / "ledger-head"


@pytest.fixture
def store(tmp_path: Path) -> FileKeyStore:
    """Three keys, of which file-1 is destroyed."""
    store = store_at(tmp_path)
    for key_id in ("file-1", "file-2", "file-3"):
        store.create(key_id)
    store.destroy("file-1")
    return store


def test_half_a_ledger_line_is_a_destruction_that_never_happened(
    tmp_path: Path, store: FileKeyStore, ledger: Path
) -> None:
    whole = ledger.read_bytes()
    ledger.write_bytes(whole + b'{"digest":"12')
    store = store_at(tmp_path)
    assert store.ids() == ["file-2", "file-3"]
    store.destroy("file-2")
    assert ledger.read_bytes().startswith(whole)
    assert store_at(tmp_path).ids() == ["file-3"]


def test_room_that_was_reserved_and_never_written_is_no_line(tmp_path: Path, store: FileKeyStore, ledger: Path) -> None:
    with ledger.open("ab") as file:
        file.write(bytes(500))
    store_at(tmp_path).destroy("file-2")
    assert b"\0" not in ledger.read_bytes()
    assert store_at(tmp_path).ids() == ["file-3"]


def test_a_changed_or_shortened_ledger_is_refused(tmp_path: Path, store: FileKeyStore, ledger: Path) -> None:
    store.destroy("file-2")
    first, second = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(first)
    with pytest.raises(IntegrityError, match="lost lines"):
        store.exists("file-3")
    for changed in (second, second + first, (first + second).replace(b"file-1", b"file-9"), b"[]\n" + second):
        ledger.write_bytes(changed)
        with pytest.raises(IntegrityError, match="line 1 was changed"):
            store_at(tmp_path)


def test_an_old_ledger_is_refused_and_says_how_much_is_missing(
    tmp_path: Path, store: FileKeyStore, ledger: Path
) -> None:
    old = ledger.read_bytes()
    store.destroy("file-2", "file-3")
    ledger.write_bytes(old)
    with pytest.raises(IntegrityError, match=r"1 of 3 are there: it is an old copy"):
        store_at(tmp_path)
    ledger.unlink()
    with pytest.raises(IntegrityError, match=r"0 of 3 are there"):
        store_at(tmp_path)


def test_a_ledger_of_the_same_length_with_another_history_is_refused(
    tmp_path: Path, store: FileKeyStore, ledger: Path
) -> None:
    """Whoever can write the keys folder but not the master folder writes a sound chain of their own."""
    ledger.unlink()
    DestructionLedger(ledger).append(["file-9"])
    with pytest.raises(IntegrityError, match="line 1 was changed"):
        store_at(tmp_path)


def test_the_head_is_handed_to_whoever_asks_and_kept_in_the_master_folder(
    tmp_path: Path, store: FileKeyStore, ledger: Path, head: Path
) -> None:
    store.destroy("file-2", "file-3")
    last = json.loads(ledger.read_bytes().splitlines()[-1])
    assert store.ledger_head() == LedgerHead(number=3, digest=last["digest"])
    kept = json.loads(head.read_bytes())
    assert (kept["number"], kept["digest"]) == (3, last["digest"])


def test_a_head_behind_its_ledger_is_the_trace_of_a_crash_and_is_brought_up(
    tmp_path: Path, store: FileKeyStore, head: Path
) -> None:
    behind = head.read_bytes()
    store.destroy("file-2")
    ahead = head.read_bytes()
    head.write_bytes(behind)
    assert store_at(tmp_path).ids() == ["file-3"]
    assert head.read_bytes() == ahead


def test_a_head_that_was_changed_or_removed_is_refused(tmp_path: Path, store: FileKeyStore, head: Path) -> None:
    sound = head.read_bytes()
    for changed in (sound.replace(b'"number":1', b'"number":0'), b"{}", b"", sound[:-1]):
        head.write_bytes(changed)
        with pytest.raises(IntegrityError, match="ledger-head was changed"):
            store_at(tmp_path)
    head.unlink()
    with pytest.raises(IntegrityError, match=r"ledger-head is gone: restore it"):
        store_at(tmp_path)


def test_a_destruction_that_cannot_be_written_down_destroys_nothing(
    tmp_path: Path, store: FileKeyStore, ledger: Path
) -> None:
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    before = ledger.read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) * 2 + 10, old[1]))  # one of the two lines fits
    try:
        with pytest.raises(OSError, match="too large"):
            store.destroy("file-2", "file-3")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert store.exists("file-2") and store.exists("file-3")
    assert store_at(tmp_path).ids() == ["file-2", "file-3"]
    store.destroy("file-2", "file-3")
    assert store_at(tmp_path).ids() == []


def test_the_ledger_speaks_before_the_keys_in_a_store_that_is_open(tmp_path: Path, store: FileKeyStore) -> None:
    wrapped = store.wrap("file-2", bytes(32))
    keys, copy = tmp_path / "keys" / "store", tmp_path / "copy"
    shutil.copytree(keys, copy)
    store.destroy("file-2")
    shutil.rmtree(keys)
    shutil.copytree(copy, keys)
    with pytest.raises(KeyDestroyedError):
        store.unwrap("file-2", wrapped)
