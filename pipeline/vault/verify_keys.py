"""Verification of keys against the catalog: each is there or was destroyed, and the catalog says the same.

Refuses to open anything with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, literal, select

from pipeline.core.decision import Custody
from pipeline.core.errors import KeyDestroyedError
from pipeline.core.evidence import Party
from pipeline.core.ports import KeyStore
from pipeline.vault.hold_words import VAULT
from pipeline.vault.tables import evidence_file, incident, key_ref
from pipeline.vault.tables_keeping import destruction, request, unlinked

_FINISH = "`watchkeep sweep --apply` finishes it"
_PARTIES = frozenset(party.value for party in Party)
_KEPT = (Custody.ACTIVE.value, Custody.DELETING.value)


def key_problems(tx: Connection, keys: KeyStore) -> Iterator[str]:
    """What is wrong with each key that the catalog names, in one sentence."""
    for row in tx.execute(_rows().execution_options(yield_per=1000)):
        if problem := _problem(row, _state(keys, row.key_id)):
            yield f"key {row.key_id} of {row.party} {row.owner} {problem}"
    known = select(incident.c.incident_id).union(
        select(evidence_file.c.file_id), select(request.c.request_id), select(literal(VAULT))
    )
    for row in tx.execute(select(key_ref).where(key_ref.c.owner.not_in(known))):
        yield f"catalog: key {row.key_id} belongs to {row.owner}, which is not there"


def _rows() -> Any:
    k, d, i, u = key_ref, destruction, incident, unlinked
    query = select(k, i.c.custody, d.c.at.label("destroyed_at"), u.c.at.label("unlinked_at"))
    query = query.outerjoin(i, i.c.incident_id == k.c.owner).outerjoin(d, d.c.key_id == k.c.key_id)
    return query.outerjoin(u, u.c.file_id == k.c.owner).order_by(k.c.key_id)


def _state(keys: KeyStore, key_id: str) -> str:
    try:
        return "alive" if keys.exists(key_id) else "missing"
    except KeyDestroyedError:
        return "destroyed"


def _problem(row: Any, state: str) -> str:
    given_up = row.destroyed_at or row.unlinked_at
    if state == "missing":
        ledger = " and the destruction ledger does not know it: restore the ledger" if given_up else ""
        return f"is missing{ledger or ': restore the keys folder'}"
    if state == "alive":
        return _alive(row, given_up)
    if given_up or row.party not in (*_PARTIES, "file"):
        return ""
    if row.custody == Custody.ACTIVE.value or row.party == "file":
        return f"was destroyed, and no act in the catalog gave its evidence up: {_FINISH} if a crash left it so"
    return f"was destroyed, and that is not written down: {_FINISH}"


def _alive(row: Any, given_up: str | None) -> str:
    if row.unlinked_at:
        return f"lives, although its file was unlinked at {row.unlinked_at}: {_FINISH}"
    if given_up:
        return f"is back, although it was destroyed at {given_up}: restore the destruction ledger"
    if row.party in _PARTIES and row.custody not in _KEPT:
        return f"lives, although the incident is {row.custody}: stop and look"
    return ""
