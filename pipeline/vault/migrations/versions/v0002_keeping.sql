-- Frozen: what 0002 made. Statements end with a semicolon and an empty line.

CREATE TABLE account_link (
person TEXT NOT NULL,
account_index TEXT NOT NULL,
PRIMARY KEY (person),
UNIQUE (account_index));

CREATE TABLE approval_used (
approval_id TEXT NOT NULL,
act TEXT NOT NULL,
digest TEXT NOT NULL,
requested_by TEXT NOT NULL,
approved_by TEXT NOT NULL,
used_at TEXT NOT NULL,
PRIMARY KEY (approval_id));

CREATE TABLE hold (
number INTEGER NOT NULL,
hold_id TEXT NOT NULL,
starts_at TEXT NOT NULL,
until TEXT NOT NULL,
confidential BOOLEAN NOT NULL,
details BLOB NOT NULL,
placed_at TEXT NOT NULL,
placed_by TEXT NOT NULL,
released_at TEXT NOT NULL,
release_approval TEXT NOT NULL,
PRIMARY KEY (number),
UNIQUE (hold_id));

CREATE TABLE pause (
pause_id TEXT NOT NULL,
reason TEXT NOT NULL,
at TEXT NOT NULL,
ended_at TEXT NOT NULL,
approval_id TEXT NOT NULL,
PRIMARY KEY (pause_id));

CREATE TABLE request (
request_id TEXT NOT NULL,
kind TEXT NOT NULL,
person TEXT NOT NULL,
account BLOB NOT NULL,
key_id TEXT NOT NULL,
received_at TEXT NOT NULL,
due_at TEXT NOT NULL,
verified_at TEXT NOT NULL,
state TEXT NOT NULL,
decision TEXT NOT NULL,
ground TEXT NOT NULL,
decided_by TEXT NOT NULL,
decided_at TEXT NOT NULL,
closed_at TEXT NOT NULL,
PRIMARY KEY (request_id));

CREATE INDEX ix_request_person ON request (person);

CREATE TABLE rule_set (
number INTEGER NOT NULL,
sha256 TEXT NOT NULL,
name TEXT NOT NULL,
body TEXT NOT NULL,
taken_at TEXT NOT NULL,
approval_id TEXT NOT NULL,
PRIMARY KEY (number));

CREATE TABLE sweep (
sweep_id TEXT NOT NULL,
at TEXT NOT NULL,
actor TEXT NOT NULL,
destroyed INTEGER NOT NULL,
unreviewed INTEGER NOT NULL,
held INTEGER NOT NULL,
conflicts INTEGER NOT NULL,
kept INTEGER NOT NULL,
pause TEXT NOT NULL,
PRIMARY KEY (sweep_id));

CREATE TABLE tick (
number INTEGER NOT NULL,
at TEXT NOT NULL,
accepted BOOLEAN NOT NULL,
reason TEXT NOT NULL,
PRIMARY KEY (number));

