"""The one way in which values become bytes that are hashed or signed.

JSON with sorted keys, no spaces, real characters; strings and whole numbers only (and lists and objects of them), so
that every reader gets the same bytes.
"""

from __future__ import annotations

import hashlib
import json


def canonical(value: dict[str, object]) -> bytes:
    """UTF-8 bytes of `value`; TypeError for a float, null or boolean anywhere in it."""
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(body: bytes) -> str:
    """sha256 hex of 0x00 and `body`: the leaf hash of RFC 6962, so that a tree can stand on these digests."""
    return hashlib.sha256(b"\0" + body).hexdigest()


def _check(value: object) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{key!r} is no canonical key")
            _check(inner)
    elif isinstance(value, list):
        for inner in value:
            _check(inner)
    elif type(value) not in (str, int):  # a truth value is an int, too
        raise TypeError(f"{value!r} has no canonical bytes")
