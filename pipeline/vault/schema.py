"""One row of an evidence file: what may be read with the file key, and what lies sealed inside it.

Columns readable with the file key name nobody. Media (`body`) and all that names anyone (`facts`) are envelopes under
the key of (incident, party). What was not given is the word "unknown", never a null.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from pipeline.vault.canonical import canonical, plain
from pipeline.vault.envelope import Sealed

SCHEMA_VERSION = 1
DATASET = "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One sealed record as it lies in its file. Ids and digests are raw bytes; `body` and `facts` are EVB1."""

    schema_version: int
    record_id: bytes
    incident_id: bytes
    kind: str
    party: str
    origin: str
    provision_mode: str
    category: str
    severity: int
    rules: list[str]
    models: list[str]
    score_bucket: str
    policy_name: str
    policy_version: str
    policy_sha256: str
    privacy_policy_version: str
    legal_basis: str
    purposes: list[str]
    jurisdiction: str
    initial_class: str
    media_type: str
    media_len: int
    media_sha256_cipher: bytes
    body: Sealed
    key_id: str
    wrapped_data_key: bytes
    alg: str
    capture_tool: str
    facts: Sealed

    def columns(self) -> dict[str, Any]:
        """The row by column; nothing is copied."""
        return {name: getattr(self, name) for name in self.__slots__}

    def digest(self, previous: bytes) -> bytes:
        """sha256 over all columns (the envelopes by their own sha256) and the digest of the row before."""
        columns = self.columns()
        columns["body"] = self.media_sha256_cipher
        columns["facts"] = hashlib.sha256(self.facts).digest()
        return hashlib.sha256(canonical(plain(columns)) + previous).digest()


FIRST = bytes(32)
"""What stands before the first row of a file."""

_TYPES = {
    "schema_version": pa.int16(),
    "record_id": pa.binary(16),
    "incident_id": pa.binary(16),
    "severity": pa.int8(),
    "rules": pa.list_(pa.string()),
    "models": pa.list_(pa.string()),
    "purposes": pa.list_(pa.string()),
    "media_len": pa.int64(),
    "media_sha256_cipher": pa.binary(32),
    "body": pa.large_binary(),
    "wrapped_data_key": pa.binary(),
    "facts": pa.large_binary(),
}
SCHEMA = pa.schema(
    [pa.field(f.name, _TYPES.get(f.name, pa.string()), nullable=False) for f in fields(EvidenceRow)]
    + [pa.field("previous_row", pa.binary(32), nullable=False)]
)
"""The columns of `EvidenceRow` and the digest of the row before."""
