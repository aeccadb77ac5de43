"""What retention is told of incidents: times, classes and states; nobody's name and no evidence.

Streams: memory grows with the number of holds, not with that of incidents. Rows come from the driver's own cursors, one
a table in the order of incident ids, and are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, func, or_, select

from pipeline.core.clock import utc_parse
from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.errors import IntegrityError, WatchkeepError
from pipeline.core.evidence import Party
from pipeline.core.ports import KeyStore
from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import Bound, Case, DestroyOrder, Event, Hold, Order, Override
from pipeline.vault import tables as t
from pipeline.vault import tables_keeping as k
from pipeline.vault.hold_words import unwrap_words
from pipeline.vault.holds import ATTEST
from pipeline.vault.parts import Parts
from pipeline.vault.scrub import ERASED
from pipeline.vault.states import driver_rows

CONFIDENTIAL = "confidential"
"""The kind of a hold whose kind may not be told."""

SEVERAL = 10
"""The most that `Cases.beginning` names."""

APPEAL_RECEIVED = "appeal_received"
APPEAL_DECIDED = "appeal_decided"
PATTERN_CONFIRMED = "pattern_confirmed"

_SEVERITIES = {int(s): s for s in Severity}
_REVIEWS = {r.value: r for r in Review}
_CUSTODIES = {c.value: c for c in Custody}


class Upheld(NamedTuple):
    """An incident that was upheld. `appeal` is "none", "pending" or "overturned".

    `pattern_confirmed_at` is when somebody found that it belongs to a pattern, None if nobody did.
    """

    person: str
    incident_id: str
    session: str
    decided_at: datetime
    appeal: str
    pattern_confirmed_at: datetime | None


class Cases:
    """The incidents of one vault as cases."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def all(self) -> Iterator[Case]:
        """Every incident in order of its id, destroyed ones included, in one snapshot."""
        with self._parts.catalog.read() as tx:
            yield from _cases(tx, self._parts.keys, None)

    def one(self, incident_id: str) -> Case:
        """One incident; WatchkeepError if there is none with this id."""
        with self._parts.catalog.read() as tx:
            case = next(_cases(tx, self._parts.keys, incident_id), None)
        if case is None:
            raise WatchkeepError(f"there is no incident {incident_id}: see watchkeep incidents list")
        return case

    def beginning(self, prefix: str) -> tuple[str, ...]:
        """Ids of the incidents that begin so, the first few of them in order."""
        i = t.incident.c.incident_id
        with self._parts.catalog.read() as tx:
            query = select(i).where(i >= prefix, i < prefix + "\U0010ffff").order_by(i).limit(SEVERAL)
            return tuple(tx.execute(query).scalars())

    def upheld(self, *, at_least: int = 1, person: str = "") -> Iterator[Upheld]:
        """Incidents of known persons that were upheld, at some time at least, grouped by person.

        Persons who are involved in fewer than `at_least` incidents are left out; only one `person` if one is named.
        """
        i, v, d = t.incident, k.involved, k.decision
        query = (
            select(v.c.person, i.c.incident_id, i.c.session, i.c.decided_at, i.c.review)
            .join(i, i.c.incident_id == v.c.incident_id)
            .where(v.c.party == Party.SUBJECT.value, v.c.person.not_in([UNKNOWN, ERASED]), i.c.decided_at != "")
            .where(
                or_(
                    i.c.review == Review.UPHELD.value,
                    select(d.c.decision_id)
                    .where(d.c.incident_id == i.c.incident_id, d.c.outcome == Review.UPHELD.value)
                    .exists(),
                )
            )
            .order_by(v.c.person, i.c.incident_id)
        )
        if person:
            query = query.where(v.c.person == person)
        elif at_least > 1:  # most people are in one or two, and are not worth a look at their rows
            often = select(k.involved.c.person).group_by(k.involved.c.person).having(func.count() >= at_least)
            query = query.where(v.c.person.in_(often))
        with self._parts.catalog.read() as tx:
            told = _told(tx, person)
            for named, incident_id, session, decided_at, review in _rows(tx, query):
                events = told.get(incident_id, {})
                yield Upheld(
                    person=named,
                    incident_id=incident_id,
                    session=session,
                    decided_at=utc_parse(decided_at),
                    appeal=_appeal(review, decided_at, events),
                    pattern_confirmed_at=_time(events.get(PATTERN_CONFIRMED, "")),
                )


