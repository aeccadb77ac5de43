"""What happened to an incident and starts a legal clock: a report filed, a user notified, an appeal received."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pipeline.core.clock import utc_text
from pipeline.core.errors import ApprovalError, ConfigError, TransitionError, WatchkeepError
from pipeline.core.person import Person, Role
from pipeline.core.retention import (
    RECEIPTS,
    REFERRED,
    REPORT_CLOSED,
    SUSPECTED_MINOR,
    Bound,
    Case,
    Event,
)
from pipeline.custody.desk import ATTEMPTS, Agreed, Desk, in_time, moved_on
from pipeline.retention import engine
from pipeline.vault.events import Events

REFERENCED = RECEIPTS | {REFERRED}
"""Events that say that somebody took it on: they take the reference that they gave."""

RECORDERS = (Role.LEGAL, Role.LEAD, Role.SEVERE_REVIEWER)

CLOSE = "report.close"
NOTIFIED = "notified"


def record(desk: Desk, incident_id: str, kind: str, *, at: datetime, reference: str, by: Person) -> str:
    """Write an event down with the floors that it starts; its id.

    Raises ConfigError for a kind that the rules do not know, PermissionRefused, and WatchkeepError for a time in the
    future or a receipt without its reference.
    """
    if kind not in desk.rules.events:
        raise ConfigError(f"{kind!r} is no event: it is one of {', '.join(sorted(desk.rules.events))}")
    if kind == REPORT_CLOSED:
        raise ApprovalError("an unfiled report is closed by two people: watchkeep event close-report asks them")
    if kind == SUSPECTED_MINOR:
        by.need("record a suspected minor", Role.REVIEWER, *RECORDERS)
    else:
        by.need(f"record {kind}", *RECORDERS)
    if kind in REFERENCED and not reference.strip():
        raise WatchkeepError(f"{kind} is a receipt: give the authority's --reference")
    return write(desk, incident_id, kind, in_time(at, desk.now(), kind), reference.strip(), by.actor)


def after_sealing(desk: Desk, incident_id: str, at: datetime, what: str) -> datetime:
    """`at`, which must not lie before the day on which the incident was sealed; a notice not before its decision.

    A clock that began long ago may have run out: evidence would be overdue on one person's word.
    """
    case = desk.case(incident_id)
    sealed_at = case.sealed_at
    if what == NOTIFIED and (case.decided_at is None or at < case.decided_at):
        raise WatchkeepError(f"incident {incident_id} was not decided at {utc_text(at)}: nobody can be notified before")
    if at < sealed_at.replace(hour=0, minute=0, second=0, microsecond=0):
        raise WatchkeepError(
            f"{what} at {utc_text(at)} lies before it was sealed, at {utc_text(sealed_at)}: nobody can have known of "
            "it then; give the time at which it happened"
        )
    return at


def close_report(desk: Desk, incident_id: str, *, ground: str, agreed: Agreed) -> str:
    """Two people found that there is nothing to report: ends the wait for a receipt. Raises ApprovalError."""
    return write(desk, incident_id, REPORT_CLOSED, desk.now(), ground, agreed.by.actor, agreed)


def write(
    desk: Desk, incident_id: str, kind: str, at: datetime, reference: str, actor: str, agreed: Agreed | None = None
) -> str:
    """Write an event down with its floors, whoever may do that; looks again if the incident changed meanwhile."""
    now = desk.now()
    for _ in range(ATTEMPTS):
        case = desk.case(incident_id)
        if agreed:
            as_asked(case, agreed)
        event = Event(kind=kind, at=at, recorded_at=now, reference=reference)
        floors = new_floors(desk, replace(case, events=(*case.events, event)))
        try:
            return Events(desk.parts).record(
                incident_id,
                kind,
                at,
                reference,
                revision=case.revision,
                floors=floors,
                by=actor,
                approval=agreed.approval if agreed else None,
            )
        except TransitionError:
            continue
    raise moved_on(incident_id)


def as_asked(case: Case, agreed: Agreed) -> None:
    """Raises TransitionError if something was recorded since people were asked: they agreed to what they knew."""
    if any(event.recorded_at > agreed.approval.requested_at for event in case.events):
        raise TransitionError(
            f"something was recorded of incident {case.incident_id} since this was asked: look at it, and ask anew"
        )


def new_floors(desk: Desk, case: Case) -> tuple[Bound, ...]:
    """The floors of a case that were not written down yet."""
    return tuple(f for f in engine.floors(case, desk.rules) if f not in case.floors)
