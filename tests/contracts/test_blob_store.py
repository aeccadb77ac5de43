"""What every blob store promises."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.core.errors import IntegrityError, SealError
from pipeline.core.ports import BlobStore
from pipeline.vault.blobs import FileStore
from pipeline.vault.disk import writing
from tests.fakes.blobs import MemoryBlobStore


class BlobStoreContract:
    def test_what_was_put_is_read_back(self, store: BlobStore) -> None:
        store.put("ab/one.parquet", writing(b"sealed"))
        with store.open("ab/one.parquet") as body:
            assert body.read() == b"sealed"
            body.seek(2)
            assert body.read(2) == b"al"

    def test_a_name_is_used_once(self, store: BlobStore) -> None:
        store.put("ab/one.parquet", writing(b"first"))
        with pytest.raises(SealError):
            store.put("ab/one.parquet", writing(b"second"))
        with store.open("ab/one.parquet") as body:
            assert body.read() == b"first"
        assert store.names() == ["ab/one.parquet"]

    def test_a_put_that_fails_on_its_way_stores_nothing(self, store: BlobStore) -> None:
        def half(out: BinaryIO) -> None:
            out.write(b"half")
            raise RuntimeError("the source broke off")

        with pytest.raises(RuntimeError):
            store.put("ab/one.parquet", half)
        assert store.names() == []

    def test_an_unknown_name_is_an_integrity_error(self, store: BlobStore) -> None:
        with pytest.raises(IntegrityError):
            store.open("ab/none.parquet")

    def test_names_are_sorted_and_removing_twice_is_no_error(self, store: BlobStore) -> None:
        for name in ("cd/b", "ab/c", "ab/a"):
            store.put(name, writing(b""))
        store.remove("ab/c")
        store.remove("ab/c")
        store.remove("zz/never")
        assert store.names() == ["ab/a", "cd/b"]


class TestMemoryBlobStore(BlobStoreContract):
    @pytest.fixture
    def store(self) -> BlobStore:
        return MemoryBlobStore()


class TestFileStore(BlobStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        return FileStore(tmp_path / "vault")

    def test_a_name_may_not_leave_the_folder(self, store: BlobStore) -> None:
        for name in ("../x", "/etc/x", "a/../../x", ""):
            with pytest.raises(ValueError, match="not the name"):
                store.put(name, writing(b""))

    def test_files_and_folders_are_for_their_owner_only(self, store: BlobStore, tmp_path: Path) -> None:
        store.put("ab/one", writing(b""))
        assert (tmp_path / "vault/ab/one").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "vault/ab").stat().st_mode & 0o777 == 0o700

    def test_a_full_disk_stores_nothing_and_says_so(self, store: BlobStore) -> None:
        def full(out: BinaryIO) -> None:
            raise OSError(28, "No space left on device")

        with pytest.raises(SealError, match="No space left"):
            store.put("ab/one", full)
        assert store.names() == []