def _told(tx: Connection, person: str) -> dict[str, dict[str, str]]:
    """By incident and kind when an event about appeals and patterns was last written down, of one person if named."""
    e = k.event
    kinds = [APPEAL_RECEIVED, APPEAL_DECIDED, PATTERN_CONFIRMED]
    query = select(e.c.incident_id, e.c.kind, e.c.recorded_at).where(e.c.kind.in_(kinds)).order_by(e.c.number)
    if person:
        mine = select(k.involved.c.incident_id).where(k.involved.c.person == person)
        query = query.where(e.c.incident_id.in_(mine))
    told: dict[str, dict[str, str]] = {}
    for incident_id, kind, recorded_at in _rows(tx, query):
        told.setdefault(incident_id, {})[kind] = recorded_at
    return told


def _appeal(review: str, decided_at: str, events: dict[str, str]) -> str:
    if review == Review.DISMISSED.value:
        return "overturned"
    received = events.get(APPEAL_RECEIVED, "")
    if review != Review.UPHELD.value or received > max(decided_at, events.get(APPEAL_DECIDED, "")):
        return "pending"
    return "none"


class _Ahead:
    """The rows of one table in order of incident ids, given out incident by incident; the first column is the id.

    `at` is whose row comes next: most incidents have none, and a comparison costs less than a call.
    """

    __slots__ = ("_make", "_next", "_rows", "at")

    def __init__(self, rows: Iterator[Any], make: Callable[[Any], Any]) -> None:
        self._rows = rows
        self._make = make
        self._next = next(rows, None)
        self.at: str = _END if self._next is None else self._next[0]

    def of(self, incident_id: str) -> tuple[Any, ...]:
        """This incident's rows, made into values; those of incidents before it are passed over."""
        row, found = self._next, []
        while row is not None and row[0] <= incident_id:
            if row[0] == incident_id:
                found.append(self._make(row))
            row = next(self._rows, None)
        self._next, self.at = row, _END if row is None else row[0]
        return tuple(found)


_END = "\U0010ffff"
"""After every incident id."""


def _cases(tx: Connection, keys: KeyStore, incident_id: str | None) -> Iterator[Case]:
    holds = _holds(tx, keys, incident_id)
    i, v, e, o = t.incident, k.involved, k.event, k.destroy_order

    def ahead(query: Select[Any], make: Callable[[Any], Any]) -> _Ahead:
        column = query.selected_columns[0]
        mine = query if incident_id is None else query.where(column == incident_id)
        return _Ahead(_rows(tx, mine), make)

    events = ahead(
        select(e.c.incident_id, e.c.kind, e.c.at, e.c.recorded_at, e.c.reference).order_by(e.c.incident_id, e.c.number),
        _event,
    )
    h = k.hold_item
    items = ahead(select(h.c.incident_id, h.c.hold_id).order_by(h.c.incident_id), lambda row: holds[row[1]])
    f, w = k.floor, k.floor_override
    floors = ahead(
        select(f.c.incident_id, f.c.rule, f.c.until, f.c.trigger, f.c.trigger_at, f.c.cite).order_by(
            f.c.incident_id, f.c.rule, f.c.trigger_at, f.c.until
        ),
        _floor,
    )
    overrides = ahead(
        select(w.c.incident_id, w.c.rule, w.c.until, w.c.ground, w.c.at).order_by(w.c.incident_id, w.c.at), _override
    )
    orders = ahead(select(o.c.incident_id, o.c.order, o.c.at, o.c.ground).order_by(o.c.incident_id, o.c.number), _order)
    query = select(*(i.c[name] for name in _COLUMNS), v.c.person).outerjoin(
        v, and_(v.c.incident_id == i.c.incident_id, v.c.party == Party.SUBJECT.value)
    )
    if incident_id is not None:
        query = query.where(i.c.incident_id == incident_id)
    for row in _rows(tx, query.order_by(i.c.incident_id)):
        one = row[0]
        yield Case(
            incident_id=one,
            revision=row[1],
            retention_class=row[2],
            category=row[3],
            severity=_known(_SEVERITIES, row[4], one),
            jurisdiction=row[5],
            session=row[6],
            review=_known(_REVIEWS, row[7], one),
            custody=_known(_CUSTODIES, row[8], one),
            restricted=bool(row[9]),
            sealed_at=utc_parse(row[10]),
            decided_at=utc_parse(row[11]) if row[11] else None,
            subject=row[12] or UNKNOWN,
            events=events.of(one) if events.at <= one else (),
            holds=tuple(hold for _, hold in sorted(items.of(one), key=_number)) if items.at <= one else (),
            floors=floors.of(one) if floors.at <= one else (),
            overrides=overrides.of(one) if overrides.at <= one else (),
            orders=orders.of(one) if orders.at <= one else (),
        )


