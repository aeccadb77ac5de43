"""Putting rows of evidence into a file: whole and durable, under a key of its own, before the catalog speaks of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

from pipeline.core.ports import BlobStore, KeyStore
from pipeline.vault.catalog_rows import Conclusion
from pipeline.vault.master import KEY_BYTES
from pipeline.vault.orphans import file_name
from pipeline.vault.parquet import Written, write_file
from pipeline.vault.schema import SCHEMA_VERSION, EvidenceRow


def store_file(
    blobs: BlobStore, keys: KeyStore, rows: Iterator[EvidenceRow], said: Conclusion, *, file_id: str, at: str
) -> dict[str, Any] | None:
    """The catalog row of the file that now holds `rows`, which are taken one by one; None if there are none."""
    first = next(rows, None)
    if first is None:
        return None
    key_id, file_key = f"file-{file_id}", secrets.token_bytes(KEY_BYTES)
    keys.create(key_id)
    wrapped = keys.wrap(key_id, file_key)
    written: list[Written] = []

    def write(out: BinaryIO) -> None:
        footer = {"class": said.retention_class, "sealed_at": at}
        written.append(write_file(out, chain([first], rows), file_id=file_id, file_key=file_key, footer=footer))

    blobs.put(file_name(file_id), write)
    return {
        "file_id": file_id,
        "name": file_name(file_id),
        "sha256": written[0].sha256,
        "size": written[0].size,
        "row_count": written[0].rows,
        "row_root": written[0].root,
        "key_id": key_id,
        "wrapped_key": wrapped,
        "retention_class": said.retention_class,
        "schema_version": SCHEMA_VERSION,
        "sealed_at": at,
    }
