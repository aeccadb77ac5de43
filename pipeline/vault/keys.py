"""The key store in files: slots, each locked under the master key of its epoch, and a ledger of what was destroyed.

Many processes may use one folder at once. Refuses to know whose key is whose: ids are opaque, and so are file names.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from pipeline.core.errors import IntegrityError, KeyDestroyedError, KeyMissingError, SealError
from pipeline.vault.disk import locked, make_folder
from pipeline.vault.epoch import MasterEpoch
from pipeline.vault.key_folders import KeyFolders, begin
from pipeline.vault.key_slots import check_id
from pipeline.vault.ledger import DestructionLedger, KeptHead, LedgerHead
from pipeline.vault.master import KEY_BYTES, lock_secret, unlock_secret


class FileKeyStore:
    """Keys in `folder` (KeyStore port), locked under `epoch`; `ledger` defaults to a file in `folder`.

    A key is never cached: a destroyed one is gone for every process at its next call. Opening replays the ledger and
    finishes what a crash, or an old copy of the folder, left of destroyed keys and of a renewal. Raises ConfigError for
    a wrong master, IntegrityError for a folder from before the epoch and for a ledger that lost lines.
    """

    def __init__(self, folder: Path, epoch: MasterEpoch, *, ledger: Path | None = None) -> None:
        self._folder = folder
        self._lock = folder / "lock"
        path = ledger or folder / "destroyed.jsonl"
        make_folder(folder)
        with locked(self._lock):
            epoch.tidy()
            begin(folder, epoch, path)
            self._folders = KeyFolders(folder, epoch)
            self._folders.prove()
            self._ledger = DestructionLedger(path, KeptHead(epoch))
            self._ledger.keep_head()
            self._folders.settle(self._ledger)
            self._replay()

    def create(self, key_id: str) -> None:
        """Make a key, durable before it returns; SealError, and then there is none."""
        check_id(key_id)
        key = secrets.token_bytes(KEY_BYTES)
        with locked(self._lock):  # against a destruction of the same id between the check and the slot
            self._refuse_destroyed(key_id)
            try:
                self._folders.settle(self._ledger)
                self._folders.slots.add(key_id, key)
            except OSError as error:
                raise SealError(f"key {key_id} cannot be stored in {self._folder}: {error.strerror}") from error

    def exists(self, key_id: str) -> bool:
        """True if the key is there and alive."""
        check_id(key_id)
        self._refuse_destroyed(key_id)
        while not (found := self._folders.slots.has(key_id)) and self._folders.moved():
            pass
        return found

    def ids(self) -> list[str]:
        """Ids of all living keys, sorted; what a crash left half-written is no key."""
        while True:
            found = list(self._folders.slots.ids())
            if not self._folders.moved():
                return sorted(set(found).difference(self._ledger.ids()))

    def wrap(self, key_id: str, data_key: bytes) -> bytes:
        """`data_key` locked under the key, bound to its id."""
        return lock_secret(self._key(key_id), f"data key under {key_id}", data_key)

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """The data key that `wrap` locked."""
        return unlock_secret(self._key(key_id), f"data key under {key_id}", wrapped)

    def destroy(self, *key_ids: str) -> None:
        """Ledger lines with one fsync, then the slots: overwritten, one fsync a file, seen to be gone."""
        with locked(self._lock):
            self._folders.settle(self._ledger)
            alive = [key_id for key_id in key_ids if check_id(key_id) not in self._ledger]
            if missing := self._folders.slots.missing(alive):
                raise KeyMissingError(_missing(missing[0], self._folder))
            self._ledger.append(key_ids)
            self._replay()

    def renew(self) -> None:
        """Lock every living key under the next epoch: no copy of the folder made before this opens any more."""
        with locked(self._lock):
            self._folders.renew(self._ledger)

    def ledger_head(self) -> LedgerHead:
        """How many keys were destroyed, and the digest of the ledger's last line: to be published elsewhere."""
        return self._ledger.head()

    def _replay(self) -> None:
        slots = self._folders.slots
        if gone := self._ledger.ids(since=slots.replayed()):
            slots.erase(gone)
            slots.mark(self._ledger.head().number)

    def _key(self, key_id: str) -> bytes:
        check_id(key_id)
        while True:
            self._refuse_destroyed(key_id)
            try:
                key = self._folders.slots.read(key_id)
            except IntegrityError:
                self._refuse_destroyed(key_id)  # it may have been destroyed a moment ago
                if not self._folders.moved():
                    raise
                continue
            if key is not None:
                return key
            self._refuse_destroyed(key_id)
            if not self._folders.moved():
                raise KeyMissingError(_missing(key_id, self._folder))

    def _refuse_destroyed(self, key_id: str) -> None:
        if key_id in self._ledger:
            raise KeyDestroyedError(f"key {key_id} was destroyed: what it sealed is gone for ever")


def open_keys(keys: Path, epoch: MasterEpoch) -> FileKeyStore:
    """The store of a vault whose keys folder is `keys`."""
    return FileKeyStore(store_of(keys), epoch, ledger=ledger_of(keys))


def store_of(keys: Path) -> Path:
    """Where the key store of a vault lies."""
    return keys / "store"


def ledger_of(keys: Path) -> Path:
    """Where the destruction ledger of a vault lies, apart from the keys it speaks of."""
    return keys / "ledger" / "destroyed.jsonl"


def _missing(key_id: str, folder: Path) -> str:
    return (
        f"key {key_id} is not in {folder} and no destruction is on record: restore the keys folder from its newest copy"
    )
