"""Erasing the counterpart alone: their key goes, the incident and the subject's evidence stay."""

from __future__ import annotations

from sqlalchemy import select

from pipeline.core.clock import utc_text
from pipeline.core.decision import Custody
from pipeline.core.errors import HeldError, TransitionError
from pipeline.core.evidence import Party
from pipeline.vault.audit import Act
from pipeline.vault.guards import KEPT, Wanted, refusals
from pipeline.vault.marks import clock_mark, why_paused
from pipeline.vault.parts import Parts
from pipeline.vault.renewal import owe
from pipeline.vault.scrub import ERASED, bury_party
from pipeline.vault.tables import key_ref
from pipeline.vault.tables_keeping import destruction, involved
from pipeline.vault.touch import one


def erase_party(parts: Parts, incident_id: str, party: Party, *, reason: str, by: str) -> None:
    """See `Destroyer.erase_party`. The trusted time is the clock's mark."""
    if party is not Party.COUNTERPART:
        raise TransitionError(
            f"the evidence of incident {incident_id} goes with its subject: order that it goes instead"
        )
    with parts.journal.act(by) as act:
        if _erased(act, incident_id, party):
            return
        _check(act, incident_id)
        owe(act)
        act.record("party.claim", f"incident:{incident_id}", reason=reason)
    with parts.journal.act(by) as act:
        _check(act, incident_id)
        key_id = _key(act, incident_id, party)
        if key_id:
            parts.keys.destroy(key_id)
        bury_party(act, incident_id, party, key_id, reason=reason, actor=by)


def _check(act: Act, incident_id: str) -> None:
    row, now = one(act.tx, incident_id), clock_mark(act.tx)
    wanted = Wanted(incident_id=incident_id, revision=row.revision)
    refused = refusals(act.tx, [wanted], custody=Custody.ACTIVE, now=utc_text(now), at=act.at)
    why = why_paused(act.tx, now) or refused.get(incident_id, "")
    if why:
        raise (HeldError if why == KEPT else TransitionError)(f"incident {incident_id} stays whole: {why}")


def _key(act: Act, incident_id: str, party: Party) -> str:
    query = select(key_ref.c.key_id).where(key_ref.c.owner == incident_id, key_ref.c.party == party.value)
    return act.tx.execute(query).scalar() or ""


def _erased(act: Act, incident_id: str, party: Party) -> bool:
    d, v = destruction, involved
    gone = select(d.c.key_id).where(d.c.incident_id == incident_id, d.c.party == party.value)
    named = select(v.c.person).where(v.c.incident_id == incident_id, v.c.party == party.value)
    return act.tx.execute(gone).first() is not None or act.tx.execute(named).scalar() == ERASED
