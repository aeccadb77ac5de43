"""Keeping: people involved, decisions, events, floors, holds, requests, the destroy machine, and the clock's ticks."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_APPEND_ONLY = (
    "approval_used", "decision", "destroy_order", "destruction", "event", "floor", "floor_override", "hold_change",
    "hold_item", "request_item", "rule_set", "sweep", "tick", "unlinked",
)  # fmt: skip

_COLUMNS = (
    ("detected_as", "''"),
    ("origin", "'auto_detect'"),
    ("retention_class", "'UNCONFIRMED_FLAG'"),
    ("sealed_at", "''"),
    ("decided_at", "''"),
    ("floor_at", "''"),
)


def upgrade() -> None:
    """Add the tables, the incident's columns of keeping, and the triggers that guard both."""
    for name, default in _COLUMNS:
        op.execute(f"ALTER TABLE incident ADD COLUMN {name} TEXT NOT NULL DEFAULT {default}")
    op.execute("UPDATE incident SET sealed_at = opened_at")
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n\n"):
        op.get_bind().exec_driver_sql(statement)
    for table in _APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
