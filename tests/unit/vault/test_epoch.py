"""Epochs: what an old copy of the keys opens after a renewal, alone, with its ledger, and with its master folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError, IntegrityError, KeyDestroyedError
from pipeline.vault.epoch import Epoch, MasterEpoch
from pipeline.vault.keys import FileKeyStore
from pipeline.vault.master import Lock, derive
from tests.unit.vault.key_places import MASTER, epoch_of, old_store, slots_in, store_at, wrapped_under


@pytest.fixture
def store(tmp_path: Path) -> FileKeyStore:
    store = store_at(tmp_path)
    for key_id in ("file-1", "file-2"):
        store.create(key_id)
    return store


def copied(root: Path, *names: str) -> Path:
    copy = root / f"copy-{sum(1 for _ in root.glob('copy-*'))}"
    for name in names:
        shutil.copytree(root / name, copy / name)
    return copy


def bring_back(root: Path, copy: Path, *names: str) -> None:
    for name in names:
        shutil.rmtree(root / name)
        shutil.copytree(copy / name, root / name)


def swept(store: FileKeyStore) -> None:
    """What an applied sweep does to the keys."""
    store.destroy("file-1")
    store.renew()


def test_the_key_folder_of_before_a_sweep_opens_nothing_under_the_master_of_after_it(
    tmp_path: Path, store: FileKeyStore
) -> None:
    copy = copied(tmp_path, "keys")
    swept(store)
    bring_back(tmp_path, copy, "keys/store")
    with pytest.raises(IntegrityError, match=r"old copy, from before epoch 1: nothing in it can be opened"):
        store_at(tmp_path)
    with pytest.raises(IntegrityError, match="old copy"):  # a process that was running is no way round
        store.exists("file-2")
    bring_back(tmp_path, copy, "keys")  # nor is the ledger of that day
    with pytest.raises(IntegrityError, match="old copy"):
        store_at(tmp_path)


def test_no_lock_that_is_left_opens_a_slot_of_before(tmp_path: Path, store: FileKeyStore) -> None:
    """Not by our refusal but by the bytes: today's master folder makes only today's and later locks."""
    old = {path.read_bytes()[at + 68 : at + 128]: name for path, at, name in slots_in(tmp_path / "keys/store")}
    swept(store)
    now = epoch_of(tmp_path / "keys").read()
    for later in range(now.number, now.number + 50):
        for locked, key_id in old.items():
            with pytest.raises(IntegrityError):
                now.at(later).lock(MASTER).unlock(f"key {key_id}", locked)
    with pytest.raises(ValueError, match="epoch 0 is before 1"):
        now.at(0)


def test_an_old_key_folder_with_its_old_ledger_is_refused_in_the_same_epoch_too(
    tmp_path: Path, store: FileKeyStore
) -> None:
    copy = copied(tmp_path, "keys")
    store.destroy("file-1")
    bring_back(tmp_path, copy, "keys")
    with pytest.raises(IntegrityError, match="0 of 1 are there: it is an old copy"):
        store_at(tmp_path)


def test_an_old_key_folder_with_the_newest_ledger_is_replayed_before_it_serves(
    tmp_path: Path, store: FileKeyStore
) -> None:
    wrapped = store.wrap("file-2", bytes(32))
    copy = copied(tmp_path, "keys")
    store.destroy("file-1")
    bring_back(tmp_path, copy, "keys/store")
    store = store_at(tmp_path)
    assert store.ids() == ["file-2"] and store.unwrap("file-2", wrapped) == bytes(32)
    assert [name for _, _, name in slots_in(tmp_path / "keys/store") if name] == ["file-2"]


def test_a_copy_that_holds_the_old_master_folder_too_opens_for_as_long_as_it_is_kept(
    tmp_path: Path, store: FileKeyStore
) -> None:
    """Said plainly in the documents; whoever changes this changes them."""
    wrapped = store.wrap("file-1", bytes(32))
    copy = copied(tmp_path, "keys", "keys-master")
    swept(store)
    assert store_at(copy).unwrap("file-1", wrapped) == bytes(32)


def test_an_old_master_folder_opens_newer_keys_and_is_brought_up(tmp_path: Path, store: FileKeyStore) -> None:
    wrapped = store.wrap("file-2", bytes(32))
    copy = copied(tmp_path, "keys-master")
    for _ in range(3):
        store.renew()
    chain = epoch_of(tmp_path / "keys").read()
    bring_back(tmp_path, copy, "keys-master")
    assert store_at(tmp_path).unwrap("file-2", wrapped) == bytes(32)
    assert epoch_of(tmp_path / "keys").read() == chain


def test_a_renewal_leaves_nothing_of_the_epoch_before(tmp_path: Path, store: FileKeyStore) -> None:
    master = epoch_of(tmp_path / "keys")
    before = master.read()
    slots = [path.read_bytes()[at + 68 : at + 128] for path, at, _ in slots_in(tmp_path / "keys/store")]
    inode = master.path.stat().st_ino
    with master.path.open("rb") as was:
        store.renew()
        assert was.read(1000) and before.chain.hex().encode() not in _body(was)  # the old bytes themselves
    assert master.path.stat().st_ino != inode
    everything = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert before.chain.hex().encode() not in everything and before.chain not in everything
    assert not any(slot in everything for slot in slots)
    assert {p.name for p in (tmp_path / "keys/store").iterdir()} == {"1", "lock"}
    assert {p.name for p in master.path.parent.iterdir()} == {"epoch", "ledger-head", "lock"}


def _body(file: object) -> bytes:
    file.seek(0)  # type: ignore[attr-defined]
    return file.read()  # type: ignore[attr-defined,no-any-return]


def test_a_store_that_is_open_elsewhere_goes_on_after_a_renewal(tmp_path: Path, store: FileKeyStore) -> None:
    other = store_at(tmp_path)
    wrapped = store.wrap("file-2", bytes(32))
    for i in range(3):
        swept(store) if i == 0 else store.renew()
        assert other.unwrap("file-2", wrapped) == bytes(32)
        assert other.exists("file-2") and not other.exists("file-9")
        other.create(f"new-{i}")
        assert store.wrap(f"new-{i}", bytes(32))
        store.renew()
        assert "file-2" in other.ids()
    with pytest.raises(KeyDestroyedError):
        other.exists("file-1")


def test_an_epoch_that_is_gone_is_not_made_anew_over_keys(tmp_path: Path, store: FileKeyStore) -> None:
    path = epoch_of(tmp_path / "keys").path
    sound = path.read_bytes()
    path.unlink()
    with pytest.raises(ConfigError, match=r"epoch is missing .* restore it from its backup, or with `watchkeep keys"):
        store_at(tmp_path)
    assert not path.exists()
    for damaged in (b"", b"{}", sound[:-2], sound.replace(b'"number":0', b'"number":-1'), b"[]"):
        path.write_bytes(damaged)
        with pytest.raises(ConfigError, match=r"epoch is damaged: move it away, and restore it"):
            store_at(tmp_path)
    path.write_bytes(json.dumps({"number": 0, "chain": "00" * 32}).encode())
    with pytest.raises(ConfigError, match=r"does not open the keys in .*, and the epoch beside it"):
        store_at(tmp_path)


def test_a_folder_that_only_says_it_is_newer_moves_no_epoch_forward(tmp_path: Path, store: FileKeyStore) -> None:
    before = epoch_of(tmp_path / "keys").path.read_bytes()
    shutil.copytree(tmp_path / "keys/store/0", tmp_path / "keys/store/7")
    with pytest.raises(ConfigError, match="does not open the keys in"):
        store_at(tmp_path)
    with pytest.raises(ConfigError, match="does not open the keys in"):
        store.create("file-3")
    assert epoch_of(tmp_path / "keys").path.read_bytes() == before
    shutil.rmtree(tmp_path / "keys/store/7")
    assert store_at(tmp_path).ids() == ["file-1", "file-2"]


def test_the_text_of_an_epoch_shows_no_secret(tmp_path: Path, store: FileKeyStore) -> None:
    now = epoch_of(tmp_path / "keys").read()
    assert repr(now) == "Epoch(number=0)"
    for wrong in ({"number": -1, "chain": bytes(32)}, {"number": 0, "chain": b"short"}):
        with pytest.raises(ValueError, match="not an epoch") as refused:
            Epoch(**wrong)  # type: ignore[arg-type]
        assert "short" not in str(refused.value)


class TestTakenOver:
    """A key folder of the first releases, which had a file for each key and no epochs."""

    def test_its_keys_live_and_the_destroyed_stay_so(self, tmp_path: Path) -> None:
        keys = old_store(tmp_path, *(f"file-{i}" for i in range(30)), destroyed=("file-3", "file-99"))
        (tmp_path / "keys/store/live/.file-31.0011.part").write_bytes(b"half")
        store = store_at(tmp_path)
        wrapped = wrapped_under(keys)
        assert store.ids() == sorted(set(keys) - {"file-3"})
        assert all(store.unwrap(key_id, wrapped[key_id]) == bytes(32) for key_id in store.ids())
        with pytest.raises(KeyDestroyedError):
            store.unwrap("file-3", wrapped["file-3"])
        assert {p.name for p in (tmp_path / "keys/store").iterdir()} == {"0", "lock"}
        assert store.ledger_head().number == 2 and epoch_of(tmp_path / "keys").read().number == 0

    def test_a_wrong_master_key_takes_nothing_over_and_makes_nothing(self, tmp_path: Path) -> None:
        old_store(tmp_path, "file-1")
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        with pytest.raises(ConfigError, match="master key does not open the keys in"):
            store_at(tmp_path, bytes(32))
        after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        assert {p: b for p, b in after.items() if p.name != "lock"} == before
        assert store_at(tmp_path).ids() == ["file-1"]

    def test_a_changed_key_stops_it_and_is_named(self, tmp_path: Path) -> None:
        old_store(tmp_path, "file-1", "file-2")
        (tmp_path / "keys/store/live/file-2").write_bytes(bytes(60))
        with pytest.raises(IntegrityError, match="file-2"):
            store_at(tmp_path)
        assert (tmp_path / "keys/store/live/file-1").exists()

    def test_brought_back_after_a_renewal_it_is_an_old_copy(self, tmp_path: Path) -> None:
        old_store(tmp_path, "file-1")
        copy = copied(tmp_path, "keys")
        store_at(tmp_path).renew()
        bring_back(tmp_path, copy, "keys")
        with pytest.raises(IntegrityError, match="old copy, from before epoch 1"):
            store_at(tmp_path)

    def test_laid_beside_the_newer_folder_it_is_removed(self, tmp_path: Path) -> None:
        old_store(tmp_path, "file-1")
        copy = copied(tmp_path, "keys/store")
        store_at(tmp_path)
        shutil.copytree(copy / "keys/store", tmp_path / "keys/store", dirs_exist_ok=True)
        assert store_at(tmp_path).ids() == ["file-1"]
        assert {p.name for p in (tmp_path / "keys/store").iterdir()} == {"0", "lock"}


def test_the_chain_is_what_the_document_says(tmp_path: Path, store: FileKeyStore) -> None:
    epoch: MasterEpoch = epoch_of(tmp_path / "keys")
    first = epoch.read()
    assert first.at(2).chain == derive(derive(first.chain, "watchkeep/epoch/1"), "watchkeep/epoch/1")
    locked = first.lock(MASTER).lock("x", b"secret")
    assert Lock(derive(MASTER, "watchkeep/key-store/2", salt=first.chain)).unlock("x", locked) == b"secret"
