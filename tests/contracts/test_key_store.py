"""What every key store promises."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from pipeline.core.errors import IntegrityError, KeyDestroyedError, KeyMissingError
from pipeline.core.ports import KeyStore
from pipeline.vault.keys import FileKeyStore
from tests.fakes.keys import MemoryKeyStore


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


class TestMemoryKeyStore(KeyStoreContract):
    @pytest.fixture
    def store(self) -> KeyStore:
        return MemoryKeyStore()


class TestFileKeyStore(KeyStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> KeyStore:
        return FileKeyStore(tmp_path / "keys", bytes(range(32)))
