"""A key store in memory, passing the same tests as the real ones."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.core.errors import IntegrityError, KeyDestroyedError, KeyMissingError


class MemoryKeyStore:
    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}
        self._destroyed: set[str] = set()

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

    def destroy(self, key_id: str) -> None:
        if key_id not in self._keys and key_id not in self._destroyed:
            raise KeyMissingError(f"key {key_id} is unknown")
        self._destroyed.add(key_id)
        self._keys.pop(key_id, None)

    def _cipher(self, key_id: str) -> AESGCM:
        if not self.exists(key_id):
            raise KeyMissingError(f"key {key_id} is unknown")
        return AESGCM(self._keys[key_id])
