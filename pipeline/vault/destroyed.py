"""What is on record of the destruction of one incident: keys, records, files, and the audit entries of the acts.

Each key is asked for at the key store, each file at the blob store: what the catalog says is not believed alone.
Refuses to know the form in which anybody is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from pipeline.core.decision import Custody
from pipeline.core.errors import IntegrityError, KeyDestroyedError, TransitionError, WatchkeepError
from pipeline.core.ports import BlobStore, KeyStore
from pipeline.vault.ledger import LedgerHead
from pipeline.vault.parts import Parts
from pipeline.vault.tables import audit_event, evidence_file, evidence_record, incident, key_ref
from pipeline.vault.tables_keeping import destruction, unlinked


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyedKey:
    """A key that the key store says is gone: whose, how, why, when (UTC text) and by whom."""

    key_id: str
    party: str
    method: str
    reason: str
    at: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyedRecord:
    """An item of evidence that nobody can open any more; `sha256` and `size` (bytes) are of its ciphertext."""

    record_id: str
    file_id: str
    kind: str
    party: str
    media_type: str
    size: int
    sha256: str
    key_id: str
    sealed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file that holds or held such records; `unlinked_at` is "" while incidents whose keys live are in it, too."""

    file_id: str
    sha256: str
    size: int
    unlinked_at: str
    neighbours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """The destruction of one incident, or of one party in it: then `living` names the parties whose keys live."""

    incident_id: str
    sealed_at: str
    keys: tuple[DestroyedKey, ...]
    living: tuple[str, ...]
    records: tuple[DestroyedRecord, ...]
    files: tuple[FileState, ...]
    entries: tuple[int, ...]
    ledger: LedgerHead | None


@runtime_checkable
class Ledgered(Protocol):
    """A key store that can say how its ledger of destroyed keys ends."""

    def ledger_head(self) -> LedgerHead:
        """How many keys were destroyed, and the digest of the last line."""


def ledger_of(keys: KeyStore) -> LedgerHead | None:
    """The end of the store's ledger; None where a store keeps none."""
    return keys.ledger_head() if isinstance(keys, Ledgered) else None


def destroyed(tx: Connection, parts: Parts, incident_id: str) -> Destroyed:
    """What is on record of the incident.

    Raises TransitionError if nothing of it was destroyed, WatchkeepError if there is none with this id, and
    IntegrityError where a store does not agree with the catalog.
    """
    found = tx.execute(select(incident).where(incident.c.incident_id == incident_id)).first()
    if found is None:
        raise WatchkeepError(f"there is no incident {incident_id}: see watchkeep incidents list")
    gone = destroyed_keys(tx, incident_id)
    if not gone and found.custody not in _KEPT:
        raise TransitionError(f"incident {incident_id} never had sealed evidence, so there is nothing to certify")
    if not gone:
        raise TransitionError(
            f"incident {incident_id} is not destroyed, so there is nothing to certify: "
            f"`watchkeep explain --incident {incident_id}` says why it is still here"
        )
    for key in gone:
        _prove_gone(parts.keys, key.key_id)
    records = _records(tx, incident_id, [key.key_id for key in gone])
    files = tuple(_file(tx, parts, row) for row in _files(tx, records))
    return Destroyed(
        incident_id=incident_id,
        sealed_at=found.sealed_at,
        keys=gone,
        living=_living(tx, incident_id, gone, found.custody),
        records=records,
        files=files,
        entries=_entries(tx, incident_id, gone, files),
        ledger=ledger_of(parts.keys),
    )


def destroyed_keys(tx: Connection, incident_id: str) -> tuple[DestroyedKey, ...]:
    """The ends of an incident's keys, by party."""
    d = destruction
    rows = tx.execute(select(d).where(d.c.incident_id == incident_id).order_by(d.c.party)).all()
    return tuple(DestroyedKey(**{name: getattr(row, name) for name in DestroyedKey.__slots__}) for row in rows)


