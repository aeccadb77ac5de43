"""How the ledger's file came to be what it is; a released step is frozen and further ones are appended."""

from __future__ import annotations

from sqlalchemy import Connection

_FIRST = """
CREATE TABLE house (name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (name));
CREATE TABLE runs (run_id TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, complete BOOLEAN NOT NULL,
    sealed BLOB NOT NULL, totals BLOB, PRIMARY KEY (run_id));
CREATE TABLE reports (run_id TEXT NOT NULL, position INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (run_id, position));
CREATE TABLE chunks (recording_id TEXT NOT NULL, chunk TEXT NOT NULL, fingerprint TEXT NOT NULL, run_id TEXT NOT NULL,
    degraded BOOLEAN NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (recording_id, chunk, fingerprint));
CREATE TABLE conclusions (recording_id TEXT NOT NULL, fingerprint TEXT NOT NULL, run_id TEXT NOT NULL,
    degraded BOOLEAN NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (recording_id, fingerprint));
CREATE TABLE enlisted (position INTEGER NOT NULL, session_mac BLOB NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (position));
CREATE INDEX ix_enlisted_session_mac ON enlisted (session_mac);
CREATE TABLE registered (recording_id TEXT NOT NULL, uri_mac BLOB NOT NULL, started_at TEXT NOT NULL,
    registered_at TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (recording_id, uri_mac));
CREATE TABLE registered_accounts (account_mac BLOB NOT NULL, recording_id TEXT NOT NULL, uri_mac BLOB NOT NULL,
    PRIMARY KEY (account_mac, recording_id, uri_mac))
"""

_ORDINARY_DELETION = """
CREATE TABLE held (recording_id TEXT NOT NULL, uri_mac BLOB NOT NULL, name_mac BLOB, run_id TEXT NOT NULL,
    read TEXT NOT NULL, registered_at TEXT NOT NULL, counts_from TEXT NOT NULL, form INTEGER NOT NULL,
    sealed BLOB NOT NULL, PRIMARY KEY (recording_id, uri_mac));
CREATE INDEX ix_held_name_mac ON held (name_mac);
CREATE INDEX ix_held_counts_from ON held (counts_from);
INSERT INTO held SELECT recording_id, uri_mac, NULL, '', 'part', registered_at,
    CASE WHEN started_at = 'unknown' OR started_at > registered_at THEN registered_at ELSE started_at END, 1, sealed
    FROM registered;
DROP TABLE registered;
CREATE TABLE found_by (mac BLOB NOT NULL, recording_id TEXT NOT NULL, uri_mac BLOB NOT NULL,
    PRIMARY KEY (mac, recording_id, uri_mac));
CREATE INDEX found_by_held ON found_by (recording_id, uri_mac);
INSERT INTO found_by SELECT account_mac, recording_id, uri_mac FROM registered_accounts;
DROP TABLE registered_accounts;
CREATE TABLE report_links (name_mac BLOB NOT NULL, run_id TEXT NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (name_mac, run_id, position));
CREATE INDEX report_links_report ON report_links (run_id, position);
CREATE TABLE leaving (leaving_id TEXT NOT NULL, asked_at TEXT NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (leaving_id));
CREATE TABLE told (told_id TEXT NOT NULL, told_at TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (told_id))
"""

MIGRATIONS = (_FIRST, _ORDINARY_DELETION)
"""Entry i, statements with semicolons between, brings a file from version i to i + 1."""


def migrate(connection: Connection, version: int) -> None:
    """Bring a file of `version` up to date, within the caller's transaction."""
    for step in MIGRATIONS[version:]:
        for statement in step.split(";"):
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA user_version = {len(MIGRATIONS)}")
