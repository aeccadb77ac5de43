"""What every key store promises."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Protocol

import pytest

from pipeline.core.errors import IntegrityError, KeyDestroyedError, KeyMissingError
from pipeline.core.ports import KeyStore
from pipeline.vault.epoch import master_epoch_beside
from pipeline.vault.keys import FileKeyStore
from tests.fakes.keys import Copy, MemoryKeyStore


class Copier(Protocol):
    """Somebody who copies the keys, and only them, and brings the copy back."""

    def copy(self) -> None: ...

    def bring_back(self) -> KeyStore:
        """The store as it is opened next, or its refusal."""


class KeyStoreContract:
    def test_a_data_key_comes_back_as_it_was_wrapped(self, store: KeyStore) -> None:
        store.create("incident-1")
        data_key = secrets.token_bytes(32)
        wrapped = store.wrap("incident-1", data_key)
        assert data_key not in wrapped
        assert store.unwrap("incident-1", wrapped) == data_key

    def test_wrapping_twice_never_gives_the_same_bytes(self, store: KeyStore) -> None:
        store.create("incident-1")
        assert store.wrap("incident-1", bytes(32)) != store.wrap("incident-1", bytes(32))

    def test_an_id_that_exists_is_refused(self, store: KeyStore) -> None:
        store.create("incident-1")
        with pytest.raises(ValueError, match="exists"):
            store.create("incident-1")

    def test_an_id_that_ever_existed_is_refused_for_ever(self, store: KeyStore) -> None:
        store.create("incident-1")
        store.destroy("incident-1")
        with pytest.raises(KeyDestroyedError):
            store.create("incident-1")

    def test_a_destroyed_key_opens_nothing_and_says_so(self, store: KeyStore) -> None:
        store.create("incident-1")
        wrapped = store.wrap("incident-1", bytes(32))
        store.destroy("incident-1")
        store.destroy("incident-1")  # twice is once
        for act in (lambda: store.unwrap("incident-1", wrapped), lambda: store.wrap("incident-1", bytes(32))):
            with pytest.raises(KeyDestroyedError):
                act()
        with pytest.raises(KeyDestroyedError):
            store.exists("incident-1")

    def test_an_unknown_key_is_missing_and_never_made_afresh(self, store: KeyStore) -> None:
        for act in (
            lambda: store.unwrap("incident-1", bytes(60)),
            lambda: store.wrap("incident-1", bytes(32)),
            lambda: store.destroy("incident-1"),
        ):
            with pytest.raises(KeyMissingError):
                act()
        assert not store.exists("incident-1")
        assert store.ids() == []

    def test_what_one_key_wrapped_another_does_not_open(self, store: KeyStore) -> None:
        store.create("incident-1")
        store.create("incident-2")
        with pytest.raises(IntegrityError):
            store.unwrap("incident-2", store.wrap("incident-1", bytes(32)))

    def test_every_flipped_bit_of_a_wrapped_key_is_refused(self, store: KeyStore) -> None:
        store.create("incident-1")
        wrapped = store.wrap("incident-1", bytes(32))
        for i in range(len(wrapped)):
            flipped = bytearray(wrapped)
            flipped[i] ^= 1
            with pytest.raises(IntegrityError):
                store.unwrap("incident-1", bytes(flipped))
        with pytest.raises(IntegrityError):
            store.unwrap("incident-1", wrapped[:7])

    def test_ids_are_those_of_living_keys(self, store: KeyStore) -> None:
        for key_id in ("file-2", "file-1", "file-3"):
            store.create(key_id)
        store.destroy("file-2")
        assert store.ids() == ["file-1", "file-3"]

    def test_many_are_destroyed_at_once_and_the_others_live(self, store: KeyStore) -> None:
        ids = [f"file-{i}" for i in range(40)]
        for key_id in ids:
            store.create(key_id)
        wrapped = {key_id: store.wrap(key_id, bytes(32)) for key_id in ids}
        store.destroy(*ids[::2], ids[0])
        assert store.ids() == sorted(ids[1::2])
        for key_id in ids[::2]:
            with pytest.raises(KeyDestroyedError):
                store.unwrap(key_id, wrapped[key_id])
        assert all(store.unwrap(key_id, wrapped[key_id]) == bytes(32) for key_id in ids[1::2])
        store.destroy()

    def test_if_one_of_many_is_unknown_none_is_destroyed(self, store: KeyStore) -> None:
        store.create("file-1")
        with pytest.raises(KeyMissingError, match="file-2"):
            store.destroy("file-1", "file-2")
        assert store.exists("file-1")

    def test_a_renewal_changes_nothing_for_the_living_and_the_destroyed(self, store: KeyStore) -> None:
        for key_id in ("file-1", "file-2"):
            store.create(key_id)
        wrapped = store.wrap("file-1", bytes(32))
        store.destroy("file-2")
        for _ in range(2):
            store.renew()
            assert store.unwrap("file-1", wrapped) == bytes(32)
            assert store.ids() == ["file-1"]
            with pytest.raises(KeyDestroyedError):
                store.create("file-2")
            with pytest.raises(ValueError, match="exists"):
                store.create("file-1")

    def test_an_old_copy_does_not_bring_a_destroyed_key_back(self, store: KeyStore, copier: Copier) -> None:
        for key_id in ("file-1", "file-2"):
            store.create(key_id)
        wrapped = store.wrap("file-1", bytes(32))
        copier.copy()
        store.destroy("file-1")
        after = copier.bring_back()
        assert after.ids() == ["file-2"]
        for opened in (store, after):
            with pytest.raises(KeyDestroyedError):
                opened.unwrap("file-1", wrapped)

    def test_a_copy_from_before_a_renewal_is_refused_whole(self, store: KeyStore, copier: Copier) -> None:
        store.create("file-1")
        copier.copy()
        store.renew()
        with pytest.raises(IntegrityError, match="an old copy, from before epoch 1"):
            copier.bring_back()


class MemoryCopier:
    def __init__(self, store: MemoryKeyStore) -> None:
        self.store = store
        self.held: Copy = store.copy()

    def copy(self) -> None:
        self.held = self.store.copy()

    def bring_back(self) -> KeyStore:
        self.store.bring_back(self.held)
        return self.store


class FolderCopier:
    """Copies the folder of keys; ledger and master folder lie elsewhere."""

    def __init__(self, root: Path) -> None:
        self.keys, self.held, self.ledger = root / "keys", root / "copy", root / "ledger"

    def open(self) -> FileKeyStore:
        return FileKeyStore(self.keys, master_epoch_beside(self.keys, bytes(range(32))), ledger=self.ledger)

    def copy(self) -> None:
        shutil.copytree(self.keys, self.held)

    def bring_back(self) -> KeyStore:
        shutil.rmtree(self.keys)
        shutil.copytree(self.held, self.keys)
        return self.open()


class TestMemoryKeyStore(KeyStoreContract):
    @pytest.fixture
    def copier(self) -> MemoryCopier:
        return MemoryCopier(MemoryKeyStore())

    @pytest.fixture
    def store(self, copier: MemoryCopier) -> KeyStore:
        return copier.store


class TestFileKeyStore(KeyStoreContract):
    @pytest.fixture
    def copier(self, tmp_path: Path) -> FolderCopier:
        return FolderCopier(tmp_path)

    @pytest.fixture
    def store(self, copier: FolderCopier) -> KeyStore:
        return copier.open()
