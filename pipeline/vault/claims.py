"""Claiming and destroying a batch of incidents: the two steps of the machine that need their guards.

The subject's key goes last: while it lives, an incident was not destroyed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, select, update

from pipeline.core.clock import utc_text
from pipeline.core.decision import Custody
from pipeline.core.errors import KeyMissingError
from pipeline.core.evidence import Party
from pipeline.core.retention import Disposition
from pipeline.vault.audit import Act
from pipeline.vault.guards import Wanted, refusals
from pipeline.vault.marks import why_paused
from pipeline.vault.parts import Parts
from pipeline.vault.purge import knows
from pipeline.vault.renewal import owe
from pipeline.vault.scrub import bury
from pipeline.vault.states import states_of
from pipeline.vault.tables import incident, key_ref
from pipeline.vault.tables_keeping import destruction
from pipeline.vault.touch import touch

LOST = "a key of it is lost: restore the keys folder"


class Claims:
    """Destroys batches at the trusted time `now`; what became of them is in its lists, `pause` says why it stopped."""

    def __init__(self, parts: Parts, *, now: datetime, actor: str, allow_unreviewed: bool) -> None:
        self._parts = parts
        self._now = now
        self._actor = actor
        self._allow_unreviewed = allow_unreviewed
        self.destroyed: list[str] = []
        self.skipped: list[tuple[str, str]] = []
        self.unreviewed = 0
        self.pause = ""

    def carry_out(self, batch: Sequence[Disposition]) -> None:
        """Claim what may go, and destroy what still may."""
        if claimed := self.claim(batch):
            self.destroy(claimed)

    def claim(self, batch: Sequence[Disposition]) -> dict[str, Disposition]:
        """ACTIVE -> DELETING for those that nothing keeps; durable, with their entries, before any key goes."""
        by_id = {d.incident_id: d for d in batch}
        with self._parts.journal.act(self._actor) as act:
            self.pause = why_paused(act.tx, self._now)
            refused = self._refused(act, by_id, Custody.ACTIVE)
            claimed = {i: d for i, d in by_id.items() if i not in refused and not self.pause}
            if claimed:
                owe(act)
                change = update(incident).where(incident.c.incident_id.in_(list(claimed)))
                act.tx.execute(change.values(custody=Custody.DELETING.value, revision=incident.c.revision + 1))
                states = states_of(act.tx, "incident", list(claimed))
                told = ((f"incident:{i}", d.reason, states[i]) for i, d in claimed.items())
                act.record_all("incident.claim", told)
        self.skipped += refused.items()
        return claimed

    def destroy(self, claimed: Mapping[str, Disposition]) -> None:
        """DELETING -> KEY_DESTROYED under the write lock, after every guard was asked again; the rest is given back."""
        with self._parts.journal.act(self._actor) as act:
            self.pause = why_paused(act.tx, self._now)
            refused = dict.fromkeys(claimed, self.pause) if self.pause else {}
            refused = refused or self._refused(act, claimed, Custody.DELETING, later=1)
            keys = keys_of(act.tx, [i for i in claimed if i not in refused])
            refused |= self._destroy_keys(keys)
            self._give_back(act, claimed, refused)
            doomed = {i: d.reason for i, d in claimed.items() if i not in refused}
            if doomed:
                bury(act, doomed, actor=self._actor)
        self.skipped += refused.items()
        self.destroyed += doomed
        self.unreviewed += sum(claimed[i].unreviewed for i in doomed)

    def _refused(self, act: Act, wanted: Mapping[str, Disposition], custody: Custody, later: int = 0) -> dict[str, str]:
        asked = (
            Wanted(
                incident_id=d.incident_id,
                revision=d.revision + later,
                unreviewed=d.unreviewed and self._allow_unreviewed,
            )
            for d in wanted.values()
        )
        return refusals(act.tx, asked, custody=custody, now=utc_text(self._now), at=act.at)

    def _destroy_keys(self, keys: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Destroy the keys of incidents; those of which the store lost a key stay, and are named."""
        lost: dict[str, str] = {}
        try:
            self._parts.keys.destroy(*(k for ids in keys.values() for k in ids))
        except KeyMissingError:
            lost = {i: LOST for i, ids in keys.items() if not all(knows(self._parts.keys, k) for k in ids)}
            self._parts.keys.destroy(*(k for i, ids in keys.items() if i not in lost for k in ids))
        return lost

    def _give_back(self, act: Act, claimed: Mapping[str, Disposition], refused: Mapping[str, str]) -> None:
        """ACTIVE again, unless somebody else changed it meanwhile: then it is what they made of it."""
        ours = select(incident.c.incident_id, incident.c.revision).where(
            incident.c.incident_id.in_(list(refused)), incident.c.custody == Custody.DELETING.value
        )
        back: dict[str, list[str]] = defaultdict(list)
        for row in act.tx.execute(ours):
            if row.revision == claimed[row.incident_id].revision + 1:
                back[refused[row.incident_id]].append(row.incident_id)
        for why, ids in back.items():
            touch(act, ids, "incident.release", reason=why)


def keys_of(tx: Connection, incidents: Sequence[str]) -> dict[str, list[str]]:
    """By incident the ids of its keys that no row says are destroyed, in the order in which they go."""
    k, d = key_ref, destruction
    last = case((k.c.party == Party.SUBJECT.value, 1), else_=0)
    query: Any = select(k.c.owner, k.c.key_id).outerjoin(d, d.c.key_id == k.c.key_id)
    query = query.where(k.c.owner.in_(incidents), d.c.key_id.is_(None)).order_by(k.c.owner, last, k.c.key_id)
    keys: dict[str, list[str]] = {i: [] for i in incidents}
    for owner, key_id in tx.execute(query):
        keys[owner].append(key_id)
    return keys
