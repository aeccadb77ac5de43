"""Keys in slots: 256 files of slots of one size, each slot one key id and the key, locked.

A slot is written once at the end of its file and overwritten when its key is destroyed; it never bears another key.
Nothing is cached: the file is read for each key. Refuses to know what destroys a key, and who else uses the folder:
whoever writes holds the store's lock.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.vault.disk import make_folder, replace, shred, sync_folder, write_at, write_new
from pipeline.vault.master import LOCKED_BYTES, Lock

ID_BYTES = 68
SLOT_BYTES = ID_BYTES + LOCKED_BYTES
"""128: a slot never lies across the border of a disk's sector, so a power cut leaves it whole or not there."""
_ID = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{ID_BYTES - 1}}}")
_PROOF = b"watchkeep key store 2"


def check_id(key_id: str) -> str:
    """`key_id`; ValueError if it is none."""
    if not _ID.fullmatch(key_id):
        raise ValueError(f"not a key id: {key_id!r}")
    return key_id


class KeySlots:
    """The keys in `folder`, locked with `lock`."""

    def __init__(self, folder: Path, lock: Lock) -> None:
        self._folder = folder
        self._lock = lock

    def prove(self) -> None:
        """Raises ConfigError if the lock is not the one that these keys were locked with."""
        try:
            self._lock.unlock("proof", (self._folder / "proof").read_bytes())
        except (IntegrityError, FileNotFoundError) as error:
            raise ConfigError(
                f"the master key does not open the keys in {self._folder}: give the master key they were made with, "
                "and the epoch beside it"
            ) from error

    def read(self, key_id: str) -> bytes | None:
        """The key; None if it has no slot. IntegrityError if its slot was changed."""
        body = self._body(_bucket(key_id))
        at = _find(body, key_id)
        return None if at < 0 else self._lock.unlock(f"key {key_id}", body[at + ID_BYTES : at + SLOT_BYTES])

    def has(self, key_id: str) -> bool:
        """True if the key has a slot."""
        return _find(self._body(_bucket(key_id)), key_id) >= 0

    def ids(self) -> Iterator[str]:
        """The ids of all keys."""
        for name in self._names():
            for key_id, _ in _slots(self._body(name), self._folder / name):
                yield key_id

    def add(self, key_id: str, key: bytes) -> None:
        """A new slot, durable before it returns; OSError, and then there is none. ValueError if the key has one."""
        slot, path = self._slot(key_id, key), self._folder / _bucket(key_id)
        fresh = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if fresh:
                sync_folder(self._folder)  # its name first: once the slot is durable, nothing can fail any more
            end = len(body := _whole(handle))
            if _find(body, key_id) >= 0:
                raise ValueError(f"key {key_id} exists already")
            try:
                write_at(handle, end, slot)
                os.fsync(handle)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(handle, end)
                raise
        finally:
            os.close(handle)

    def missing(self, key_ids: Iterable[str]) -> list[str]:
        """Those of the ids that have no slot."""
        return [
            key_id
            for name, some in _grouped(key_ids)
            for there in [{name for name, _ in _slots(self._body(name), self._folder / name)}]
            for key_id in some
            if key_id not in there
        ]

    def erase(self, key_ids: Iterable[str]) -> None:
        """Overwrite their slots, one fsync a file, and see that they are gone; ids without a slot are no error."""
        for name, some in _grouped(key_ids):
            with suppress(FileNotFoundError):
                self._erase(self._folder / name, {_padded(key_id) for key_id in some})

    def _erase(self, path: Path, ids: set[bytes]) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            for at in (found := _places(_whole(handle), ids)):
                write_at(handle, at, bytes(ID_BYTES) + secrets.token_bytes(LOCKED_BYTES))
            if found:
                os.fsync(handle)
                if _places(_whole(handle), ids):
                    raise IntegrityError(f"{path} still holds keys that were overwritten: stop, and look at its disk")
        finally:
            os.close(handle)

    def unlocked(self, *, without: Container[str]) -> Iterator[tuple[str, bytes]]:
        """Every key, except some, with its id."""
        for name in self._names():
            for key_id, locked in _slots(self._body(name), self._folder / name):
                if key_id not in without:
                    yield key_id, self._lock.unlock(f"key {key_id}", locked)

    def fill(self, keys: Iterable[tuple[str, bytes]], *, replayed: int) -> None:
        """Make the folder, with these keys in it, whole and durable before it returns; for `replayed` see `mark`.

        The keys come in the order of `in_order`.
        """
        make_folder(self._folder)
        for name, some in groupby(keys, key=lambda pair: _bucket(pair[0])):
            write_new(self._folder / name, b"".join(self._slot(*pair) for pair in some))
        write_new(self._folder / "replayed", b"%d" % replayed)
        write_new(self._folder / "proof", self._lock.lock("proof", _PROOF))
        sync_folder(self._folder)

    def replayed(self) -> int:
        """How many lines of the destruction ledger were carried out here; 0 if nobody knows."""
        try:
            return int((self._folder / "replayed").read_bytes())
        except (FileNotFoundError, ValueError):
            return 0

    def mark(self, replayed: int) -> None:
        """Say that so many lines of the ledger were carried out; an old copy of the folder has its own number in it."""
        replace(self._folder / "replayed", b"%d" % replayed)

    def _slot(self, key_id: str, key: bytes) -> bytes:
        return _padded(key_id) + self._lock.lock(f"key {key_id}", key)

    def _names(self) -> list[str]:
        return sorted(entry.name for entry in self._folder.glob("[0-9a-f][0-9a-f].keys"))

    def _body(self, name: str) -> bytes:
        try:
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            return _whole(handle)
        finally:
            os.close(handle)


