"""What is forgotten of an incident, or of one of its parties, once the key is gone.

An incident leaves a tombstone: where it lay and when, which class, what became of it. Who it was about, what was found
and what content could be matched by are erased. The attach rule still knows the tombstone, so a rescan never seals
again what was erased.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.core.decision import Custody
from pipeline.core.evidence import Party
from pipeline.core.recording import UNKNOWN
from pipeline.vault import tables as t
from pipeline.vault import tables_keeping as k
from pipeline.vault.audit import Act
from pipeline.vault.involved import forget
from pipeline.vault.states import state_of, states_of

ERASED = "erased"
"""What stands where something was that named a person or content."""

OF_INCIDENT = "CE_INCIDENT"
OF_PARTY = "CE_PARTY"
"""Methods: cryptographic erase (NIST SP 800-88) of an incident, or of one party in it."""


def bury(act: Act, reasons: Mapping[str, str], *, actor: str) -> None:
    """Write down that all keys of incidents were destroyed, and leave tombstones; `reasons` by incident id."""
    tx, ids = act.tx, list(reasons)
    d, r = k.destruction, t.evidence_record
    known = set(tx.execute(select(d.c.key_id).where(d.c.incident_id.in_(ids))).scalars())
    rows = [
        _destruction(act, row.key_id, row.owner, row.party, OF_INCIDENT, reasons[row.owner], actor)
        for row in tx.execute(select(t.key_ref).where(t.key_ref.c.owner.in_(ids)).order_by(t.key_ref.c.key_id))
        if row.key_id not in known
    ]
    if rows:
        tx.execute(insert(d), rows)
    i = t.incident
    mine = i.c.incident_id.in_(ids)
    tx.execute(update(i).where(mine, i.c.custody == Custody.ACTIVE.value).values(custody=Custody.DELETING.value))
    tx.execute(
        update(i)
        .where(mine)
        .values(custody=Custody.KEY_DESTROYED.value, revision=i.c.revision + 1, session=ERASED, participant=ERASED)
    )
    tx.execute(delete(t.finding).where(t.finding.c.incident_id.in_(ids)))
    tx.execute(update(r).where(r.c.incident_id.in_(ids)).values(content_mac=ERASED))
    persons = set(tx.execute(select(k.involved.c.person).where(k.involved.c.incident_id.in_(ids))).scalars())
    tx.execute(update(k.involved).where(k.involved.c.incident_id.in_(ids)).values(person=ERASED))
    _unlink(tx, persons)
    states = states_of(tx, "incident", ids)
    act.record_all("incident.destroy", ((f"incident:{i}", why, states[i]) for i, why in reasons.items()))


def bury_party(act: Act, incident_id: str, party: Party, key_id: str, *, reason: str, actor: str) -> None:
    """Write down that one party's key was destroyed ("": there never was one), and forget that party."""
    if key_id:
        act.tx.execute(
            insert(k.destruction), _destruction(act, key_id, incident_id, party.value, OF_PARTY, reason, actor)
        )
        act.tx.execute(update(t.evidence_record).where(t.evidence_record.c.key_id == key_id).values(content_mac=ERASED))
    mine = (k.involved.c.incident_id == incident_id) & (k.involved.c.party == party.value)
    persons = set(act.tx.execute(select(k.involved.c.person).where(mine)).scalars())
    act.tx.execute(update(k.involved).where(mine).values(person=ERASED))
    _unlink(act.tx, persons)
    i, subject = t.incident, f"incident:{incident_id}"
    act.tx.execute(update(i).where(i.c.incident_id == incident_id).values(revision=i.c.revision + 1))
    act.record("party.erase", subject, reason=reason, after=state_of(act.tx, subject))


def _destruction(
    act: Act, key_id: str, incident_id: str, party: str, method: str, reason: str, actor: str
) -> dict[str, str]:
    return {
        "key_id": key_id,
        "incident_id": incident_id,
        "party": party,
        "method": method,
        "reason": reason,
        "at": act.at,
        "actor": actor,
    }


def _unlink(tx: Connection, persons: set[str]) -> None:
    """Forget which account a person is, where neither evidence nor a request needs to know any more."""
    v, q = k.involved.c.person, k.request.c.person
    gone = persons - {ERASED, UNKNOWN}
    gone -= set(tx.execute(select(v).where(v.in_(gone))).scalars())
    asked = set(tx.execute(select(q).where(q.in_(gone))).scalars())
    for person in sorted(asked):
        forget(tx, person)
    tx.execute(delete(k.account_link).where(k.account_link.c.person.in_(gone - asked)))
