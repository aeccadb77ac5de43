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


def derive(key: bytes, purpose: str, *, salt: bytes | None = None) -> bytes:
    """A 256-bit key for one purpose: HKDF-SHA256 of `key`."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose.encode()).derive(key)


def check_key(key: bytes, name: str) -> None:
    """Raises ConfigError unless `key` has 32 bytes."""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"the {name} has {len(key)} bytes instead of {KEY_BYTES}: give the one it was set up with")


def lock_secret(key: bytes, context: str, secret: bytes) -> bytes:
    """`secret` under AES-256-GCM with a random nonce, bound to `context`: nonce, ciphertext, tag."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, context.encode())


def unlock_secret(key: bytes, context: str, locked: bytes) -> bytes:
    """The inverse of `lock_secret`; IntegrityError if key, context or bytes are not the same."""
    try:
        return AESGCM(key).decrypt(locked[:_NONCE_BYTES], locked[_NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise IntegrityError(f"{context} cannot be unlocked: its bytes or the key above it were changed") from error
