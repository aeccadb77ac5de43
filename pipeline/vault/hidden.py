"""Incidents whose being there tells of a confidential hold: preserved for it, and under no other one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from pipeline.vault.catalog_rows import ORDERED
from pipeline.vault.tables import incident
from pipeline.vault.tables_keeping import hold, hold_item


def hidden() -> Select[Any]:
    """Their ids, as a query or inside one."""
    told = select(hold_item.c.incident_id).join(hold, hold.c.hold_id == hold_item.c.hold_id)
    known = told.where(~hold.c.confidential)
    return select(incident.c.incident_id).where(incident.c.origin == ORDERED, incident.c.incident_id.not_in(known))
