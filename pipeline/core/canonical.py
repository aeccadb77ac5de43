"""The one way in which values become bytes that are hashed or signed.

JSON with sorted keys, no spaces, real characters; strings and whole numbers only (and lists and objects of them), so
that every reader gets the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable


def canonical(value: dict[str, object]) -> bytes:
    """UTF-8 bytes of `value`; TypeError for a float, null or boolean anywhere in it."""
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(body: bytes) -> str:
    """sha256 hex of 0x00 and `body`: the leaf hash of RFC 6962, so that a tree can stand on these digests."""
    return hashlib.sha256(b"\0" + body).hexdigest()


_SCALARS = (str, int)


def _check(value: object) -> None:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"{value!r} has keys that are not canonical")
        inner: Iterable[object] = value.values()
    elif isinstance(value, list):
        inner = value
    else:
        inner = (value,)
    for one in inner:
        if type(one) in _SCALARS:  # a truth value is an int, too, and is refused
            continue
        if not isinstance(one, dict | list):
            raise TypeError(f"{one!r} has no canonical bytes")
        _check(one)
