"""Verification of a whole vault: database, audit chain and its head, catalog rows, keys, files.

Names the first wrong place of each part in one sentence, and goes on with the next part. Memory does not grow with the
vault. Refuses to repair anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipeline.core.errors import IntegrityError, KeyMissingError
from pipeline.core.ports import BlobStore, KeyStore
from pipeline.vault import tables
from pipeline.vault.audit import behind, chain_tip, creation, first_break, losses
from pipeline.vault.catalog import Catalog
from pipeline.vault.head import SignedHead
from pipeline.vault.orphans import Orphans, find_orphans, is_ours, newer_than_catalog
from pipeline.vault.states import OWNERS, batched, owners, state_of, states_of, there
from pipeline.vault.tables_keeping import unlinked
from pipeline.vault.verify_file import FileCheck
from pipeline.vault.verify_keys import key_problems

Progress = Callable[[str], None]
"""Told in words what is being looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was looked at and what is wrong; `orphans` are leftovers of a crash and no problem.

    `destroyed` counts records that nobody can open any more; only their ciphertext was compared. `lost` tells of each
    restore that lost audit entries, which is no problem either.
    """

    problems: tuple[str, ...]
    orphans: Orphans
    entries: int
    incidents: int
    files: int
    records: int
    destroyed: int
    lost: tuple[str, ...] = ()


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
                lost=tuple(one.words() for one in losses(tx)),
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
            for ids in batched(owners(tx, kind)):
                left = last_states(tx, [f"{kind}:{owner}" for owner in ids])
                states = _states(tx, kind, ids)
                for owner in ids:
                    subject = f"{kind}:{owner}"
                    if subject not in left:
                        yield f"catalog: {subject} was put in without an audit entry"
                    elif states.get(owner) != left[subject]:
                        yield f"catalog: {subject} (or what belongs to it) was changed since its last audit entry"
        t = tables.audit_event
        query = select(t.c.subject).where(t.c.after != "").distinct().execution_options(yield_per=1000)
        for subjects in batched(tx.execute(query).scalars()):
            for kind in OWNERS:
                ids = [s.partition(":")[2] for s in subjects if s.partition(":")[0] == kind]
                for owner in sorted(set(ids) - there(tx, kind, ids)):
                    yield f"catalog: {kind}:{owner} is gone, and no audit entry says why"

    def _keys(self, tx: Connection, progress: Progress) -> Iterator[str]:
        progress("keys")
        yield from key_problems(tx, self.keys)

    def _files(self, tx: Connection, progress: Progress, problems: list[str]) -> tuple[int, int]:
        check = FileCheck(self.blobs, self.keys, self.installation_key)
        f, names = tables.evidence_file, self.blobs.names()
        lying = frozenset(names)
        query = select(f, unlinked.c.at.label("unlinked_at")).outerjoin(unlinked).order_by(f.c.name)
        total, records = _count(tx, f), 0
        for number, file in enumerate(tx.execute(query.execution_options(yield_per=1000)), 1):
            progress(f"vault file {number} of {total}: {file.name}")
            try:
                if file.unlinked_at:
                    records += check.pass_by(file, lying)
                else:
                    records += check.check(tx, file)
            except (IntegrityError, KeyMissingError) as error:
                problems.append(str(error))
        problems += [f"vault: {name!r} is no file of the vault" for name in names if not is_ours(name)]
        return records, check.destroyed


def last_states(tx: Connection, subjects: Sequence[str]) -> dict[str, str]:
    """The digests of the rows of `subjects` as the last act on each left them; no word of those without an act."""
    t = tables.audit_event
    query = select(t.c.subject, t.c.after).where(t.c.subject.in_(subjects), t.c.after != "").order_by(t.c.sequence)
    return {row.subject: row.after for row in tx.execute(query)}


def _states(tx: Connection, kind: str, ids: Sequence[str]) -> dict[str, str]:
    try:
        return states_of(tx, kind, ids)
    except IntegrityError:
        return {owner: _state(tx, f"{kind}:{owner}") for owner in ids}


def _state(tx: Connection, subject: str) -> str:
    try:
        return state_of(tx, subject)
    except IntegrityError as error:
        return str(error)  # no digest: differs from every one


def _count(tx: Connection, table: object) -> int:
    return tx.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]