CREATE TABLE "conflict" (
number INTEGER NOT NULL,
incident_id TEXT NOT NULL,
floor_rule TEXT NOT NULL,
ceiling_rule TEXT NOT NULL,
opened_at TEXT NOT NULL,
ended_at TEXT NOT NULL,
resolution TEXT NOT NULL,
PRIMARY KEY (number),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_conflict_incident_id ON "conflict" (incident_id);

CREATE TABLE decision (
decision_id TEXT NOT NULL,
incident_id TEXT NOT NULL,
outcome TEXT NOT NULL,
category TEXT NOT NULL,
severity INTEGER NOT NULL,
retention_class TEXT NOT NULL,
revision INTEGER NOT NULL,
note BLOB NOT NULL,
decided_by TEXT NOT NULL,
second TEXT NOT NULL,
decided_at TEXT NOT NULL,
PRIMARY KEY (decision_id),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_decision_incident_id ON decision (incident_id);

CREATE TABLE destroy_order (
number INTEGER NOT NULL,
incident_id TEXT NOT NULL,
"order" TEXT NOT NULL,
at TEXT NOT NULL,
ground TEXT NOT NULL,
source TEXT NOT NULL,
PRIMARY KEY (number),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_destroy_order_incident_id ON destroy_order (incident_id);

CREATE TABLE destruction (
key_id TEXT NOT NULL,
incident_id TEXT NOT NULL,
party TEXT NOT NULL,
method TEXT NOT NULL,
reason TEXT NOT NULL,
at TEXT NOT NULL,
actor TEXT NOT NULL,
PRIMARY KEY (key_id),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_destruction_at ON destruction (at);

CREATE INDEX ix_destruction_incident_id ON destruction (incident_id);

CREATE TABLE event (
number INTEGER NOT NULL,
event_id TEXT NOT NULL,
incident_id TEXT NOT NULL,
kind TEXT NOT NULL,
at TEXT NOT NULL,
reference TEXT NOT NULL,
recorded_at TEXT NOT NULL,
recorded_by TEXT NOT NULL,
PRIMARY KEY (number),
UNIQUE (event_id),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_event_incident_id ON event (incident_id);

CREATE TABLE floor (
incident_id TEXT NOT NULL,
rule TEXT NOT NULL,
trigger_at TEXT NOT NULL,
until TEXT NOT NULL,
"trigger" TEXT NOT NULL,
cite TEXT NOT NULL,
recorded_at TEXT NOT NULL,
PRIMARY KEY (incident_id, rule, trigger_at, until),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE TABLE floor_override (
approval_id TEXT NOT NULL,
incident_id TEXT NOT NULL,
rule TEXT NOT NULL,
until TEXT NOT NULL,
ground TEXT NOT NULL,
at TEXT NOT NULL,
PRIMARY KEY (approval_id),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_floor_override_incident_id ON floor_override (incident_id);

CREATE TABLE hold_change (
number INTEGER NOT NULL,
hold_id TEXT NOT NULL,
what TEXT NOT NULL,
until TEXT NOT NULL,
details BLOB NOT NULL,
at TEXT NOT NULL,
by TEXT NOT NULL,
PRIMARY KEY (number),
FOREIGN KEY(hold_id) REFERENCES hold (hold_id));

CREATE INDEX ix_hold_change_hold_id ON hold_change (hold_id);

CREATE TABLE hold_item (
hold_id TEXT NOT NULL,
incident_id TEXT NOT NULL,
PRIMARY KEY (hold_id, incident_id),
FOREIGN KEY(hold_id) REFERENCES hold (hold_id),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_hold_item_incident_id ON hold_item (incident_id);

CREATE TABLE involved (
incident_id TEXT NOT NULL,
party TEXT NOT NULL,
person TEXT NOT NULL,
PRIMARY KEY (incident_id, party),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_involved_person ON involved (person);

CREATE TABLE lease (
lease_id TEXT NOT NULL,
incident_id TEXT NOT NULL,
until TEXT NOT NULL,
PRIMARY KEY (lease_id),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_lease_incident_id ON lease (incident_id);

CREATE TABLE request_item (
number INTEGER NOT NULL,
request_id TEXT NOT NULL,
incident_id TEXT NOT NULL,
party TEXT NOT NULL,
outcome TEXT NOT NULL,
ground TEXT NOT NULL,
at TEXT NOT NULL,
PRIMARY KEY (number),
FOREIGN KEY(request_id) REFERENCES request (request_id),
FOREIGN KEY(incident_id) REFERENCES incident (incident_id));

CREATE INDEX ix_request_item_incident_id ON request_item (incident_id);

CREATE INDEX ix_request_item_request_id ON request_item (request_id);

CREATE TABLE unlinked (
file_id TEXT NOT NULL,
at TEXT NOT NULL,
PRIMARY KEY (file_id),
FOREIGN KEY(file_id) REFERENCES evidence_file (file_id));

-- The machine of destruction only goes forward, but a hold may call back what was only claimed.
CREATE TRIGGER incident_custody BEFORE UPDATE OF custody ON incident
WHEN OLD.custody || '>' || NEW.custody NOT IN (
  'active>active', 'active>deleting', 'deleting>deleting', 'deleting>active', 'deleting>key_destroyed',
  'key_destroyed>key_destroyed', 'key_destroyed>purged', 'purged>purged')
BEGIN SELECT RAISE(ABORT, 'custody does not go that way'); END;

-- A floor moves down only where an override of this very incident was written down, and not below what it says.
CREATE TRIGGER incident_floor BEFORE UPDATE OF floor_at ON incident
WHEN NEW.floor_at < OLD.floor_at AND NOT EXISTS (
  SELECT 1 FROM floor_override o WHERE o.incident_id = OLD.incident_id AND o.until <= NEW.floor_at)
BEGIN SELECT RAISE(ABORT, 'a floor does not move down'); END;

-- On which terms evidence came here is never rewritten.
CREATE TRIGGER incident_terms BEFORE UPDATE ON incident
WHEN NEW.incident_id IS NOT OLD.incident_id OR NEW.recording_id IS NOT OLD.recording_id
  OR NEW.legal_basis IS NOT OLD.legal_basis OR NEW.origin IS NOT OLD.origin
  OR NEW.detected_as IS NOT OLD.detected_as OR NEW.sealed_at IS NOT OLD.sealed_at
BEGIN SELECT RAISE(ABORT, 'the terms of evidence never change'); END;

CREATE TRIGGER incident_no_delete BEFORE DELETE ON incident BEGIN SELECT RAISE(ABORT, 'incident is never deleted'); END;

CREATE TRIGGER hold_no_delete BEFORE DELETE ON hold BEGIN SELECT RAISE(ABORT, 'hold is never deleted'); END;

-- A hold may be renewed to a later end and released once; nothing else of it changes.
CREATE TRIGGER hold_update BEFORE UPDATE ON hold
WHEN NEW.number IS NOT OLD.number OR NEW.hold_id IS NOT OLD.hold_id OR NEW.starts_at IS NOT OLD.starts_at
  OR NEW.confidential IS NOT OLD.confidential OR NEW.details IS NOT OLD.details
  OR NEW.placed_at IS NOT OLD.placed_at OR NEW.placed_by IS NOT OLD.placed_by OR OLD.released_at != ''
  OR (NEW.until IS NOT OLD.until AND NOT (OLD.until != '' AND (NEW.until = '' OR NEW.until > OLD.until)))
  OR (NEW.released_at != '' AND NEW.release_approval = '')
BEGIN SELECT RAISE(ABORT, 'a hold is only renewed or released'); END;

-- Evidence rows never change, except that what could be matched is erased once the key is gone.
DROP TRIGGER evidence_record_no_update;

CREATE TRIGGER evidence_record_no_update BEFORE UPDATE ON evidence_record
WHEN NEW.content_mac != 'erased' OR NOT EXISTS (SELECT 1 FROM destruction d WHERE d.key_id = OLD.key_id)
  OR NEW.record_id IS NOT OLD.record_id OR NEW.incident_id IS NOT OLD.incident_id
  OR NEW.file_id IS NOT OLD.file_id OR NEW.row IS NOT OLD.row OR NEW.kind IS NOT OLD.kind
  OR NEW.party IS NOT OLD.party OR NEW.start_ns IS NOT OLD.start_ns OR NEW.end_ns IS NOT OLD.end_ns
  OR NEW.media_type IS NOT OLD.media_type OR NEW.size IS NOT OLD.size OR NEW.sha256 IS NOT OLD.sha256
  OR NEW.key_id IS NOT OLD.key_id OR NEW.retention_class IS NOT OLD.retention_class
  OR NEW.sealed_at IS NOT OLD.sealed_at
BEGIN SELECT RAISE(ABORT, 'evidence_record is append-only'); END;

DROP TRIGGER finding_no_delete;

CREATE TRIGGER finding_no_delete BEFORE DELETE ON finding
WHEN NOT EXISTS (SELECT 1 FROM incident i WHERE i.incident_id = OLD.incident_id
                 AND i.custody IN ('key_destroyed', 'purged'))
BEGIN SELECT RAISE(ABORT, 'finding is append-only'); END;
