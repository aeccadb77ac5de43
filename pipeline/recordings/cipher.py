"""The recordings key at work: sealing values and blinding look-ups.

AES-256-GCM with a random nonce, bound to the place where the value lies, so that a value moved to another row does not
open; HMAC-SHA256 for look-ups. Both keys are derived from one 32-byte recordings key, which never opens evidence.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.core.errors import ConfigError, IntegrityError

NONCE_BYTES = 12


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"watchkeep/recordings/" + purpose).derive(key)


def _place(names: tuple[str, ...]) -> bytes:
    return json.dumps(names).encode()


class Cipher:
    """Seals, opens and blinds under the 32-byte recordings key; ConfigError for a key of another length."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ConfigError(f"the recordings key has {len(key)} bytes instead of 32: restore it from its backup")
        self._aead = AESGCM(_derived(key, b"seal/1"))
        self._lookup = _derived(key, b"lookup/1")

    def seal(self, body: bytes, *place: str) -> bytes:
        """`body` sealed for `place` (table and row); 28 bytes longer. Good for 2^32 values under one key."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, body, _place(place))

    def open(self, sealed: bytes, *place: str) -> bytes:
        """What was sealed for `place`; IntegrityError if it was altered, moved, or sealed under another key."""
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _place(place))
        except (InvalidTag, ValueError):
            raise IntegrityError(
                f"recordings: the entry {' / '.join(place)} does not open: it was altered, or the key is another one"
            ) from None

    def seal_json(self, value: Mapping[str, Any], *place: str) -> bytes:
        """A mapping of JSON values, sealed."""
        return self.seal(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), *place)

    def open_json(self, sealed: bytes, *place: str) -> dict[str, Any]:
        """The mapping that `seal_json` sealed for `place`."""
        value: dict[str, Any] = json.loads(self.open(sealed, *place))
        return value

    def blind(self, kind: str, text: str) -> bytes:
        """32 bytes that stand for `text` in look-ups: equal texts of one kind are equal, and nothing else shows."""
        raw = kind.encode() + b"\0" + text.encode("utf-8", "surrogatepass")
        return hmac.new(self._lookup, raw, hashlib.sha256).digest()