def wipe(folder: Path) -> None:
    """Overwrite and remove every file of a folder of keys, then the folder."""
    for path in sorted(folder.iterdir()):
        shred(path)
    folder.rmdir()
    sync_folder(folder.parent)


def in_order(key_ids: Iterable[str]) -> list[str]:
    """Sorted, with those of one file together."""
    return sorted(key_ids, key=lambda key_id: (_bucket(key_id), key_id))


def _grouped(key_ids: Iterable[str]) -> Iterator[tuple[str, Iterator[str]]]:
    """Names of files, and which of the keys belong into each."""
    return groupby(in_order(key_ids), key=_bucket)


def _bucket(key_id: str) -> str:
    return sha256(key_id.encode()).hexdigest()[:2] + ".keys"


def _padded(key_id: str) -> bytes:
    return key_id.encode().ljust(ID_BYTES, b"\0")


def _whole(handle: int) -> bytes:
    size = os.fstat(handle).st_size
    return os.pread(handle, size - size % SLOT_BYTES, 0)  # a crash may have left half a slot, of a key nobody has


def _find(body: bytes, key_id: str) -> int:
    """Where the slot begins; -1 if there is none."""
    name, padded = key_id.encode(), _padded(key_id)
    at = body.find(name)  # shorter than the padded id, and much faster to search for
    while at >= 0 and (at % SLOT_BYTES or body[at : at + ID_BYTES] != padded):
        at = body.find(name, at + 1)
    return at


def _places(body: bytes, ids: set[bytes]) -> list[int]:
    return [at for at in range(0, len(body), SLOT_BYTES) if body[at : at + ID_BYTES] in ids]


def _slots(body: bytes, path: Path) -> Iterator[tuple[str, bytes]]:
    """Ids and locked keys; slots whose key was destroyed are passed over."""
    for at in range(0, len(body), SLOT_BYTES):
        name = body[at : at + ID_BYTES].rstrip(b"\0")
        if name:
            key_id = name.decode("latin-1")
            if not _ID.fullmatch(key_id):
                raise IntegrityError(f"{path} slot {at // SLOT_BYTES} was changed: restore the keys folder")
            yield key_id, body[at + ID_BYTES : at + SLOT_BYTES]