def _prove_gone(keys: KeyStore, key_id: str) -> None:
    try:
        keys.exists(key_id)
    except KeyDestroyedError:
        return
    raise IntegrityError(f"key {key_id} is destroyed in the catalog but not in the key store: run evidence verify")


def _living(tx: Connection, incident_id: str, keys: tuple[DestroyedKey, ...], custody: str) -> tuple[str, ...]:
    parties = tx.execute(select(key_ref.c.party).where(key_ref.c.owner == incident_id).order_by(key_ref.c.party))
    living = tuple(party for party in parties.scalars() if party not in {key.party for key in keys})
    if bool(living) != (custody in _KEPT):
        raise IntegrityError(f"catalog: incident {incident_id} is {custody}, and that does not fit its keys")
    return living


_KEPT = (Custody.ACTIVE.value, Custody.DELETING.value)


def _records(tx: Connection, incident_id: str, key_ids: list[str]) -> tuple[DestroyedRecord, ...]:
    r = evidence_record.c
    query = select(*(r[name] for name in DestroyedRecord.__slots__))
    query = query.where(r.incident_id == incident_id, r.key_id.in_(key_ids)).order_by(r.party, r.kind, r.record_id)
    return tuple(DestroyedRecord(**row._mapping) for row in tx.execute(query))


def _files(tx: Connection, records: Iterable[DestroyedRecord]) -> list[Any]:
    f = evidence_file.c
    held = sorted({record.file_id for record in records})
    query = select(evidence_file, unlinked.c.at.label("unlinked_at")).outerjoin(unlinked).where(f.file_id.in_(held))
    return list(tx.execute(query.order_by(f.file_id)))


def _file(tx: Connection, parts: Parts, row: Any) -> FileState:
    there = _is_there(parts.blobs, row.name)
    if row.unlinked_at:
        _prove_gone(parts.keys, row.key_id)
    if row.unlinked_at and there:
        raise IntegrityError(f"vault: {row.name} is unlinked in the catalog but lies there: run evidence verify")
    r = evidence_record.c
    inside = select(r.incident_id).where(r.file_id == row.file_id)
    neighbours = select(incident.c.incident_id).where(incident.c.incident_id.in_(inside), incident.c.custody.in_(_KEPT))
    return FileState(
        file_id=row.file_id,
        sha256=row.sha256,
        size=row.size,
        unlinked_at=row.unlinked_at or "",
        neighbours=len(tx.execute(neighbours).all()),
    )


def _is_there(blobs: BlobStore, name: str) -> bool:
    try:
        blobs.open(name).close()
    except IntegrityError:
        return False
    return True


_CLAIMS = ("incident.claim", "party.claim")
_ENDS = ("incident.destroy", "party.erase")
_UNLINKED = "file.unlink"


def _entries(
    tx: Connection, incident_id: str, keys: Iterable[DestroyedKey], files: Iterable[FileState]
) -> tuple[int, ...]:
    """The entries of the claim, of each act in which a key went (it has the row's time) and of each unlinking."""
    a = audit_event.c
    times = {key.at for key in keys}
    acts: list[ColumnElement[bool]] = [
        and_(
            a.subject == f"incident:{incident_id}", or_(a.verb.in_(_CLAIMS), and_(a.verb.in_(_ENDS), a.at.in_(times)))
        ),
        *(
            and_(a.subject == f"file:{f.file_id}", a.verb == _UNLINKED, a.at == f.unlinked_at)
            for f in files
            if f.unlinked_at
        ),
    ]
    found = tx.execute(select(a.sequence, a.verb, a.at).where(or_(*acts)).order_by(a.sequence)).all()
    if times - {row.at for row in found if row.verb in _ENDS}:
        raise IntegrityError(f"audit chain: no entry tells of the destruction of incident {incident_id}")
    return tuple(row.sequence for row in found)
