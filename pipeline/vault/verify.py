"""Verification of a whole vault: database, audit chain and its head, catalog rows, keys, files.

Names the first wrong place of each part in one sentence, and goes on with the next part. Memory does not grow with the
vault. Refuses to repair anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select

from pipeline.core.decision import Custody
from pipeline.core.errors import IntegrityError, KeyDestroyedError, KeyMissingError
from pipeline.core.ports import BlobStore, KeyStore
from pipeline.vault import tables
from pipeline.vault.audit import behind, chain_tip, creation, first_break, last_state
from pipeline.vault.catalog import Catalog
from pipeline.vault.head import SignedHead
from pipeline.vault.hold_words import VAULT
from pipeline.vault.orphans import Orphans, find_orphans, is_ours, newer_than_catalog
from pipeline.vault.states import OWNERS, owners, state_of
from pipeline.vault.tables_keeping import request
from pipeline.vault.verify_file import FileCheck

Progress = Callable[[str], None]
"""Told in words what is being looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was looked at and what is wrong; `orphans` are leftovers of a crash and no problem.

    `destroyed` counts records that nobody can open any more; only their ciphertext was compared.
    """

    problems: tuple[str, ...]
    orphans: Orphans
    entries: int
    incidents: int
    files: int
    records: int
    destroyed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """The parts of a vault that verification looks at."""

    catalog: Catalog
    blobs: BlobStore
    keys: KeyStore
    head: SignedHead
    installation_key: bytes

    def verify(self, progress: Progress) -> Verification:
        """Look at everything once, in one snapshot of the catalog. Raises nothing for what it finds."""
        problems: list[str] = []
        with self.catalog.read() as tx:
            for part in (self._database, self._chain, self._rows, self._keys):
                try:
                    problems += part(tx, progress)
                except IntegrityError as error:
                    problems.append(str(error))
            records, destroyed = self._files(tx, progress, problems)
            orphans = find_orphans(tx, self.blobs, self.keys, self.installation_key)
            if orphans.newer:
                problems.append(newer_than_catalog(orphans))
            return Verification(
                problems=tuple(dict.fromkeys(problems)),
                orphans=orphans,
                entries=_count(tx, tables.audit_event),
                incidents=_count(tx, tables.incident),
                files=_count(tx, tables.evidence_file),
                records=records,
                destroyed=destroyed,
            )

    def _database(self, tx: Connection, progress: Progress) -> Iterator[str]:
        progress("catalog database")
        said = tx.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if said != "ok":
            yield f"catalog database: {said}"
        for row in tx.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"catalog: row {row[1]} of {row[0]} points at a row of {row[2]} that is not there"

    def _chain(self, tx: Connection, progress: Progress) -> Iterator[str]:
        progress(f"audit chain: {_count(tx, tables.audit_event)} entries")
        problem = first_break(tx, creation(self.head)) or behind(tx, self.head.read(), chain_tip(tx))
        if problem:
            yield problem

    def _rows(self, tx: Connection, progress: Progress) -> Iterator[str]:
        """Every row is as its last audit entry left it, and every entry's row is there."""
        for kind in OWNERS:
            progress(f"catalog: each {kind}")
            for owner in owners(tx, kind):
                subject = f"{kind}:{owner}"
                if not (left := last_state(tx, subject)):
                    yield f"catalog: {subject} was put in without an audit entry"
                elif _state(tx, subject) != left:
                    yield f"catalog: {subject} (or what belongs to it) was changed since its last audit entry"
        t = tables.audit_event
        query = select(t.c.subject).where(t.c.after != "").distinct().execution_options(yield_per=1000)
        for subject in tx.execute(query).scalars():
            if subject.partition(":")[0] in OWNERS and not _state(tx, subject):
                yield f"catalog: {subject} is gone, and no audit entry says why"

    def _keys(self, tx: Connection, progress: Progress) -> Iterator[str]:
        progress("keys")
        k = tables.key_ref
        for row in tx.execute(select(k).order_by(k.c.key_id).execution_options(yield_per=1000)):
            whose = f"key {row.key_id} of {row.party} {row.owner}"
            try:
                if not self.keys.exists(row.key_id):
                    yield f"{whose} is missing: restore the keys folder"
            except KeyDestroyedError:
                if _in_custody(tx, row.owner):
                    yield f"{whose} was destroyed, and no act in the catalog gave its evidence up"
        known = select(tables.incident.c.incident_id).union(
            select(tables.evidence_file.c.file_id), select(request.c.request_id), select(literal(VAULT))
        )
        for row in tx.execute(select(k).where(k.c.owner.not_in(known))):
            yield f"catalog: key {row.key_id} belongs to {row.owner}, which is not there"

    def _files(self, tx: Connection, progress: Progress, problems: list[str]) -> tuple[int, int]:
        check = FileCheck(self.blobs, self.keys, self.installation_key)
        f = tables.evidence_file
        total, records = _count(tx, f), 0
        for number, file in enumerate(tx.execute(select(f).order_by(f.c.name).execution_options(yield_per=1000)), 1):
            progress(f"vault file {number} of {total}: {file.name}")
            try:
                records += check.check(tx, file)
            except (IntegrityError, KeyMissingError) as error:
                problems.append(str(error))
        problems += [f"vault: {name!r} is no file of the vault" for name in self.blobs.names() if not is_ours(name)]
        return records, check.destroyed


def _in_custody(tx: Connection, owner: str) -> bool:
    """True if the incident, or any incident with a record in the file, is said to be kept."""
    i, r = tables.incident, tables.evidence_record
    kept = select(i.c.incident_id).where(i.c.custody == Custody.ACTIVE.value)
    of_file = select(r.c.incident_id).where(r.c.file_id == owner)
    found = tx.execute(kept.where((i.c.incident_id == owner) | i.c.incident_id.in_(of_file)).limit(1)).first()
    return found is not None


def _state(tx: Connection, subject: str) -> str:
    try:
        return state_of(tx, subject)
    except IntegrityError as error:
        return str(error)  # no digest: differs from every one


def _count(tx: Connection, table: object) -> int:
    return tx.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]
