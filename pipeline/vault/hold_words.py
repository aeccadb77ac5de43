"""What a hold is about, under the vault's key for holds: nobody learns it from the catalog alone.

The key belongs to the vault and not to an incident: it is made at the first use and never an orphan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from pipeline.core.ports import KeyStore
from pipeline.vault.tables import key_ref

HOLDS_KEY = "holds"
"""The key's id."""

VAULT = "vault"
"""The owner of keys that are the vault's own."""


def wrap_words(tx: Connection, keys: KeyStore, words: Mapping[str, object]) -> bytes:
    """`words` (JSON values) for a column of details; call it in a write transaction, which then owns the key."""
    if not keys.exists(HOLDS_KEY):
        keys.create(HOLDS_KEY)
    if tx.execute(select(key_ref.c.key_id).where(key_ref.c.key_id == HOLDS_KEY)).first() is None:
        tx.execute(insert(key_ref), {"key_id": HOLDS_KEY, "owner": VAULT, "party": "holds"})
    body = json.dumps(words, sort_keys=True, separators=(",", ":"))  # ASCII: a name may hold what is no text
    return keys.wrap(HOLDS_KEY, body.encode("ascii"))


def unwrap_words(keys: KeyStore, details: bytes) -> dict[str, Any]:
    """The words that `wrap_words` was given. A hold's are kind, authority, reference, reason and scope."""
    words: dict[str, Any] = json.loads(keys.unwrap(HOLDS_KEY, details))
    return words
