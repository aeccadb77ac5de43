"""Touching incidents: what every act on their keeping does to their rows and to the audit chain.

Proves that there is still something to keep, raises the revision, calls back what was only claimed for destruction,
and leaves an entry of each incident. Works on many at once. Refuses to know why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, case, select, update

from pipeline.core.decision import Custody
from pipeline.core.errors import KeyDestroyedError, TransitionError, WatchkeepError
from pipeline.core.ports import KeyStore
from pipeline.vault.audit import Act
from pipeline.vault.states import states_of
from pipeline.vault.tables import incident, key_ref
from pipeline.vault.tables_keeping import destruction

AT_ONCE = 500
"""Incidents in one query."""

NAMED = 20
"""Incidents that one error names."""

GONE = frozenset({Custody.KEY_DESTROYED.value, Custody.PURGED.value})

_PROBE = bytes(32)


def one(tx: Connection, incident_id: str, revision: int | None = None) -> Any:
    """The row of an incident; WatchkeepError if there is none, TransitionError if it is not at `revision`."""
    row = tx.execute(select(incident).where(incident.c.incident_id == incident_id)).first()
    if row is None:
        raise unknown(incident_id)
    if revision is not None and row.revision != revision:
        raise TransitionError(
            f"incident {incident_id} is at revision {row.revision} and not {revision} any more: look again"
        )
    return row


def unknown(incident_id: str) -> WatchkeepError:
    """The refusal of an id that is none."""
    return WatchkeepError(f"there is no incident {incident_id}: see watchkeep incidents list")


def prove_alive(tx: Connection, keys: KeyStore, incidents: Sequence[str]) -> None:
    """Raises KeyDestroyedError that names the incidents of which a key was destroyed, WatchkeepError for unknown ones.

    A party that was erased by itself, with its row of destruction, does not count: what is left can be kept. Every
    other key has to open, which takes the write lock of the catalog to stay true.
    """
    gone: list[str] = []
    for ids in batches(incidents):
        query = select(incident.c.incident_id, incident.c.custody).where(incident.c.incident_id.in_(ids))
        custody = {row.incident_id: row.custody for row in tx.execute(query)}
        if missing := next((i for i in ids if i not in custody), None):
            raise unknown(missing)
        erased = set(tx.execute(select(destruction.c.key_id).where(destruction.c.incident_id.in_(ids))).scalars())
        owned: dict[str, list[str]] = {i: [] for i in ids}
        for row in tx.execute(select(key_ref.c.key_id, key_ref.c.owner).where(key_ref.c.owner.in_(ids))):
            owned[row.owner].append(row.key_id)
        gone += [i for i in ids if custody[i] in GONE or not _open(keys, [k for k in owned[i] if k not in erased])]
    if gone:
        others = f" and {len(gone) - NAMED} others" if len(gone) > NAMED else ""
        raise KeyDestroyedError(
            f"the evidence of incident {', '.join(gone[:NAMED])}{others} was destroyed: nothing was written down; "
            "leave it out and ask again"
        )


def _open(keys: KeyStore, key_ids: Sequence[str]) -> bool:
    try:
        for key_id in key_ids:
            keys.wrap(key_id, _PROBE)
    except KeyDestroyedError:
        return False
    return True


def touch(
    act: Act,
    incidents: Sequence[str],
    verb: str,
    *,
    reason: str = "",
    recall: bool = True,
    values: Mapping[str, object] | None = None,
) -> None:
    """Raise the revision of incidents, set `values`, and record an entry of each.

    With `recall`, one that was claimed for destruction is active again: prove first that its keys are alive.
    """
    back = {"custody": case((_claimed, Custody.ACTIVE.value), else_=incident.c.custody)} if recall else {}
    changes: dict[str, object] = {"revision": incident.c.revision + 1, **back, **(values or {})}
    for ids in batches(incidents):
        act.tx.execute(update(incident).where(incident.c.incident_id.in_(ids)).values(changes))
        states = states_of(act.tx, "incident", ids)
        for incident_id in ids:
            act.record(verb, f"incident:{incident_id}", reason=reason, after=states[incident_id])


_claimed = incident.c.custody == Custody.DELETING.value


def still_there(tx: Connection, incidents: Sequence[str]) -> list[str]:
    """Those of `incidents` whose keys were not destroyed, in their order."""
    kept: list[str] = []
    for ids in batches(incidents):
        query = select(incident.c.incident_id).where(incident.c.incident_id.in_(ids), incident.c.custody.not_in(GONE))
        there = set(tx.execute(query).scalars())
        kept += [i for i in ids if i in there]
    return kept


def batches(ids: Sequence[str]) -> Iterator[list[str]]:
    """`ids`, each once and in order, in lists that one query can take."""
    rest = iter(dict.fromkeys(ids))
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
