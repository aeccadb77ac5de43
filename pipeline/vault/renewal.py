"""The renewal that a destruction owes: living keys are locked anew, so that no older copy of the store opens.

That one is owed is in the audit chain before a key goes, so a crash between the two forgets nothing.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from pipeline.vault.audit import Act
from pipeline.vault.parts import Parts
from pipeline.vault.tables import audit_event

_SUBJECT = "keys"
_OWED = "keys.owe"
_DONE = "keys.renew"


def owe(act: Act) -> None:
    """Write down that keys are about to go."""
    if not _owed(act.tx):
        act.record(_OWED, _SUBJECT, reason="keys are about to be destroyed")


def renew_if_owed(parts: Parts, actor: str) -> bool:
    """Renew the key store if keys went since it was renewed last; True if it was."""
    with parts.catalog.read() as tx:
        if not _owed(tx):
            return False
    parts.keys.renew()
    with parts.journal.act(actor) as act:
        act.record(_DONE, _SUBJECT)
    return True


def _owed(tx: Connection) -> bool:
    t = audit_event
    query = select(t.c.verb).where(t.c.subject == _SUBJECT, t.c.verb.in_([_OWED, _DONE]))
    return tx.execute(query.order_by(t.c.sequence.desc()).limit(1)).scalar() == _OWED
