"""What is made from the master key: keys for single purposes, and small secrets locked under them.

The master key comes as bytes from outside and is never written. Refuses to know where it is kept.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.core.errors import ConfigError, IntegrityError

KEY_BYTES = 32
_NONCE_BYTES = 12
LOCKED_BYTES = _NONCE_BYTES + KEY_BYTES + 16
"""Size of a locked key: nonce, ciphertext, tag."""


def derive(key: bytes, purpose: str, *, salt: bytes | None = None) -> bytes:
    """A 256-bit key for one purpose: HKDF-SHA256 of `key`."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose.encode()).derive(key)


def check_key(key: bytes, name: str) -> None:
    """Raises ConfigError unless `key` has 32 bytes."""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"the {name} has {len(key)} bytes instead of {KEY_BYTES}: give the one it was set up with")


class Lock:
    """Locks small secrets under one 32-byte key: AES-256-GCM with random nonces, each bound to its context."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def lock(self, context: str, secret: bytes) -> bytes:
        """Nonce, ciphertext, tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def unlock(self, context: str, locked: bytes) -> bytes:
        """The inverse; IntegrityError if key, context or bytes are not the same."""
        try:
            return self._cipher.decrypt(locked[:_NONCE_BYTES], locked[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(f"{context} cannot be unlocked: its bytes or the key above it were changed") from error


def lock_secret(key: bytes, context: str, secret: bytes) -> bytes:
    """`secret` locked under `key` (see `Lock`)."""
    return Lock(key).lock(context, secret)


def unlock_secret(key: bytes, context: str, locked: bytes) -> bytes:
    """What `lock_secret` locked; IntegrityError if key, context or bytes are not the same."""
    return Lock(key).unlock(context, locked)
