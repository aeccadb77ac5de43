"""A key store in memory, passing the same tests as the real ones."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.core.errors import IntegrityError, KeyDestroyedError, KeyMissingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What somebody copied: the keys as they were, and the epoch they were locked under."""

    keys: dict[str, bytes]
    epoch: int


class MemoryKeyStore:
    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}
        self._destroyed: set[str] = set()
        self._epoch = 0

    def create(self, key_id: str) -> None:
        if not self.exists(key_id):
            self._keys[key_id] = secrets.token_bytes(32)
        else:
            raise ValueError(f"key {key_id} exists already")

    def exists(self, key_id: str) -> bool:
        if key_id in self._destroyed:
            raise KeyDestroyedError(f"key {key_id} was destroyed")
        return key_id in self._keys

    def ids(self) -> list[str]:
        return sorted(self._keys)

    def wrap(self, key_id: str, data_key: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher(key_id).encrypt(nonce, data_key, key_id.encode())

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        try:
            return self._cipher(key_id).decrypt(wrapped[:12], wrapped[12:], key_id.encode())
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(f"data key under {key_id} was altered") from error

    def destroy(self, *key_ids: str) -> None:
        for key_id in key_ids:
            if key_id not in self._keys and key_id not in self._destroyed:
                raise KeyMissingError(f"key {key_id} is unknown")
        for key_id in key_ids:
            self._destroyed.add(key_id)
            self._keys.pop(key_id, None)

    def renew(self) -> None:
        self._epoch += 1

    def copy(self) -> Copy:
        return Copy(keys=dict(self._keys), epoch=self._epoch)

    def bring_back(self, old: Copy) -> None:
        """Put an old copy in the place of the keys; the epoch and the record of destructions stay as they are."""
        if old.epoch < self._epoch:
            raise IntegrityError(f"an old copy, from before epoch {self._epoch}")
        self._keys = {key_id: key for key_id, key in old.keys.items() if key_id not in self._destroyed}

    def put_back(self, newest: Copy) -> None:
        """The keys as they were before somebody tried an old copy."""
        self._keys = dict(newest.keys)

    def _cipher(self, key_id: str) -> AESGCM:
        if not self.exists(key_id):
            raise KeyMissingError(f"key {key_id} is unknown")
        return AESGCM(self._keys[key_id])
