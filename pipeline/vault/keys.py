"""The key store in files: one key a file, each locked under a key derived from the master key.

Many processes may use one folder at once. Refuses to know whose key is whose: ids are opaque, and so are file names.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from pipeline.core.errors import ConfigError, IntegrityError, KeyDestroyedError, KeyMissingError, SealError
from pipeline.vault.disk import PART, locked, make_folder, sync_folder, write_once, writing
from pipeline.vault.ledger import DestructionLedger
from pipeline.vault.master import KEY_BYTES, check_key, derive, lock_secret, unlock_secret

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_PROOF = b"watchkeep key store 1"


class FileKeyStore:
    """Keys in `folder`/live (KeyStore port), under the 32-byte `master`; `ledger` defaults to a file in `folder`.

    A key is never cached: a destroyed one is gone for every process at its next call. Opening replays the ledger and
    finishes what a crash, or an old copy of the folder, left of destroyed keys. Raises ConfigError for a wrong master.
    """

    def __init__(self, folder: Path, master: bytes, *, ledger: Path | None = None) -> None:
        check_key(master, "master key")
        self._folder = folder
        self._live = folder / "live"
        self._lock = folder / "lock"
        self._kek = derive(master, "watchkeep/key-store/1")
        make_folder(self._live)
        with locked(self._lock):
            self._prove(folder / "proof")
            self._ledger = DestructionLedger(ledger or folder / "destroyed.jsonl")
            for key_id in self._ledger.ids():
                self._erase(key_id)

    def _prove(self, proof: Path) -> None:
        if not proof.exists():
            body = lock_secret(self._kek, "proof", _PROOF)
            write_once(proof, writing(body))
        try:
            unlock_secret(self._kek, "proof", proof.read_bytes())
        except IntegrityError as error:
            raise ConfigError(
                f"the master key does not open the keys in {self._folder}: give the master key they were made with"
            ) from error

    def create(self, key_id: str) -> None:
        """Make a key, durable before it returns."""
        path = self._path(key_id)
        body = lock_secret(self._kek, f"key {key_id}", secrets.token_bytes(KEY_BYTES))
        with locked(self._lock):  # against a destruction of the same id between the check and the link
            self._refuse_destroyed(key_id)
            try:
                write_once(path, writing(body))
            except FileExistsError as error:
                raise ValueError(f"key {key_id} exists already") from error
            except OSError as error:
                raise SealError(f"key {key_id} cannot be stored in {self._folder}: {error.strerror}") from error

    def exists(self, key_id: str) -> bool:
        """True if the key is there and alive."""
        self._refuse_destroyed(key_id)
        return self._path(key_id).exists()

    def ids(self) -> list[str]:
        """Ids of all living keys, sorted; what a crash left half-written is no key."""
        return sorted(entry.name for entry in self._live.iterdir() if not entry.name.endswith(PART))

    def wrap(self, key_id: str, data_key: bytes) -> bytes:
        """`data_key` locked under the key, bound to its id."""
        return lock_secret(self._key(key_id), f"data key under {key_id}", data_key)

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """The data key that `wrap` locked."""
        return unlock_secret(self._key(key_id), f"data key under {key_id}", wrapped)

    def destroy(self, key_id: str) -> None:
        """Ledger line, then the file: overwritten, removed, seen to be gone."""
        with locked(self._lock):
            if key_id not in self._ledger:
                if not self._path(key_id).exists():
                    raise KeyMissingError(_missing(key_id, self._folder))
                self._ledger.append(key_id)
            self._erase(key_id)

    def _erase(self, key_id: str) -> None:
        path = self._path(key_id)
        if not path.exists():
            return
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(self._live)

    def _key(self, key_id: str) -> bytes:
        self._refuse_destroyed(key_id)
        try:
            body = self._path(key_id).read_bytes()
            return unlock_secret(self._kek, f"key {key_id}", body)
        except FileNotFoundError as error:
            self._refuse_destroyed(key_id)  # it may have been destroyed a moment ago
            raise KeyMissingError(_missing(key_id, self._folder)) from error
        except IntegrityError:
            self._refuse_destroyed(key_id)
            raise

    def _refuse_destroyed(self, key_id: str) -> None:
        if key_id in self._ledger:
            raise KeyDestroyedError(f"key {key_id} was destroyed: what it sealed is gone for ever")

    def _path(self, key_id: str) -> Path:
        if not _ID.fullmatch(key_id):
            raise ValueError(f"not a key id: {key_id!r}")
        return self._live / key_id


def _missing(key_id: str, folder: Path) -> str:
    return f"key {key_id} is not in {folder} and no destruction is on record: restore the keys folder"
