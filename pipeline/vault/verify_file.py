"""Verification of one evidence file: its bytes, its rows, and every envelope in them against the catalog.

Opens evidence in memory only, a piece at a time, and gives none of it away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator
from itertools import zip_longest
from typing import Any, BinaryIO

from sqlalchemy import Connection, select

from pipeline.core.errors import IntegrityError, KeyDestroyedError
from pipeline.core.ids import content_mac
from pipeline.core.ports import BlobStore, KeyStore
from pipeline.vault import tables
from pipeline.vault.envelope import Content, chunks, unseal
from pipeline.vault.parquet import EvidenceFile
from pipeline.vault.schema import FIRST, EvidenceRow

_PIECE_BYTES = 1 << 20


class FileCheck:
    """Checks files one by one, with the vault's own keys. `destroyed` counts records whose key is no more."""

    def __init__(self, blobs: BlobStore, keys: KeyStore, installation_key: bytes) -> None:
        self._blobs = blobs
        self._keys = keys
        self._installation_key = installation_key
        self.destroyed = 0

    def check(self, tx: Connection, file: Any) -> int:
        """How many records the file (a catalog row) holds, all as they were sealed.

        Raises IntegrityError or KeyMissingError naming the first place that is not.
        """
        with self._blobs.open(file.name) as source:
            same = _sha256(source) == file.sha256
            source.seek(0)
            count = self._check_rows(tx, file, source)
        if not same:
            raise IntegrityError(f"vault file {file.name} was changed outside its rows: restore it")
        return count

    def pass_by(self, file: Any, lying: Container[str]) -> int:
        """How many records a file held that was unlinked; IntegrityError if it is among the names `lying` there."""
        if file.name in lying:
            raise IntegrityError(
                f"vault file {file.name} is back, although it was unlinked at {file.unlinked_at}: "
                "`watchkeep sweep --apply` removes it"
            )
        self.destroyed += file.row_count
        return int(file.row_count)

    def _check_rows(self, tx: Connection, file: Any, source: BinaryIO) -> int:
        try:
            file_key = self._keys.unwrap(file.key_id, file.wrapped_key)
        except KeyDestroyedError:
            self.destroyed += file.row_count
            return int(file.row_count)
        opened = EvidenceFile(source, name=file.name, file_id=file.file_id, file_key=file_key)
        previous, count = FIRST, 0
        for pair, record in zip_longest(opened.rows(), _records(tx, file.file_id)):
            place = f"vault file {file.name} row {count}"
            if pair is None or record is None:
                where = "the file" if pair is None else "the catalog"
                raise IntegrityError(f"{place} is missing in {where}: restore the vault and the catalog")
            row, named = pair
            if named != previous:
                raise IntegrityError(f"{place} does not follow the row before it")
            previous = row.digest(previous)
            _compare(place, row, record)
            self._check_envelopes(place, row, record)
            count += 1
        if not (count == file.row_count and previous.hex() == opened.root == file.row_root):
            raise IntegrityError(f"vault file {file.name} holds {count} rows that are not those that were sealed")
        return count

    def _check_envelopes(self, place: str, row: EvidenceRow, record: Any) -> None:
        ids = record.record_id, record.incident_id
        try:
            data_key = self._keys.unwrap(record.key_id, row.wrapped_data_key)
        except KeyDestroyedError:
            self.destroyed += 1
            return
        facts = json.loads(unseal(data_key, *ids, Content.FACTS, row.facts))
        sha256, size = hashlib.sha256(), 0
        for piece in chunks(data_key, *ids, Content.BODY, row.body):
            sha256.update(piece)
            size += len(piece)
        if (facts["sha256"], facts["size"]) != (sha256.hexdigest(), size):
            raise IntegrityError(f"{place} holds other content than its sealed digest says")
        if (record.content_mac, record.size) != (content_mac(self._installation_key, sha256.digest()), size):
            raise IntegrityError(f"{place} holds other content than the catalog says")


def _sha256(source: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := source.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _records(tx: Connection, file_id: str) -> Iterator[Any]:
    r = tables.evidence_record
    yield from tx.execute(select(r).where(r.c.file_id == file_id).order_by(r.c.row).execution_options(yield_per=1000))


def _compare(place: str, row: EvidenceRow, record: Any) -> None:
    pairs = {
        "record": (row.record_id.hex(), record.record_id),
        "incident": (row.incident_id.hex(), record.incident_id),
        "kind": (row.kind, record.kind),
        "party": (row.party, record.party),
        "media type": (row.media_type, record.media_type),
        "length": (row.media_len, record.size),
        "key": (row.key_id, record.key_id),
        "retention class": (row.initial_class, record.retention_class),
        "ciphertext's sha256": (row.media_sha256_cipher.hex(), record.sha256),
        "ciphertext": (hashlib.sha256(row.body).hexdigest(), record.sha256),
    }
    for what, (held, said) in pairs.items():
        if held != said:
            raise IntegrityError(f"{place}: its {what} is {held}, the catalog says {said}")
