"""Leases: somebody reads an incident, so the sweep passes it by until the reading is done or five minutes are over.

A lease is no hold: it delays destruction, it never forbids it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select

from pipeline.core.clock import utc_parse, utc_text
from pipeline.vault.audit import Act
from pipeline.vault.tables_keeping import lease

LEASE = timedelta(minutes=5)
"""The longest that one reading may keep the sweep waiting."""


def take(act: Act, incident_id: str) -> str:
    """A lease on the incident from now; its id. Those that have run out are forgotten."""
    lease_id = secrets.token_hex(16)
    act.tx.execute(delete(lease).where(lease.c.until <= act.at))
    until = utc_text(utc_parse(act.at) + LEASE)
    act.tx.execute(insert(lease), {"lease_id": lease_id, "incident_id": incident_id, "until": until})
    return lease_id


def drop(act: Act, lease_id: str) -> bool:
    """Give a lease back; False if it had run out before."""
    gone = act.tx.execute(delete(lease).where(lease.c.lease_id == lease_id).returning(lease.c.until)).scalar()
    return gone is not None and gone > act.at


def leased(tx: Connection, incidents: Sequence[str], at: str) -> frozenset[str]:
    """Those of `incidents` that somebody reads at the time `at`."""
    query = select(lease.c.incident_id).where(lease.c.incident_id.in_(incidents), lease.c.until > at)
    return frozenset(tx.execute(query).scalars())
