"""The one way by which plaintext leaves the vault.

It takes an actor, a reason and a grant, and the audit entry is committed before the first byte is given, together with
a lease that the sweep respects. Refuses to open what the catalog, the file and the envelope do not agree on, and to use
evidence for what it was not collected for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, select

from pipeline.core.decision import Severity
from pipeline.core.errors import DisclosureError, IntegrityError
from pipeline.core.ids import content_mac
from pipeline.core.ports import BlobStore, KeyStore
from pipeline.core.recording import UNKNOWN
from pipeline.vault import leases, tables
from pipeline.vault.audit import Journal, last_state
from pipeline.vault.catalog import Catalog
from pipeline.vault.envelope import Content, unseal
from pipeline.vault.parquet import EvidenceFile
from pipeline.vault.states import state_of

DEVELOPMENT = "development"

DETECT = "DETECT"
"""The purpose of whoever looks whether detection works."""


class Grant(Protocol):
    """Leave to open evidence: for which purpose, and how far it reaches."""

    @property
    def purpose(self) -> str:
        """What the evidence is used for, as purposes are named when data are collected."""

    def refusal(self, severity: Severity, *, restricted: bool) -> str:
        """Why evidence of this kind may not be opened under this grant, or ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentGrant:
    """Leave to open evidence while setting up or testing an installation: never in production, never severe classes.

    `mode` is the installation's; DisclosureError unless it is "development".
    """

    mode: str
    purpose: str = DETECT

    def __post_init__(self) -> None:
        if self.mode != DEVELOPMENT:
            raise DisclosureError(f"evidence is opened by review, not by a command, in {self.mode} mode")

    def refusal(self, severity: Severity, *, restricted: bool) -> str:
        """Why evidence of this kind may not be opened under this grant, or ""."""
        if severity is Severity.SEVERE:
            return "evidence of severe classes is not opened under a development grant"
        if restricted:
            return "the incident is restricted"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The parts of a vault that opening evidence needs."""

    catalog: Catalog
    blobs: BlobStore
    keys: KeyStore
    journal: Journal
    installation_key: bytes

    def open_evidence(self, record_id: str, *, actor: str, reason: str, grant: Grant) -> bytes:
        """The plaintext of one record.

        Raises DisclosureError if there is no such record, no reason, the grant does not reach so far, or the evidence
        was collected for other purposes; KeyDestroyedError after destruction, also where that came while it was read
        for longer than a lease lasts; IntegrityError if anything is not what was sealed.
        """
        if not reason.strip() or not actor.strip():
            raise DisclosureError("evidence is opened by somebody and for a reason: give one that a reader understands")
        with self.journal.act(actor) as act:
            record, file, severity, restricted = _look_up(act.tx, record_id)
            refusal = grant.refusal(severity, restricted=restricted)
            verb = "evidence.refuse" if refusal else "evidence.open"
            act.record(verb, f"record:{record_id}", reason=reason.strip())
            lease_id = "" if refusal else leases.take(act, record.incident_id)
        if refusal:
            raise DisclosureError(f"record {record_id} stays sealed: {refusal}")
        try:
            return self._open(record, file, grant.purpose)
        except DisclosureError:
            with self.journal.act(actor) as act:
                act.record("evidence.refuse", f"record:{record_id}", reason=reason.strip())
            raise
        finally:
            with self.journal.act(actor) as act:
                in_time = leases.drop(act, lease_id)
            if not in_time:
                self.keys.exists(record.key_id)  # raises if it was destroyed meanwhile: then nothing is given

    def _open(self, record: Any, file: Any, purpose: str) -> bytes:
        place = f"record {record.record_id} in row {record.row} of vault file {file.name}"
        file_key = self.keys.unwrap(file.key_id, file.wrapped_key)
        with self.blobs.open(file.name) as source:
            opened = EvidenceFile(source, name=file.name, file_id=file.file_id, file_key=file_key)
            row = opened.row(record.row)
        if row.record_id.hex() != record.record_id or hashlib.sha256(row.body).hexdigest() != record.sha256:
            raise IntegrityError(f"{place} is not what the catalog says was sealed: stop and run evidence verify")
        if purpose not in row.purposes and UNKNOWN not in row.purposes:
            raise DisclosureError(
                f"record {record.record_id} stays sealed: it was collected for {', '.join(row.purposes) or 'nothing'} "
                f"and not for {purpose}, which takes renewed consent"
            )
        data_key = self.keys.unwrap(record.key_id, row.wrapped_data_key)
        body = unseal(data_key, record.record_id, record.incident_id, Content.BODY, row.body)
        if content_mac(self.installation_key, hashlib.sha256(body).digest()) != record.content_mac:
            raise IntegrityError(f"{place} holds other content than was sealed: stop and run evidence verify")
        return body


def _look_up(tx: Connection, record_id: str) -> tuple[Any, Any, Severity, bool]:
    r, f, i = tables.evidence_record, tables.evidence_file, tables.incident
    record = tx.execute(select(r).where(r.c.record_id == record_id)).first()
    if record is None:
        raise DisclosureError(f"there is no record {record_id}: see watchkeep incidents show")
    subject = f"incident:{record.incident_id}"
    if state_of(tx, subject) != last_state(tx, subject):
        # The severity decides who may look, so it is not taken from rows that nobody's act explains.
        raise IntegrityError(f"catalog: {subject} is not what its last audit entry left: stop and run evidence verify")
    incident = tx.execute(select(i).where(i.c.incident_id == record.incident_id)).one()
    file = tx.execute(select(f).where(f.c.file_id == record.file_id)).one()
    return record, file, Severity(incident.severity), incident.restricted
