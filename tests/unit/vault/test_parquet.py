"""Evidence files: bound to their identity and key, nothing readable without them, media kept whole."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import IntegrityError
from pipeline.vault import parquet
from pipeline.vault.parquet import EvidenceFile, Written, write_file
from pipeline.vault.schema import FIRST, SCHEMA, EvidenceRow

KEY = bytes(range(32))
ROW = EvidenceRow(
    schema_version=1,
    record_id=bytes(16),
    incident_id=bytes(16),
    kind="frame",
    party="subject",
    origin="auto_detect",
    provision_mode="unknown",
    category="nudity",
    severity=3,
    rules=["canary-rule"],
    models=["opennsfw@1:ef"],
    score_bucket="0.9-1.0",
    policy_name="video-chat",
    policy_version="1",
    policy_sha256="ab" * 32,
    privacy_policy_version="unknown",
    legal_basis="unknown",
    purposes=["unknown"],
    jurisdiction="unknown",
    initial_class="UNCONFIRMED_FLAG",
    media_type="image/jpeg",
    media_len=3,
    media_sha256_cipher=bytes(32),
    body=b"canary-body" * 50,
    key_id="incident-1",
    wrapped_data_key=b"wrapped",
    alg="EVB1/AES-256-GCM",
    capture_tool="watchkeep",
    facts=b"canary-facts",
)


def written(rows: list[EvidenceRow], *, file_id: str = "one", key: bytes = KEY) -> tuple[io.BytesIO, Written]:
    out = io.BytesIO()
    told = write_file(out, rows, file_id=file_id, file_key=key, footer={"class": "UNCONFIRMED_FLAG"})
    out.seek(0)
    return out, told


def opened(body: io.BytesIO, *, file_id: str = "one", key: bytes = KEY) -> EvidenceFile:
    return EvidenceFile(body, name="ab/one.parquet", file_id=file_id, file_key=key)


def test_rows_come_back_in_order_and_chained() -> None:
    rows = [replace(ROW, media_len=i) for i in range(3)]
    body, told = written(rows)
    file = opened(body)
    held = list(file.rows())
    assert [row for row, _ in held] == rows
    assert [previous for _, previous in held] == [FIRST, *(r.digest(p) for r, p in held[:-1])]
    assert file.root == told.root
    assert (told.rows, told.size, told.sha256) == (3, len(body.getvalue()), hashlib.sha256(body.getvalue()).hexdigest())
    assert file.row(2) == rows[2]
    with pytest.raises(IntegrityError, match="no row 3"):
        file.row(3)


def test_row_groups_are_bounded_and_a_larger_record_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 1000)
    sizes = [400, 400, 400, 5000, 10, 980, 30]
    body, _ = written([replace(ROW, body=bytes(n), facts=b"") for n in sizes])
    file = opened(body)
    metadata = file._file.metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [2, 1, 1, 2, 1]
    assert [len(file.row(i).body) for i in range(7)] == sizes


def test_nothing_of_a_file_is_readable_without_its_key() -> None:
    body, _ = written([ROW])
    for canary in (
        b"canary-rule",
        b"canary-body",
        b"canary-facts",
        b"video-chat",
        b"incident-1",
        b"media_len",
        b"class",
    ):
        assert canary not in body.getvalue()
    assert body.getvalue()[:4] == b"PARE"
    with pytest.raises((OSError, pa.ArrowException)):
        pq.ParquetFile(body)


def test_a_file_opens_only_under_its_own_id_and_key() -> None:
    body, _ = written([ROW])
    for wrong in ({"file_id": "two"}, {"key": bytes(32)}):
        body.seek(0)
        with pytest.raises(IntegrityError, match="at its footer"):
            opened(body, **wrong)  # type: ignore[arg-type]


def test_two_files_of_one_process_do_not_share_their_encryption() -> None:
    # pyarrow takes one properties object for two files without a word.
    one, _ = written([ROW], file_id="one", key=KEY)
    two, _ = written([ROW], file_id="two", key=bytes(32))
    assert opened(two, file_id="two", key=bytes(32)).row(0) == ROW
    two.seek(0)
    with pytest.raises(IntegrityError):
        opened(two, file_id="one", key=KEY)
    assert opened(one).row(0) == ROW


def test_a_plain_parquet_file_is_refused() -> None:
    body = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), body)
    body.seek(0)
    with pytest.raises(IntegrityError):
        opened(body)


def test_blobs_have_neither_dictionary_nor_statistics_and_are_not_compressed() -> None:
    body, _ = written([ROW])
    group = opened(body)._file.metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert columns["body"].compression == columns["facts"].compression == "UNCOMPRESSED"
    assert columns["category"].compression == "ZSTD"
    assert not any(c.has_dictionary_page or c.is_stats_set for c in columns.values())
    assert not any(field.nullable for field in SCHEMA)
