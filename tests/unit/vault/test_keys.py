"""The key store in files: other processes, wrong masters, changed slots, lost keys, destruction."""

from __future__ import annotations

import multiprocessing
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError, IntegrityError, KeyDestroyedError, KeyMissingError, SealError
from pipeline.vault.key_slots import ID_BYTES, SLOT_BYTES
from pipeline.vault.keys import FileKeyStore
from tests.unit.vault.key_places import MASTER, epoch_of, slot_of, slots_in, store_at


@pytest.fixture
def store(tmp_path: Path) -> FileKeyStore:
    return store_at(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "store"


def test_a_wrong_master_key_is_refused_in_one_sentence_and_changes_nothing(tmp_path: Path, store: FileKeyStore) -> None:
    store.create("file-1")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(ConfigError, match="master key does not open the keys in"):
        store_at(tmp_path, bytes(32))
    with pytest.raises(ConfigError, match="31 bytes instead of 32"):
        store_at(tmp_path, MASTER[:31])
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_keys_survive_reopening_and_lie_encrypted_for_their_owner_only(tmp_path: Path, store: FileKeyStore) -> None:
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    assert store_at(tmp_path).unwrap("file-1", wrapped) == bytes(32)
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.is_dir() or MASTER not in path.read_bytes()


def test_a_key_in_another_keys_place_is_refused(store: FileKeyStore, folder: Path) -> None:
    store.create("file-1")
    store.create("file-2")
    wrapped = store.wrap("file-1", bytes(32))
    (one, at), (two, there) = slot_of(folder, "file-1"), slot_of(folder, "file-2")
    other = two.read_bytes()[there + ID_BYTES : there + SLOT_BYTES]
    body = bytearray(one.read_bytes())
    body[at + ID_BYTES : at + SLOT_BYTES] = other
    one.write_bytes(body)
    with pytest.raises(IntegrityError, match="file-1"):
        store.unwrap("file-1", wrapped)
    with pytest.raises(IntegrityError, match="file-1"):  # or what it seals would outlive its own key's destruction
        store.wrap("file-1", bytes(32))
    with pytest.raises(IntegrityError, match="file-1"):  # a renewal would lose it for good
        store.renew()


def test_every_flipped_bit_of_a_slot_is_a_refusal(store: FileKeyStore, folder: Path) -> None:
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    path, _ = slot_of(folder, "file-1")
    sound = path.read_bytes()
    for spot in range(len(sound)):
        flipped = bytearray(sound)
        flipped[spot] ^= 1
        path.write_bytes(flipped)
        with pytest.raises((IntegrityError, KeyMissingError)):
            store.unwrap("file-1", wrapped)


def test_another_store_object_sees_a_destruction_at_once(tmp_path: Path, store: FileKeyStore) -> None:
    other = store_at(tmp_path)
    store.create("file-1")
    wrapped = other.wrap("file-1", bytes(32))
    store.destroy("file-1")
    with pytest.raises(KeyDestroyedError):
        other.unwrap("file-1", wrapped)


def test_a_destroyed_slot_holds_nothing_of_its_key_and_is_never_used_again(store: FileKeyStore, folder: Path) -> None:
    ids = [f"file-{i}" for i in range(400)]  # more than there are files of slots
    for key_id in ids:
        store.create(key_id)
    before = {name: path.read_bytes()[at + ID_BYTES : at + SLOT_BYTES] for path, at, name in slots_in(folder)}
    places = {name: (path, at) for path, at, name in slots_in(folder)}
    store.destroy(*ids[:200])
    everything = b"".join(p.read_bytes() for p in folder.rglob("*.keys"))
    assert not any(before[key_id] in everything for key_id in ids[:200])
    assert all(before[key_id] in everything for key_id in ids[200:])
    for i in range(400, 600):
        store.create(f"file-{i}")
    now = {(path, at): name for path, at, name in slots_in(folder)}
    assert {now[places[key_id]] for key_id in ids[:200]} == {""}


def test_a_lost_key_is_missing_and_not_destroyed_and_the_sentence_names_the_remedy(
    store: FileKeyStore, folder: Path
) -> None:
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    path, _ = slot_of(folder, "file-1")
    path.unlink()
    for act in (
        lambda: store.unwrap("file-1", wrapped),
        lambda: store.wrap("file-1", bytes(32)),
        lambda: store.destroy("file-1"),
    ):
        with pytest.raises(KeyMissingError, match=r"file-1 .* restore the keys folder from its newest copy"):
            act()
    assert not store.exists("file-1")


def test_a_key_that_was_lost_comes_back_with_a_copy_of_the_same_epoch(
    tmp_path: Path, store: FileKeyStore, folder: Path
) -> None:
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    shutil.copytree(tmp_path / "keys", tmp_path / "copy")
    shutil.rmtree(tmp_path / "keys")
    shutil.copytree(tmp_path / "copy", tmp_path / "keys")
    assert store.unwrap("file-1", wrapped) == bytes(32)
    assert store_at(tmp_path).unwrap("file-1", wrapped) == bytes(32)


def test_a_key_id_is_no_path(store: FileKeyStore) -> None:
    for key_id in ("../x", "a/b", "", ".hidden", "A", "x" * (ID_BYTES + 1)):
        for act in (store.create, store.exists, store.destroy, lambda k: store.wrap(k, b"")):
            with pytest.raises(ValueError, match="not a key id"):
                act(key_id)


def test_an_id_is_not_found_in_the_middle_of_another(store: FileKeyStore) -> None:
    store.create("holds-1-holds")
    assert not store.exists("holds")
    for i in range(300):
        store.create(f"x-{i}-holds-{i}")
    assert not any(store.exists(f"holds-{i}") or store.exists(f"x-{i}") for i in range(300))


def test_a_key_that_does_not_fit_on_the_disk_was_never_made(store: FileKeyStore, folder: Path) -> None:
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    ids = [f"file-{i}" for i in range(40)]
    for key_id in ids:
        store.create(key_id)
    path = max(folder.rglob("*.keys"), key=lambda p: p.stat().st_size)
    beside = next(n for i in range(10**6) if _bucket(n := f"x-{i}") == path.name)
    before = path.read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + SLOT_BYTES // 2, old[1]))  # half a slot fits
    try:
        with pytest.raises(SealError, match=f"{beside} cannot be stored in"):
            store.create(beside)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before and not store.exists(beside)
    store.create(beside)
    assert store.ids() == sorted([*ids, beside])


def test_half_a_slot_that_a_crash_left_is_no_key_and_in_nobodys_way(store: FileKeyStore, folder: Path) -> None:
    store.create("file-1")
    path, _ = slot_of(folder, "file-1")
    beside = next(n for i in range(10**6) if _bucket(n := f"x-{i}") == path.name)
    with path.open("ab") as file:
        file.write(beside.encode().ljust(ID_BYTES, b"\0") + b"half")
    assert store.ids() == ["file-1"] and not store.exists(beside)
    store.create(beside)
    assert store.wrap(beside, bytes(32)) and store.ids() == ["file-1", beside]


def _bucket(key_id: str) -> str:
    return sha256(key_id.encode()).hexdigest()[:2] + ".keys"


def _create_all(root: Path, worker: int) -> None:
    store = store_at(root)
    for i in range(10):
        store.create(f"file-{worker}-{i}")
        wrapped = store.wrap(f"file-{worker}-{i}", bytes(32))
        if i % 2:
            store.destroy(f"file-{worker}-{i}")
        elif i % 4 == worker:
            store.renew()
        if not i % 2:
            assert store.unwrap(f"file-{worker}-{i}", wrapped) == bytes(32)


def test_several_processes_create_destroy_and_renew_at_once(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    workers = [processes.Process(target=_create_all, args=(tmp_path, w)) for w in range(3)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert [w.exitcode for w in workers] == [0, 0, 0]
    store = store_at(tmp_path)
    assert store.ids() == sorted(f"file-{w}-{i}" for w in range(3) for i in range(0, 10, 2))
    assert epoch_of(tmp_path / "keys").read().number == 5
