"""Purging: a file of which every incident is destroyed is unlinked, then its key goes; the second line of erasure.

The entry and the row `unlinked` are committed first: a file that they name and that is there, whether a crash left it
or an old copy of the vault brought it back, is removed by the next sweep.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, and_, exists, insert, select, update

from pipeline.core.decision import Custody
from pipeline.core.errors import KeyDestroyedError, KeyMissingError
from pipeline.core.ports import KeyStore
from pipeline.vault.parts import Parts
from pipeline.vault.states import batched, states_of
from pipeline.vault.tables import evidence_file, evidence_record, incident
from pipeline.vault.tables_keeping import unlinked

_DESTROYED = (Custody.KEY_DESTROYED.value, Custody.PURGED.value)


class Purge:
    """Unlinks files of one vault on behalf of `actor`."""

    def __init__(self, parts: Parts, actor: str) -> None:
        self._parts = parts
        self._actor = actor

    def after(self, incidents: Iterable[str]) -> tuple[str, ...]:
        """Unlink what the destruction of `incidents` left without a living neighbour; the files' names."""
        names: list[str] = []
        for ids in batched(incidents):
            with self._parts.catalog.read() as tx:
                files = list(tx.execute(_dead_files(_files_of(ids))))
            names += self._unlink(files)
            with self._parts.catalog.read() as tx:
                neighbours = select(evidence_record.c.incident_id).where(
                    evidence_record.c.file_id.in_([file.file_id for file in files])
                )
                settled = sorted({*ids, *tx.execute(neighbours.distinct()).scalars()})
            self._settle(settled)
        return tuple(names)

    def leftovers(self, living: frozenset[str]) -> tuple[str, ...]:
        """Finish what a crash left and remove what came back; `living` are the ids of living keys."""
        there = frozenset(self._parts.blobs.names())
        with self._parts.catalog.read() as tx:
            query = select(evidence_file).join(unlinked).order_by(evidence_file.c.file_id)
            back = [f for f in tx.execute(query) if f.name in there or f.key_id in living]
            i = incident
            waiting = tx.execute(select(i.c.incident_id).where(i.c.custody == Custody.KEY_DESTROYED.value)).scalars()
            destroyed = sorted(waiting)
        for files in batched(back):
            with self._parts.journal.act(self._actor) as act:
                states = states_of(act.tx, "file", [f.file_id for f in files])
                act.record_all("file.unlink", ((f"file:{i}", "it was there", after) for i, after in states.items()))
            self._remove(files)
        return tuple(f.name for f in back) + self.after(destroyed)

    def _unlink(self, files: Sequence[Any]) -> list[str]:
        if not files:
            return []
        with self._parts.journal.act(self._actor) as act:
            ids = [file.file_id for file in files]
            dead = list(act.tx.execute(_dead_files(select(evidence_file.c.file_id).where(_in(ids)))))
            if dead:
                act.tx.execute(insert(unlinked), [{"file_id": file.file_id, "at": act.at} for file in dead])
            states = states_of(act.tx, "file", ids)
            told = ((f"file:{f.file_id}", "all its incidents are destroyed", states[f.file_id]) for f in dead)
            act.record_all("file.unlink", told)
        self._remove(dead)
        return [file.name for file in dead]

    def _remove(self, files: Sequence[Any]) -> None:
        self._parts.blobs.remove(*(file.name for file in files))
        destroy_known(self._parts.keys, [file.key_id for file in files])

    def _settle(self, incidents: Sequence[str]) -> None:
        """Those of which no file holds a byte any more are PURGED."""
        for ids in batched(incidents):
            with self._parts.journal.act(self._actor) as act:
                i, r = incident, evidence_record
                kept = select(r.c.incident_id).outerjoin(unlinked, unlinked.c.file_id == r.c.file_id)
                kept = kept.where(r.c.incident_id.in_(ids), unlinked.c.file_id.is_(None))
                query = select(i.c.incident_id).where(
                    i.c.incident_id.in_(ids),
                    i.c.custody == Custody.KEY_DESTROYED.value,
                    i.c.incident_id.not_in(kept),
                )
                gone = sorted(act.tx.execute(query).scalars())
                change = update(i).where(i.c.incident_id.in_(gone))
                act.tx.execute(change.values(custody=Custody.PURGED.value, revision=i.c.revision + 1))
                states = states_of(act.tx, "incident", gone)
                act.record_all("incident.purge", ((f"incident:{i}", "", states[i]) for i in gone))


def destroy_known(keys: KeyStore, key_ids: Sequence[str]) -> None:
    """Destroy those of `key_ids` that the key store knows; one that it lost opens nothing either."""
    try:
        keys.destroy(*key_ids)
    except KeyMissingError:
        keys.destroy(*[key_id for key_id in key_ids if knows(keys, key_id)])


def knows(keys: KeyStore, key_id: str) -> bool:
    """True if the key lives or was destroyed, False if the store has never heard of it."""
    try:
        return keys.exists(key_id)
    except KeyDestroyedError:
        return True


def _in(ids: Sequence[str]) -> Any:
    return evidence_file.c.file_id.in_(ids)


def _files_of(incidents: Sequence[str]) -> Select[Any]:
    return select(evidence_record.c.file_id).where(evidence_record.c.incident_id.in_(incidents)).distinct()


def _dead_files(among: Select[Any]) -> Select[Any]:
    """Files that are there and hold nothing but destroyed incidents."""
    f, r, i = evidence_file, evidence_record, incident
    living = exists().where(
        and_(r.c.file_id == f.c.file_id, i.c.incident_id == r.c.incident_id, i.c.custody.not_in(_DESTROYED))
    )
    gone = exists().where(unlinked.c.file_id == f.c.file_id)
    return select(f).where(f.c.file_id.in_(among), ~living, ~gone).order_by(f.c.file_id)
