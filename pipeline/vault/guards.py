"""What forbids the destruction of an incident now, read from the catalog's own rows and never from a plan.

Asked when incidents are claimed and again when their keys go, under the catalog's write lock both times. What keeps an
incident is not named: whoever reads of it may not be one who may know of every order. Refuses to know the rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.retention import Order, appeal_open, report_open
from pipeline.vault.leases import leased
from pipeline.vault.tables import incident
from pipeline.vault.tables_keeping import destroy_order, event, hold, hold_item

KEPT = "something keeps it"
CHANGED = "it was changed since it was planned: plan anew"
GONE = "its keys were destroyed before"
CLAIMED = "it was claimed before: finish that first"
UNREVIEWED = "nobody has decided on it"
UNREPORTED = "a report on it is outstanding: file it, or let two people close it"
APPEALED = "an appeal is open: it waits for the answer"
READ = "somebody is reading it: the next sweep takes it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An incident that is to go as it was at `revision`; `unreviewed` if that may be without anybody's decision."""

    incident_id: str
    revision: int
    unreviewed: bool = False


def refusals(tx: Connection, wanted: Iterable[Wanted], *, custody: Custody, now: str, at: str) -> dict[str, str]:
    """Why each of some hundreds of incidents has to stay, by id; those that may go are not named.

    They have to stand in `custody`. `now` is trusted time, which holds and floors are compared with; `at` is that of
    the act, which leases are (UTC texts).
    """
    by_id = {w.incident_id: w for w in wanted}
    ids = list(by_id)
    rows = {row.incident_id: row for row in tx.execute(select(incident).where(incident.c.incident_id.in_(ids)))}
    facts = _Facts(
        held=_held(tx, ids, now),
        events=_events(tx, ids),
        waived=_waived(tx, ids, now),
        read=leased(tx, ids, at),
        custody=custody.value,
        now=now,
    )
    found = ((i, next(_reasons(rows.get(i), by_id[i], facts), "")) for i in ids)
    return {i: why for i, why in found if why}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    held: frozenset[str]
    events: Mapping[str, Sequence[tuple[str, str]]]
    """Kinds of events and when they were written down, in that order."""
    waived: frozenset[str]
    read: frozenset[str]
    custody: str
    now: str


def _reasons(row: Any, wanted: Wanted, facts: _Facts) -> Iterator[str]:
    if row is None:
        yield "there is no such incident"
        return
    if row.custody != facts.custody:
        yield {Custody.ACTIVE.value: CHANGED, Custody.DELETING.value: CLAIMED}.get(row.custody, GONE)
    if row.revision != wanted.revision:
        yield CHANGED
    if wanted.incident_id in facts.held:
        yield KEPT
    undecided = row.review in (Review.OPEN.value, Review.UNDER_REVIEW.value)
    if undecided and not (wanted.unreviewed and row.severity < Severity.SEVERE):
        yield UNREVIEWED
    events = facts.events.get(wanted.incident_id, ())
    judged = Review(row.review), Severity(row.severity), row.retention_class, row.decided_at or None
    if report_open(*judged, events):
        yield UNREPORTED
    if appeal_open(kind for kind, _ in events):
        yield APPEALED
    if row.floor_at > facts.now and wanted.incident_id not in facts.waived:
        yield f"it has to stay until {row.floor_at[:10]}"
    if wanted.incident_id in facts.read:
        yield READ


def _held(tx: Connection, ids: list[str], now: str) -> frozenset[str]:
    query = (
        select(hold_item.c.incident_id)
        .join(hold, hold.c.hold_id == hold_item.c.hold_id)
        .where(hold_item.c.incident_id.in_(ids))
        .where(or_(hold.c.until == "", hold.c.until > now), or_(hold.c.released_at == "", hold.c.released_at > now))
    )
    return frozenset(tx.execute(query).scalars())


def _events(tx: Connection, ids: list[str]) -> dict[str, list[tuple[str, str]]]:
    e = event.c
    query = select(e.incident_id, e.kind, e.recorded_at).where(e.incident_id.in_(ids)).order_by(e.number)
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in tx.execute(query):
        found[row.incident_id].append((row.kind, row.recorded_at))
    return found


def _waived(tx: Connection, ids: list[str], now: str) -> frozenset[str]:
    o = destroy_order
    query = select(o.c.incident_id).where(o.c.incident_id.in_(ids), o.c.order == Order.DESTROY.value, o.c.at <= now)
    return frozenset(tx.execute(query).scalars())
