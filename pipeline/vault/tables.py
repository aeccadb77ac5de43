"""The catalog's tables, as they are after the last migration.

No column holds words that name anyone: recordings, sessions, streams and participants are keyed pseudonyms. What is not
known is the word "unknown", never a null. Each table came with its first user.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()


def _text(name: str, **options: object) -> Column[str]:
    return Column(name, Text, nullable=False, **options)  # type: ignore[arg-type]


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


fence = Table(
    "fence",
    metadata,
    Column("number", Integer, primary_key=True),
    _text("run_id", unique=True),
    _text("actor"),
    _text("begun_at"),
)
"""Runs in order; the last one may write."""

conclusion = Table(
    "conclusion",
    metadata,
    Column("conclusion_id", Text, primary_key=True),
    _text("recording_id"),
    _text("run_id"),
    _text("policy_name"),
    _text("policy_version"),
    _text("policy_sha256"),
    _text("degraded"),  # JSON list of detectors that did not speak
    _text("incidents"),  # JSON list of incident ids, in order
    _text("concluded_at"),
)

key_ref = Table(
    "key_ref",
    metadata,
    Column("key_id", Text, primary_key=True),
    _text("owner"),  # the incident or the file
    _text("party"),  # "subject", "counterpart", or "file"
    UniqueConstraint("owner", "party"),
)
"""Which key belongs to whom; ids only, never keys."""

incident = Table(
    "incident",
    metadata,
    Column("incident_id", Text, primary_key=True),
    _text("recording_id", index=True),
    _text("session"),
    _text("stream"),
    _text("participant"),
    _text("identity"),
    _text("category"),
    _text("detected_as"),  # the category it was found as, whatever people decide; "" of those found before 0002
    Column("severity", Integer, nullable=False),
    _text("action"),
    _number("start_ns"),
    _number("end_ns"),
    _text("jurisdiction"),
    _text("legal_basis"),
    _text("review"),
    _text("custody"),
    Column("restricted", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),  # counts every change to the incident and to what keeps it
    _text("opened_at"),
    _text("origin"),  # "auto_detect", or "order" for what was preserved
    _text("retention_class"),
    _text("sealed_at"),
    _text("decided_at"),  # "" before a decision
    _text("floor_at"),  # the latest floor written down, "" without one
)

finding = Table(
    "finding",
    metadata,
    Column("finding_id", Text, primary_key=True),
    Column("incident_id", Text, ForeignKey("incident.incident_id"), nullable=False, index=True),
    Column("revision", Integer, nullable=False),  # the incident's revision that brought it
    Column("conclusion_id", Text, ForeignKey("conclusion.conclusion_id"), nullable=False),
    _text("rule"),
    _text("category"),
    Column("severity", Integer, nullable=False),
    _text("action"),
    _number("start_ns"),
    _number("end_ns"),
    _text("labels"),  # JSON list
    _text("models"),  # JSON list of name@version:sha256
    Column("signals", Integer, nullable=False),
    _text("score_bucket"),
    _text("policy_name"),
    _text("policy_version"),
    _text("policy_sha256"),
)

evidence_file = Table(
    "evidence_file",
    metadata,
    Column("file_id", Text, primary_key=True),
    _text("name", unique=True),
    _text("sha256"),
    _number("size"),
    Column("row_count", Integer, nullable=False),
    _text("row_root"),
    Column("key_id", Text, ForeignKey("key_ref.key_id"), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    _text("retention_class"),
    Column("schema_version", Integer, nullable=False),
    Column("conclusion_id", Text, ForeignKey("conclusion.conclusion_id"), nullable=False),
    _text("sealed_at"),
)

evidence_record = Table(
    "evidence_record",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("incident_id", Text, ForeignKey("incident.incident_id"), nullable=False, index=True),
    Column("file_id", Text, ForeignKey("evidence_file.file_id"), nullable=False),
    Column("row", Integer, nullable=False),
    _text("kind"),
    _text("party"),
    _number("start_ns"),
    _number("end_ns"),
    _text("media_type"),
    _number("size"),
    _text("sha256"),
    _text("content_mac"),
    Column("key_id", Text, ForeignKey("key_ref.key_id"), nullable=False),
    _text("retention_class"),
    _text("sealed_at"),
    UniqueConstraint("file_id", "row"),
)

audit_event = Table(
    "audit_event",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    _text("at"),
    _text("actor"),
    _text("verb"),
    _text("subject", index=True),
    _text("reason"),
    _text("after"),
    _text("previous"),
    _text("digest"),
)

IMMUTABLE = (
    "approval_used", "audit_event", "conclusion", "decision", "destroy_order", "destruction", "event", "evidence_file",
    "evidence_record", "fence", "finding", "floor", "floor_override", "hold_change", "hold_item", "key_ref",
    "request_item", "rule_set", "sweep", "tick", "unlinked",
)  # fmt: skip
"""Tables whose rows triggers protect from change and deletion; `v0002_keeping.sql` says what erasure may still do."""


def text_column(name: str, **options: object) -> Column[str]:
    """A text that is always there."""
    return _text(name, **options)