_COLUMNS = (
    "incident_id", "revision", "retention_class", "category", "severity", "jurisdiction", "session", "review",
    "custody", "restricted", "sealed_at", "decided_at",
)  # fmt: skip


def _rows(tx: Connection, query: Select[Any]) -> Iterator[Any]:
    compiled = query.compile(dialect=tx.dialect, compile_kwargs={"render_postcompile": True})
    values = [compiled.params[name] for name in compiled.positiontup or ()]
    return driver_rows(tx, compiled, values)


def _holds(tx: Connection, keys: KeyStore, incident_id: str | None) -> dict[str, tuple[int, Hold]]:
    """Every hold (or those of one incident) by its id, with its number; each is opened once."""
    h, item = k.hold, k.hold_item
    query = select(h).order_by(h.c.number)
    if incident_id is not None:
        query = query.where(h.c.hold_id.in_(select(item.c.hold_id).where(item.c.incident_id == incident_id)))
    change = k.hold_change
    latest = select(change.c.hold_id, func.max(change.c.at)).where(change.c.what == ATTEST).group_by(change.c.hold_id)
    attested = {row[0]: row[1] for row in tx.execute(latest)}
    return {row.hold_id: (row.number, _hold(row, keys, attested.get(row.hold_id, ""))) for row in tx.execute(query)}


def _hold(row: Any, keys: KeyStore, attested: str) -> Hold:
    kind = CONFIDENTIAL
    if not row.confidential:
        kind = str(unwrap_words(keys, row.details)["kind"])
    return Hold(
        hold_id=row.hold_id,
        kind=kind,
        starts_at=utc_parse(row.starts_at),
        until=_time(row.until),
        released_at=_time(row.released_at),
        attested_at=_time(attested),
        confidential=row.confidential,
    )


def _number(item: tuple[int, Hold]) -> int:
    return item[0]


def _event(row: Any) -> Event:
    return Event(kind=row[1], at=utc_parse(row[2]), recorded_at=utc_parse(row[3]), reference=row[4])


def _floor(row: Any) -> Bound:
    return Bound(rule=row[1], until=utc_parse(row[2]), trigger=row[3], trigger_at=utc_parse(row[4]), cite=row[5])


def _override(row: Any) -> Override:
    return Override(rule=row[1], until=utc_parse(row[2]), ground=row[3], at=utc_parse(row[4]))


def _order(row: Any) -> DestroyOrder:
    return DestroyOrder(order=Order(row[1]), at=utc_parse(row[2]), ground=row[3])


def _time(text: str) -> datetime | None:
    return utc_parse(text) if text else None


def _known(values: dict[Any, Any], value: object, incident_id: str) -> Any:
    try:
        return values[value]
    except KeyError:
        raise IntegrityError(
            f"catalog: incident {incident_id} holds what the vault never writes ({value!r}): run evidence verify"
        ) from None
