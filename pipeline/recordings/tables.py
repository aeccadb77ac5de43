"""The ledger's tables as they are now; `migrations` says how an older file comes to have them.

Every byte that names anyone is sealed (`sealed`) or blinded (`..._mac`); ids are keyed, times are UTC texts.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

meta = MetaData()
house = Table("house", meta, Column("name", Text, primary_key=True), Column("value", LargeBinary, nullable=False))
"""Single values: `key_check` (proves the key) and `current_run` (the fence)."""
runs = Table(
    "runs",
    meta,
    Column("run_id", Text, primary_key=True),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("complete", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # actor, command
    Column("totals", LargeBinary),  # sealed
)
reports = Table(
    "reports",
    meta,
    Column("run_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)
report_links = Table(
    "report_links",
    meta,
    Column("name_mac", LargeBinary, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Index("report_links_report", "run_id", "position"),
)
"""Which recordings a report speaks of, so that it goes with any of them."""
chunks = Table(
    "chunks",
    meta,
    Column("recording_id", Text, primary_key=True),
    Column("chunk", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("degraded", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
conclusions = Table(
    "conclusions",
    meta,
    Column("recording_id", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("degraded", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
enlisted = Table(
    "enlisted",
    meta,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("session_mac", LargeBinary, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),  # the whole recording as the manifest gave it
)
"""The roll of the current run."""
held = Table(
    "held",
    meta,
    Column("recording_id", Text, primary_key=True),
    Column("uri_mac", LargeBinary, primary_key=True),
    Column("name_mac", LargeBinary, index=True),  # session, stream and uri: what it is called, whatever it holds
    Column("run_id", Text, nullable=False),  # the last one that saw it
    Column("read", Text, nullable=False),
    Column("registered_at", Text, nullable=False),
    Column("counts_from", Text, nullable=False, index=True),
    Column("form", Integer, nullable=False),  # of what is sealed
    Column("sealed", LargeBinary, nullable=False),
)
"""What the platform ordinarily holds: one row for each place at which a recording was seen."""
found_by = Table(
    "found_by",
    meta,
    Column("mac", LargeBinary, primary_key=True),
    Column("recording_id", Text, primary_key=True),
    Column("uri_mac", LargeBinary, primary_key=True),
    Index("found_by_held", "recording_id", "uri_mac"),
)
"""Rows of `held` by account, handle, session, stream, and by the place of each of their files."""
leaving = Table(
    "leaving",
    meta,
    Column("leaving_id", Text, primary_key=True),
    Column("asked_at", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # the original
)
"""Originals that are to be removed: written down with the deletion of their rows, struck out once they are gone."""
told = Table(
    "told",
    meta,
    Column("told_id", Text, primary_key=True),
    Column("told_at", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # uri and why
)
"""Files that are the platform's to delete."""
