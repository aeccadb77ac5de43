"""Ids: HMAC-SHA256 under the installation key.

The same content under the same installation always gets the same id, so sealing twice is sealing once; and an id
tells nobody outside what the content was (a bare content hash could be matched against lists).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable


def keyed_id(key: bytes, kind: str, *fields: str | int) -> str:
    """128-bit hex id of `fields` in the domain `kind`; `key` is the 32-byte installation key.

    Fields are length-prefixed, so ("ab", "c") and ("a", "bc") differ.
    """
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for text in (kind, *map(str, fields)):
        raw = text.encode("utf-8", "surrogateescape")
        mac.update(len(raw).to_bytes(8, "big"))
        mac.update(raw)
    return mac.hexdigest()[:32]


def content_mac(key: bytes, sha256: bytes) -> str:
    """256-bit keyed digest of a plaintext, made from its sha256: comparable in one installation, matchable nowhere."""
    return hmac.new(key, b"content\0" + sha256, hashlib.sha256).hexdigest()


def digest_of(texts: Iterable[str]) -> str:
    """sha256 hex over length-prefixed texts: a stable fingerprint of settings, in the clear."""
    h = hashlib.sha256()
    for text in texts:
        raw = text.encode("utf-8", "surrogateescape")
        h.update(len(raw).to_bytes(8, "big"))
        h.update(raw)
    return h.hexdigest()
