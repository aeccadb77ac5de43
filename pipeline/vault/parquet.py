"""Evidence files: Parquet with every module encrypted under the file's own key.

The key, and an AAD prefix that names the file and is not stored in it, bind a file to its identity: a file in another's
place cannot be read. Refuses to know who holds the keys.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from pipeline.core.errors import IntegrityError
from pipeline.vault.envelope import Sealed
from pipeline.vault.schema import DATASET, FIRST, SCHEMA, SCHEMA_VERSION, EvidenceRow

ROW_GROUP_BYTES = 16 << 20
"""A row group holds at most this much media, or the one record that is larger."""

_BODY = SCHEMA.get_field_index("body")
_SEALED = ("body", "facts", "wrapped_data_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: `sha256` and `size` of the whole file, its number of rows and the last row's digest."""

    sha256: str
    size: int
    rows: int
    root: str


class _Counted:
    """The stream under a Parquet writer, digested on its way."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.sha256 = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, body: Any) -> int:
        self.sha256.update(body)
        self.size += len(body)
        return self._out.write(body)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._out.flush()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def _aad(file_id: str) -> bytes:
    return f"{DATASET}|{file_id}|{SCHEMA_VERSION}".encode()


def write_file(
    out: BinaryIO, rows: Iterable[EvidenceRow], *, file_id: str, file_key: bytes, footer: Mapping[str, str]
) -> Written:
    """All rows into `out`, a row group at a time; `footer` is (encrypted) metadata of the file."""
    counted = _Counted(out)
    # Properties may serve one file only: pyarrow takes them for a second one without a word.
    properties = pe.create_encryption_properties(footer_key=file_key, aad_prefix=_aad(file_id), store_aad_prefix=False)
    count, previous = 0, FIRST
    with pq.ParquetWriter(
        counted,
        SCHEMA,
        encryption_properties=properties,
        use_dictionary=False,
        write_statistics=False,
        compression={name: "NONE" if name in _SEALED else "ZSTD" for name in SCHEMA.names},
    ) as writer:
        for group in _groups(rows):
            columns = []
            for row in group:
                columns.append({**row.columns(), "previous_row": previous})
                previous = row.digest(previous)
            writer.write_table(_table(columns), row_group_size=len(columns))
            count += len(columns)
        writer.add_key_value_metadata(
            {**footer, "dataset": DATASET, "file_id": file_id, "rows": str(count), "row_root": previous.hex()}
        )
    return Written(sha256=counted.sha256.hexdigest(), size=counted.size, rows=count, root=previous.hex())


def _table(rows: list[dict[str, Any]]) -> Any:
    """The rows as a table that holds their bodies where they are: a large one is not copied."""
    bodies = [_uncopied(row.pop("body")) for row in rows]
    table = pa.Table.from_pylist(rows, schema=SCHEMA.remove(_BODY))
    return table.add_column(_BODY, SCHEMA.field(_BODY), pa.chunked_array(bodies, type=pa.large_binary()))


def _uncopied(body: Sealed) -> Any:
    offsets = pa.py_buffer(struct.pack("=qq", 0, len(body)))
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(body)])


def _groups(rows: Iterable[EvidenceRow]) -> Iterator[list[EvidenceRow]]:
    group: list[EvidenceRow] = []
    held = 0
    for row in rows:
        weight = len(row.body) + len(row.facts)
        if group and held + weight > ROW_GROUP_BYTES:
            yield group
            group, held = [], 0
        group.append(row)
        held += weight
    if group:
        yield group


class EvidenceFile:
    """An evidence file opened for reading with its key; holds one row group at a time.

    Raises IntegrityError, naming `name` and where, for anything that is not what was written under this id and key.
    """

    def __init__(self, source: BinaryIO, *, name: str, file_id: str, file_key: bytes) -> None:
        self._name = name
        properties = pe.create_decryption_properties(
            footer_key=file_key, aad_prefix=_aad(file_id), check_footer_integrity=True, allow_plaintext_files=False
        )
        with self._place("footer"):
            self._file = pq.ParquetFile(source, decryption_properties=properties)
            footer = self._file.metadata.metadata or {}
            if not self._file.schema_arrow.equals(SCHEMA) or footer.get(b"file_id", b"").decode() != file_id:
                raise OSError("columns or file id are not those of an evidence file")
            self.root = footer[b"row_root"].decode()

    def rows(self) -> Iterator[tuple[EvidenceRow, bytes]]:
        """Every row in order with the digest that it gives for the row before it."""
        number = 0
        for group in range(self._file.num_row_groups):
            with self._place(f"row {number}"):
                table = self._file.read_row_group(group, use_threads=False)
            for i in range(table.num_rows):
                with self._place(f"row {number}"):
                    row = _row(table, i)
                yield row
                number += 1

    def row(self, number: int) -> EvidenceRow:
        """One row by its number in the file."""
        first = 0
        for group in range(self._file.num_row_groups):
            count = self._file.metadata.row_group(group).num_rows
            if number < first + count:
                with self._place(f"row {number}"):
                    return _row(self._file.read_row_group(group, use_threads=False), number - first)[0]
            first += count
        raise IntegrityError(f"vault file {self._name} has {first} rows and no row {number}: restore the vault")

    @contextmanager
    def _place(self, place: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException, KeyError, UnicodeDecodeError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise IntegrityError(f"vault file {self._name} is not what was sealed, at its {place}: {said}") from error


def _row(table: Any, i: int) -> tuple[EvidenceRow, bytes]:
    columns = table.remove_column(_BODY).slice(i, 1).to_pylist()[0]
    previous: bytes = columns.pop("previous_row")
    return EvidenceRow(body=memoryview(table.column(_BODY)[i].as_buffer()).cast("B"), **columns), previous
