"""The catalog's tables of keeping: people involved, decisions, events, floors, holds, requests, destruction, clock.

What is not known is "unknown", what is not there yet is "", never a null. Names of platform users and what may not be
seen by everybody are sealed; persons who act are ids.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, Table

from pipeline.vault.tables import metadata
from pipeline.vault.tables import text_column as _text


def _key(name: str) -> Column[str]:
    return _text(name, primary_key=True)


def _of_incident(**options: object) -> Column[str]:
    return _text_reference("incident_id", "incident.incident_id", **options)


def _text_reference(name: str, target: str, **options: object) -> Column[str]:
    column = _text(name, **options)
    column.append_foreign_key(ForeignKey(target))
    return column


account_link = Table("account_link", metadata, _key("person"), _text("account_index", unique=True))
"""Which opaque person an account is: the only row that leads from one to the other; it goes with the last evidence."""

involved = Table(
    "involved",
    metadata,
    _of_incident(primary_key=True),
    _key("party"),
    _text("person", index=True),  # opaque, or "unknown"
)

decision = Table(
    "decision",
    metadata,
    _key("decision_id"),
    _of_incident(index=True),
    _text("outcome"),  # "upheld" or "dismissed"
    _text("category"),
    Column("severity", Integer, nullable=False),
    _text("retention_class"),
    Column("revision", Integer, nullable=False),  # the incident's revision that it made
    Column("note", LargeBinary, nullable=False),  # wrapped under the incident's key: it goes with the evidence
    _text("decided_by"),
    _text("second"),  # who agreed, "" where one was enough
    _text("decided_at"),
)

event = Table(
    "event",
    metadata,
    Column("number", Integer, primary_key=True),
    _text("event_id", unique=True),
    _of_incident(index=True),
    _text("kind"),
    _text("at"),
    _text("reference"),
    _text("recorded_at"),
    _text("recorded_by"),
)

floor = Table(
    "floor",
    metadata,
    _of_incident(primary_key=True),
    _key("rule"),
    _key("trigger_at"),
    _key("until"),
    _text("trigger"),
    _text("cite"),
    _text("recorded_at"),
)
"""Floors as they were written down; never changed, only overridden."""

floor_override = Table(
    "floor_override",
    metadata,
    _key("approval_id"),
    _of_incident(index=True),
    _text("rule"),
    _text("until"),
    _text("ground"),
    _text("at"),
)

hold = Table(
    "hold",
    metadata,
    Column("number", Integer, primary_key=True),
    _text("hold_id", unique=True),
    _text("starts_at"),
    _text("until"),  # "" until released
    Column("confidential", Boolean, nullable=False),
    Column("details", LargeBinary, nullable=False),  # wrapped JSON: kind, authority, reference, reason, scope
    _text("placed_at"),
    _text("placed_by"),
    _text("released_at"),
    _text("release_approval"),
)

hold_change = Table(
    "hold_change",
    metadata,
    Column("number", Integer, primary_key=True),
    _text_reference("hold_id", "hold.hold_id", index=True),
    _text("what"),  # "renew" or "release"
    _text("until"),
    Column("details", LargeBinary, nullable=False),  # wrapped JSON: reference, reason
    _text("at"),
    _text("by"),
)

hold_item = Table("hold_item", metadata, _text_reference("hold_id", "hold.hold_id", primary_key=True),
                  _of_incident(primary_key=True, index=True))  # fmt: skip

request = Table(
    "request",
    metadata,
    _key("request_id"),
    _text("kind"),
    _text("person", index=True),  # opaque
    Column("account", LargeBinary, nullable=False),  # wrapped under the request's own key
    _text("key_id"),
    _text("received_at"),
    _text("due_at"),
    _text("verified_at"),
    _text("state"),  # received, verified, decided, done
    _text("decision"),  # "", accepted, refused
    _text("ground"),
    _text("decided_by"),
    _text("decided_at"),
    _text("closed_at"),
)

request_item = Table(
    "request_item",
    metadata,
    Column("number", Integer, primary_key=True),
    _text_reference("request_id", "request.request_id", index=True),
    _of_incident(index=True),
    _text("party"),
    _text("outcome"),
    _text("ground"),
    _text("at"),
)

destroy_order = Table(
    "destroy_order",
    metadata,
    Column("number", Integer, primary_key=True),
    _of_incident(index=True),
    _text("order"),
    _text("at"),
    _text("ground"),
    _text("source"),  # the request, or the approval
)

conflict = Table(
    "conflict",
    metadata,
    Column("number", Integer, primary_key=True),
    _of_incident(index=True),
    _text("floor_rule"),
    _text("ceiling_rule"),
    _text("opened_at"),
    _text("ended_at"),
    _text("resolution"),
)

destruction = Table(
    "destruction",
    metadata,
    _key("key_id"),
    _of_incident(index=True),
    _text("party"),
    _text("method"),
    _text("reason"),
    _text("at", index=True),
    _text("actor"),
)
"""What the key store's ledger says, in the catalog's words."""

unlinked = Table(
    "unlinked", metadata, _text_reference("file_id", "evidence_file.file_id", primary_key=True), _text("at")
)

lease = Table("lease", metadata, _key("lease_id"), _of_incident(index=True), _text("until"))
"""Somebody is reading: the sweep passes the incident by until then."""

tick = Table(
    "tick",
    metadata,
    Column("number", Integer, primary_key=True),
    _text("at"),
    Column("accepted", Boolean, nullable=False),
    _text("reason"),
)
"""What the clock said; the last accepted one is the mark that time does not fall behind."""

pause = Table(
    "pause",
    metadata,
    _key("pause_id"),
    _text("reason"),
    _text("at"),
    _text("ended_at"),
    _text("approval_id"),
)
"""While one is not ended, nothing is destroyed."""

approval_used = Table(
    "approval_used",
    metadata,
    _key("approval_id"),
    _text("act"),
    _text("digest"),
    _text("requested_by"),
    _text("approved_by"),
    _text("used_at"),
)

rule_set = Table(
    "rule_set",
    metadata,
    Column("number", Integer, primary_key=True),
    _text("sha256"),
    _text("name"),
    _text("body"),
    _text("taken_at"),
    _text("approval_id"),  # "" for the first one
)
"""The rule files that were in force, the last one is."""

sweep = Table(
    "sweep",
    metadata,
    _key("sweep_id"),
    _text("at"),
    _text("actor"),
    Column("destroyed", Integer, nullable=False),
    Column("unreviewed", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("conflicts", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    _text("pause"),  # why it destroyed nothing, or ""
)
