"""The key store in files: crashes, other processes, wrong masters, old copies."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError, IntegrityError, KeyDestroyedError, KeyMissingError
from pipeline.vault.keys import FileKeyStore
from pipeline.vault.ledger import DestructionLedger

MASTER = bytes(range(32))


def test_a_wrong_master_key_is_refused_in_one_sentence(tmp_path: Path) -> None:
    FileKeyStore(tmp_path, MASTER)
    with pytest.raises(ConfigError, match="master key does not open the keys in"):
        FileKeyStore(tmp_path, bytes(32))
    with pytest.raises(ConfigError, match="31 bytes instead of 32"):
        FileKeyStore(tmp_path, MASTER[:31])


def test_keys_survive_reopening_and_lie_encrypted_for_their_owner_only(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path / "k", MASTER)
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    assert FileKeyStore(tmp_path / "k", MASTER).unwrap("file-1", wrapped) == bytes(32)
    for path in (tmp_path / "k").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.is_dir() or MASTER not in path.read_bytes()


def test_a_key_file_in_another_keys_place_is_refused(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path, MASTER)
    store.create("file-1")
    store.create("file-2")
    wrapped = store.wrap("file-1", bytes(32))
    shutil.copy(tmp_path / "live/file-2", tmp_path / "live/file-1")
    with pytest.raises(IntegrityError, match="file-1"):
        store.unwrap("file-1", wrapped)
    with pytest.raises(IntegrityError, match="file-1"):  # or what it seals would outlive its own key's destruction
        store.wrap("file-1", bytes(32))


def test_another_store_object_sees_a_destruction_at_once(tmp_path: Path) -> None:
    one, two = FileKeyStore(tmp_path, MASTER), FileKeyStore(tmp_path, MASTER)
    one.create("file-1")
    wrapped = two.wrap("file-1", bytes(32))
    one.destroy("file-1")
    with pytest.raises(KeyDestroyedError):
        two.unwrap("file-1", wrapped)


def test_an_old_copy_of_the_keys_does_not_bring_a_destroyed_key_back(tmp_path: Path) -> None:
    folder, copy, ledger = tmp_path / "k", tmp_path / "copy", tmp_path / "ledger/destroyed.jsonl"
    store = FileKeyStore(folder, MASTER, ledger=ledger)
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    shutil.copytree(folder, copy)
    store.destroy("file-1")
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    with pytest.raises(KeyDestroyedError):  # the ledger speaks before the file, even in a store that is open
        store.unwrap("file-1", wrapped)
    with pytest.raises(KeyDestroyedError):
        FileKeyStore(folder, MASTER, ledger=ledger).unwrap("file-1", wrapped)
    assert not (folder / "live/file-1").exists()


def test_a_crash_after_the_ledger_line_ends_in_destruction(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path, MASTER)
    store.create("file-1")
    kept = (tmp_path / "live/file-1").read_bytes()
    store.destroy("file-1")
    (tmp_path / "live/file-1").write_bytes(kept)
    FileKeyStore(tmp_path, MASTER)
    assert not (tmp_path / "live/file-1").exists()


def test_a_destruction_that_cannot_be_written_down_destroys_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: DestructionLedger, key_id: str) -> None:
        raise OSError("no space left")

    store = FileKeyStore(tmp_path, MASTER)
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    monkeypatch.setattr(DestructionLedger, "append", full)
    with pytest.raises(OSError, match="no space"):
        store.destroy("file-1")
    assert store.unwrap("file-1", wrapped) == bytes(32)


def test_half_a_ledger_line_is_a_destruction_that_never_happened(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path, MASTER)
    ledger = tmp_path / "destroyed.jsonl"
    for key_id in ("file-1", "file-2"):
        store.create(key_id)
    store.destroy("file-1")
    whole = ledger.read_bytes()
    ledger.write_bytes(whole + b'{"digest":"12')
    store = FileKeyStore(tmp_path, MASTER)
    assert store.ids() == ["file-2"]
    store.destroy("file-2")
    assert ledger.read_bytes().startswith(whole)
    assert FileKeyStore(tmp_path, MASTER).ids() == []


def test_a_changed_or_shortened_ledger_is_refused(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path, MASTER)
    ledger = tmp_path / "destroyed.jsonl"
    for key_id in ("file-1", "file-2"):
        store.create(key_id)
        store.destroy(key_id)
    whole = ledger.read_bytes()
    first, second = whole.splitlines(keepends=True)
    ledger.write_bytes(first)
    with pytest.raises(IntegrityError, match="lost lines"):
        store.exists("file-3")
    for changed in (second, second + first, whole.replace(b"file-1", b"file-9"), b"[]\n" + second):
        ledger.write_bytes(changed)
        with pytest.raises(IntegrityError, match="line 1 was changed"):
            FileKeyStore(tmp_path, MASTER)


def test_a_lost_key_is_missing_and_not_destroyed(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path, MASTER)
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    (tmp_path / "live/file-1").unlink()
    with pytest.raises(KeyMissingError, match="restore the keys folder"):
        store.unwrap("file-1", wrapped)


def test_a_key_id_is_no_path(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path, MASTER)
    for key_id in ("../x", "a/b", "", ".hidden", "A"):
        with pytest.raises(ValueError, match="not a key id"):
            store.create(key_id)


def _create_all(folder: Path, worker: int) -> None:
    store = FileKeyStore(folder, MASTER)
    for i in range(10):
        store.create(f"file-{worker}-{i}")
        if i % 2:
            store.destroy(f"file-{worker}-{i}")


def test_several_processes_create_and_destroy_at_once(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    workers = [processes.Process(target=_create_all, args=(tmp_path, w)) for w in range(3)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert [w.exitcode for w in workers] == [0, 0, 0]
    store = FileKeyStore(tmp_path, MASTER)
    assert store.ids() == sorted(f"file-{w}-{i}" for w in range(3) for i in range(0, 10, 2))
