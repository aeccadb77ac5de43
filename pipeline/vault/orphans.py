"""What a crash leaves behind: files and keys that were made for a conclusion which was never committed.

All of it is ciphertext and noise; nothing in the catalog points at it. A file's name begins with a mark of its run: one
of a run that the catalog does not know was sealed after this catalog, which is an old copy then, and is no leftover.
Refuses to touch a file whose name is not the vault's own.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipeline.core.ids import keyed_id
from pipeline.core.ports import BlobStore, KeyStore
from pipeline.vault import tables
from pipeline.vault.hold_words import HOLDS_KEY
from pipeline.vault.tables_keeping import hold

_OURS = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{30}\.parquet|\.\1[0-9a-f]{30}\.parquet\.[0-9a-f]{8}\.part)")

PRESERVING = "preserving"
"""A lock file beside the catalog: files are preserved under it, and orphans removed, one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """Files (by name) and keys (by id) that no conclusion owns, sorted; `newer` are files of runs not known here."""

    files: tuple[str, ...]
    keys: tuple[str, ...]
    newer: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.keys)


def newer_than_catalog(found: Orphans) -> str:
    """The sentence about files of runs that the catalog does not know."""
    return (
        f"vault file {found.newer[0]} and {len(found.newer) - 1} others are of runs that this catalog does not know: "
        "it is older than the vault; restore the newest catalog"
    )


def fresh_file_id(installation_key: bytes, run_id: str) -> str:
    """An id for a file of this run (or hold, see `hold_run`): 16 hex digits that mark it, and 16 that are random."""
    return _mark(installation_key, run_id) + secrets.token_hex(8)


def hold_run(hold_id: str) -> str:
    """What stands in the place of a run where content is preserved for a hold."""
    return f"hold-{hold_id}"


def _mark(installation_key: bytes, run_id: str) -> str:
    return keyed_id(installation_key, "file of run", run_id)[:16]


def file_name(file_id: str) -> str:
    """Where the file with this id (32 hex digits) lies."""
    return f"{file_id[:2]}/{file_id}.parquet"


def is_ours(name: str) -> bool:
    """True if the vault gives files such names, half-written ones included."""
    return _OURS.fullmatch(name) is not None


def find_orphans(tx: Connection, blobs: BlobStore, keys: KeyStore, installation_key: bytes) -> Orphans:
    """Files and keys that are there and in no row; of a conclusion that is under way, too."""
    owned_files = set(tx.execute(select(tables.evidence_file.c.name)).scalars())
    owned_keys = set(tx.execute(select(tables.key_ref.c.key_id)).scalars())
    stray = [n for n in blobs.names() if is_ours(n) and n not in owned_files]
    marks = {_mark(installation_key, run) for run in tx.execute(select(tables.fence.c.run_id)).scalars()}
    marks |= {_mark(installation_key, hold_run(h)) for h in tx.execute(select(hold.c.hold_id)).scalars()}
    known = [n for n in stray if n[3:].lstrip(".")[:16] in marks]
    return Orphans(
        files=tuple(known),
        keys=tuple(k for k in keys.ids() if k not in owned_keys and k != HOLDS_KEY),
        newer=tuple(n for n in stray if n not in known),
    )
