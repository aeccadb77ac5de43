"""What people do with incidents at the shell: decide, record events, settle clocks; as plain JSON values."""

from __future__ import annotations

from typing import Any

from pipeline.app import look
from pipeline.app.acts import ask
from pipeline.app.compose import Installation
from pipeline.app.desk import moment_of, named, sitting
from pipeline.app.home import Home
from pipeline.app.people import authenticate
from pipeline.core.clock import utc_text
from pipeline.core.decision import Review
from pipeline.core.errors import ConfigError
from pipeline.core.person import Role
from pipeline.custody import decisions, events, floors
from pipeline.custody.explain import sees_all
from pipeline.custody.sweep import GONE
from pipeline.vault.events import Events


def listed(home: Home, name: str | None) -> list[dict[str, Any]]:
    """All incidents that this person may know of, newest first."""
    return look.incidents(home, legal=_legal(home, name))


def show(home: Home, name: str | None, incident_id: str) -> dict[str, Any]:
    """One incident that this person may know of."""
    return look.incident(home, incident_id, legal=_legal(home, name))


def _legal(home: Home, name: str | None) -> bool:
    return name is not None and sees_all(authenticate(Installation.open(home), name))


def decide(home: Home, name: str, incident_id: str, *, outcome: str, category: str, note: str) -> dict[str, Any]:
    """Decide an incident; dismissing a severe one asks a second person instead and says so."""
    if outcome not in [o.value for o in decisions.OUTCOMES]:
        raise ConfigError(f"--outcome is upheld or dismissed, not {outcome!r}")
    note = _said(note, "--note")
    with sitting(home, name) as here:
        incident = named(here, incident_id)
        chosen = category or here.desk.case(incident).category
        decisions.allow(here.desk, here.desk.case(incident), chosen, here.by)
        verdict = Review(outcome)
        decisions.keeps_report(here.desk, here.desk.case(incident), verdict, chosen)
        if params := decisions.second_needed(here.desk, incident, verdict, category=chosen, note=note, by=here.by):
            return ask(here, decisions.DISMISS_SEVERE, params)
        decisions.decide(here.desk, incident, outcome=verdict, category=chosen, note=note, by=here.by)
        case = here.desk.case(incident)
        return {
            "incident_id": incident,
            "review": case.review.value,
            "category": case.category,
            "retention_class": case.retention_class,
            "revision": case.revision,
        }


def record(home: Home, name: str, incident_id: str, kind: str, *, at: str, reference: str) -> dict[str, Any]:
    """Record an event."""
    with sitting(home, name) as here:
        incident = named(here, incident_id)
        happened = events.after_sealing(here.desk, incident, moment_of(at), kind)
        event_id = events.record(here.desk, incident, kind, at=happened, reference=reference, by=here.by)
        case = here.desk.case(incident)
        floor = max((f.until for f in case.floors), default=None)
        return {
            "event_id": event_id,
            "incident_id": incident,
            "kind": kind,
            "floor_at": utc_text(floor) if floor else "none",
        }


def recorded(home: Home, name: str | None, incident_id: str) -> list[dict[str, Any]]:
    """The events of an incident in the order in which they were written down."""
    with sitting(home, name) as here:
        found = Events(here.desk.parts).of(named(here, incident_id))
        return [
            {
                "event_id": e.event_id,
                "kind": e.kind,
                "at": utc_text(e.at),
                "reference": e.reference,
                "recorded_at": utc_text(e.recorded_at),
                "recorded_by": e.recorded_by,
            }
            for e in found
        ]


def close_report(home: Home, name: str, incident_id: str, *, ground: str) -> dict[str, Any]:
    """Ask two people to agree that there is nothing to report."""
    with sitting(home, name) as here:
        here.by.need("ask to close a report", *events.RECORDERS)
        return ask(here, events.CLOSE, {"incident": named(here, incident_id), "ground": _said(ground, "--ground")})


def override_floor(home: Home, name: str, incident_id: str, *, rule: str, until: str, ground: str) -> dict[str, Any]:
    """Ask two people to agree that a floor moves."""
    with sitting(home, name) as here:
        incident = named(here, incident_id)
        params = floors.override_params(
            here.desk, incident, rule=rule, until=moment_of(until), ground=_said(ground, "--ground"), by=here.by
        )
        return ask(here, floors.OVERRIDE, params)


def order_destruction(home: Home, name: str, incidents: list[str], *, authority: str, reference: str) -> dict[str, Any]:
    """Ask two people to agree to an authority's demand to destroy."""
    with sitting(home, name) as here:
        here.by.need("ask for destruction by order", Role.LEGAL)
        ids = sorted({named(here, i) for i in incidents})
        if not ids:
            raise ConfigError("an order names incidents: give --incident")
        if gone := [i for i in ids if here.desk.case(i).custody in GONE]:
            raise ConfigError(f"incident {gone[0]} is destroyed already: `watchkeep explain` says when and why")
        params: dict[str, str | int | list[str]] = {
            "incidents": ids,
            "authority": _said(authority, "--authority"),
            "reference": _said(reference, "--reference"),
        }
        return ask(here, floors.DESTROY, params)


def _said(text: str, option: str) -> str:
    if not text.strip():
        raise ConfigError(f"say {option}: others have to understand it later")
    return text.strip()
