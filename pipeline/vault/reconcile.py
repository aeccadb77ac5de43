"""Finishing what was begun: after a crash, and after an old catalog or vault came back.

What the key store says is destroyed is destroyed, whatever the catalog says. Refuses to destroy a key that nobody's
plan is behind: a claim whose keys live is given back, and the next plan judges anew.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipeline.core.decision import Custody
from pipeline.core.errors import KeyDestroyedError
from pipeline.core.evidence import Party
from pipeline.core.ports import KeyStore
from pipeline.vault.parts import Parts
from pipeline.vault.purge import Purge
from pipeline.vault.renewal import owe
from pipeline.vault.scrub import bury, bury_party
from pipeline.vault.states import batched
from pipeline.vault.tables import incident, key_ref
from pipeline.vault.tables_keeping import destruction
from pipeline.vault.touch import touch

FOUND = "the key store says that its keys were destroyed"
UNFINISHED = "the sweep that claimed it did not finish"
_PARTIES = [party.value for party in Party]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What was finished: incidents whose keys were gone, claims given back, parties (incident, party), file names."""

    destroyed: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    parties: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()


def resume(parts: Parts, *, actor: str) -> Resumed:
    """See `Destroyer.resume`."""
    living = frozenset(parts.keys.ids())
    destroyed: list[str] = []
    parties: list[tuple[str, str]] = []
    with parts.catalog.read() as tx:
        gone = _gone(tx, parts.keys, living)
    for ids in batched(gone):
        with parts.journal.act(actor) as act:
            owe(act)
            for incident_id in ids:
                if Party.SUBJECT.value not in gone[incident_id] and _has_living(act.tx, incident_id, living):
                    for party, key_id in gone[incident_id].items():
                        bury_party(act, incident_id, Party(party), key_id, reason=FOUND, actor=actor)
                        parties.append((incident_id, party))
            whole = [i for i in ids if not _has_living(act.tx, i, living)]
            bury(act, dict.fromkeys(whole, FOUND), actor=actor)
            destroyed += whole
    released = _give_back(parts, actor)
    files = Purge(parts, actor).leftovers(living)
    return Resumed(destroyed=tuple(destroyed), released=released, parties=tuple(parties), files=files)


def _gone(tx: Connection, keys: KeyStore, living: frozenset[str]) -> dict[str, dict[str, str]]:
    """By incident and party the keys that are destroyed and of which the catalog does not say so."""
    k, d = key_ref, destruction
    query = select(k).outerjoin(d, d.c.key_id == k.c.key_id).where(d.c.key_id.is_(None), k.c.party.in_(_PARTIES))
    gone: dict[str, dict[str, str]] = defaultdict(dict)
    for row in tx.execute(query.order_by(k.c.owner).execution_options(yield_per=1000)):
        if row.key_id not in living and _destroyed(keys, row.key_id):
            gone[row.owner][row.party] = row.key_id
    return gone


def _destroyed(keys: KeyStore, key_id: str) -> bool:
    try:
        keys.exists(key_id)
    except KeyDestroyedError:
        return True
    return False


def _has_living(tx: Connection, incident_id: str, living: frozenset[str]) -> bool:
    query = select(key_ref.c.key_id).where(key_ref.c.owner == incident_id)
    return any(key_id in living for key_id in tx.execute(query).scalars())


def _give_back(parts: Parts, actor: str) -> tuple[str, ...]:
    """Claims whose keys live are ACTIVE again."""
    with parts.catalog.read() as tx:
        query = select(incident.c.incident_id).where(incident.c.custody == Custody.DELETING.value)
        claimed = sorted(tx.execute(query).scalars())
    for ids in batched(claimed):
        with parts.journal.act(actor) as act:
            touch(act, ids, "incident.release", reason=UNFINISHED)
    return tuple(claimed)
