"""Catalog rows as the canonical bytes that are hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pipeline.core.canonical import canonical, leaf_hash

__all__ = ["canonical", "digest_of_rows", "leaf_hash", "plain"]


def digest_of_rows(rows: dict[str, object]) -> str:
    """sha256 hex of the canonical bytes of catalog rows."""
    return hashlib.sha256(canonical(rows)).hexdigest()


def plain(row: Mapping[str, Any]) -> dict[str, object]:
    """A catalog row for `canonical`: bytes as hex, truth values as 0 and 1."""
    return {name: v.hex() if isinstance(v, bytes) else int(v) if isinstance(v, bool) else v for name, v in row.items()}
