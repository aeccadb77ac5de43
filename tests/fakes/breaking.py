"""Stores that stop in the middle of an act, as if the power were cut: before a change, or right after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeVar

from pipeline.core.ports import BlobStore, KeyStore
from pipeline.vault.head import Head, SignedHead
from tests.unit.vault.power import PowerCutError

_T = TypeVar("_T")


class Fuse:
    """Counts the changes that stores make; where it was lit for `n`, the n-th moment is the last.

    Each change has two moments: before it and after it.
    """

    def __init__(self) -> None:
        self._left: int | None = None

    def light(self, moments: int) -> None:
        self._left = moments

    def put_out(self) -> None:
        self._left = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Looking on burns nothing."""
        left, self._left = self._left, None
        try:
            yield
        finally:
            self._left = left

    def change(self, do: Callable[[], _T]) -> _T:
        self._burn()
        done = do()
        self._burn()
        return done

    def _burn(self) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            self._left = None
            raise PowerCutError


class BreakingKeyStore:
    """A key store under a fuse; what only looks passes through."""

    def __init__(self, store: KeyStore, fuse: Fuse) -> None:
        self._store = store
        self._fuse = fuse

    def create(self, key_id: str) -> None:
        self._fuse.change(lambda: self._store.create(key_id))

    def exists(self, key_id: str) -> bool:
        return self._store.exists(key_id)

    def wrap(self, key_id: str, data_key: bytes) -> bytes:
        return self._fuse.change(lambda: self._store.wrap(key_id, data_key))

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        return self._store.unwrap(key_id, wrapped)

    def destroy(self, *key_ids: str) -> None:
        self._fuse.change(lambda: self._store.destroy(*key_ids))

    def renew(self) -> None:
        self._fuse.change(self._store.renew)

    def ids(self) -> list[str]:
        return self._store.ids()


class BreakingBlobStore:
    """A blob store under a fuse."""

    def __init__(self, store: BlobStore, fuse: Fuse) -> None:
        self._store = store
        self._fuse = fuse

    def put(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        self._fuse.change(lambda: self._store.put(name, write))

    def open(self, name: str) -> BinaryIO:
        return self._store.open(name)

    def names(self) -> list[str]:
        return self._store.names()

    def remove(self, *names: str) -> None:
        self._fuse.change(lambda: self._store.remove(*names))


class BreakingHead(SignedHead):
    """A signed head under a fuse: the catalog is committed before it goes forward."""

    fuse: Fuse

    def advance(self, head: Head) -> None:
        self.fuse.change(lambda: super(BreakingHead, self).advance(head))
