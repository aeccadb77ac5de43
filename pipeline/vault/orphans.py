"""What a crash leaves behind: files and keys that were made for a conclusion which was never committed.

All of it is ciphertext and noise; nothing in the catalog points at it. Refuses to touch a file whose name is not the
vault's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipeline.core.ports import BlobStore, KeyStore
from pipeline.vault import tables

_OURS = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{30}\.parquet|\.\1[0-9a-f]{30}\.parquet\.[0-9a-f]{8}\.part)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """Files (by name) and keys (by id) that no conclusion owns, sorted."""

    files: tuple[str, ...]
    keys: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.files or self.keys)


def file_name(file_id: str) -> str:
    """Where the file with this id (32 hex digits) lies."""
    return f"{file_id[:2]}/{file_id}.parquet"


def is_ours(name: str) -> bool:
    """True if the vault gives files such names, half-written ones included."""
    return _OURS.fullmatch(name) is not None


def find_orphans(tx: Connection, blobs: BlobStore, keys: KeyStore) -> Orphans:
    """Files and keys that are there and in no row; of a conclusion that is under way, too."""
    owned_files = set(tx.execute(select(tables.evidence_file.c.name)).scalars())
    owned_keys = set(tx.execute(select(tables.key_ref.c.key_id)).scalars())
    return Orphans(
        files=tuple(n for n in blobs.names() if is_ours(n) and n not in owned_files),
        keys=tuple(k for k in keys.ids() if k not in owned_keys),
    )
