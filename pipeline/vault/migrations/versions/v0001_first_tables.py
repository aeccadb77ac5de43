"""The first catalog: fence, conclusions, incidents, findings, keys, files, records, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_IMMUTABLE = ("audit_event", "conclusion", "evidence_file", "evidence_record", "fence", "finding", "key_ref")


def upgrade() -> None:
    """Make every table, and the triggers that keep what is written."""
    _runs_and_keys()
    _incidents()
    _evidence()
    op.create_table(
        "audit_event",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        *_texts("at", "actor", "verb", "subject", "reason", "after", "previous", "digest"),
    )
    op.create_index("ix_audit_event_subject", "audit_event", ["subject"])
    for table in _IMMUTABLE:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _long(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _reference(name: str, target: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey(target), nullable=False)


def _runs_and_keys() -> None:
    op.create_table(
        "fence",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False, unique=True),
        *_texts("actor", "begun_at"),
    )
    op.create_table(
        "conclusion",
        sa.Column("conclusion_id", sa.Text, primary_key=True),
        *_texts("recording_id", "run_id", "policy_name", "policy_version", "policy_sha256"),
        *_texts("degraded", "incidents", "concluded_at"),
    )
    op.create_table(
        "key_ref",
        sa.Column("key_id", sa.Text, primary_key=True),
        *_texts("owner", "party"),
        sa.UniqueConstraint("owner", "party"),
    )


def _incidents() -> None:
    op.create_table(
        "incident",
        sa.Column("incident_id", sa.Text, primary_key=True),
        *_texts("recording_id", "session", "stream", "participant", "identity", "category"),
        *_whole("severity"),
        *_texts("action"),
        *_long("start_ns", "end_ns"),
        *_texts("jurisdiction", "legal_basis", "review", "custody"),
        sa.Column("restricted", sa.Boolean, nullable=False),
        *_whole("revision"),
        *_texts("opened_at"),
    )
    op.create_index("ix_incident_recording_id", "incident", ["recording_id"])
    op.create_table(
        "finding",
        sa.Column("finding_id", sa.Text, primary_key=True),
        _reference("incident_id", "incident.incident_id"),
        *_whole("revision"),
        _reference("conclusion_id", "conclusion.conclusion_id"),
        *_texts("rule", "category"),
        *_whole("severity"),
        *_texts("action"),
        *_long("start_ns", "end_ns"),
        *_texts("labels", "models"),
        *_whole("signals"),
        *_texts("score_bucket", "policy_name", "policy_version", "policy_sha256"),
    )
    op.create_index("ix_finding_incident_id", "finding", ["incident_id"])


def _evidence() -> None:
    op.create_table(
        "evidence_file",
        sa.Column("file_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        *_texts("sha256"),
        *_long("size"),
        *_whole("row_count"),
        *_texts("row_root"),
        _reference("key_id", "key_ref.key_id"),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        *_texts("retention_class"),
        *_whole("schema_version"),
        _reference("conclusion_id", "conclusion.conclusion_id"),
        *_texts("sealed_at"),
    )
    op.create_table(
        "evidence_record",
        sa.Column("record_id", sa.Text, primary_key=True),
        _reference("incident_id", "incident.incident_id"),
        _reference("file_id", "evidence_file.file_id"),
        *_whole("row"),
        *_texts("kind", "party"),
        *_long("start_ns", "end_ns"),
        *_texts("media_type"),
        *_long("size"),
        *_texts("sha256", "content_mac"),
        _reference("key_id", "key_ref.key_id"),
        *_texts("retention_class", "sealed_at"),
        sa.UniqueConstraint("file_id", "row"),
    )
    op.create_index("ix_evidence_record_incident_id", "evidence_record", ["incident_id"])
