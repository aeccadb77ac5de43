"""Requests of platform users about their own data, as plain JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.app import recordings
from pipeline.app.desk import Sitting, moment_of, sitting
from pipeline.app.home import Home
from pipeline.core.clock import utc_text
from pipeline.core.errors import ConfigError
from pipeline.core.retention import RequestKind
from pipeline.custody import requests
from pipeline.custody.explain import sees_all
from pipeline.vault.holds import Holds
from pipeline.vault.requests import REFUSED, ItemView, RequestView


def add(home: Home, name: str, *, kind: str, account: str, received: str) -> dict[str, Any]:
    """Take a request in."""
    with sitting(home, name) as here:
        received_at = moment_of(received) if received else here.desk.now()
        return _view(requests.add(here.desk, _kind(kind), account, received_at=received_at, by=here.by))


def verify(home: Home, name: str, request_id: str) -> dict[str, Any]:
    """Somebody made sure who asks."""
    with sitting(home, name) as here:
        return _view(requests.verify_identity(here.desk, request_id, by=here.by))


def decide(home: Home, name: str, request_id: str, *, decision: str, ground: str) -> dict[str, Any]:
    """Accept or refuse."""
    with sitting(home, name) as here:
        return _view(requests.decide(here.desk, request_id, decision, ground=ground, by=here.by))


def listed(home: Home) -> list[dict[str, Any]]:
    """All requests, oldest first; nobody is named."""
    with sitting(home) as here:
        now = here.desk.now()
        return [
            {**_view(v), "overdue": v.closed_at is None and v.decision != REFUSED and now > v.due_at}
            for v in requests.listed(here.desk)
        ]


def show(home: Home, name: str | None, request_id: str) -> dict[str, Any]:
    """One request with what became of each incident, or would become of it, as far as this person may know of it."""
    with sitting(home, name) as here:
        view = requests.one(here.desk, request_id)
        over = view.closed_at or view.decision == REFUSED
        planned = () if over else requests.outcomes(here.desk, view, here.desk.now())
        return {**_view(view), "items": _items(here, view.items), "planned": _items(here, planned)}


def erase(home: Home, name: str | None, request_id: str, *, apply: bool) -> dict[str, Any]:
    """What an accepted request erases, restricts or leaves, and with `apply` the doing of it."""
    with sitting(home, name) as here:
        view = requests.accepted(here.desk, request_id)
        if view.closed_at:
            raise ConfigError(f"request {view.request_id} was carried out already: `watchkeep requests show` tells how")
        if apply:
            requests.may_erase(here.desk, view, here.by)
        items = requests.outcomes(here.desk, view, here.desk.now())
        told: dict[str, Any] = {"request_id": view.request_id, "applied": apply, "items": _items(here, items)}
        if not apply:
            return {**told, "ordinary": _ordinary(home, here, view, apply=False)}
        # Who it is about is forgotten when the request is closed, so what is ordinary goes first.
        ordinary = _ordinary(home, here, view, apply=True)
        done, hidden = requests.carry_out(here.desk, view, by=here.by), _hidden(here)
        return {
            **told,
            "items": _items(here, done.items),
            "ordinary": ordinary,
            "destroyed": [i for i in done.destroyed if i not in hidden],
            "parties": [{"incident_id": i, "party": party} for i, party in done.parties if i not in hidden],
            "passed_by": [{"incident_id": i, "words": words} for i, words in done.passed_by if i not in hidden],
        }


def _ordinary(home: Home, here: Sitting, view: RequestView, *, apply: bool) -> dict[str, Any]:
    """The ordinary world's share: it knows nothing of the vault's."""
    if view.kind not in requests.ERASES_ORDINARY or requests.forgotten(here.desk, view):
        return {"recordings": []}
    names = {"account": requests.account(here.desk, view)}
    return recordings.delete(home, names, older_than=None, apply=apply)


def _kind(text: str) -> RequestKind:
    try:
        return RequestKind(text.replace("-", "_"))
    except ValueError:
        raise ConfigError(f"{text!r} is no request: it is one of {', '.join(RequestKind)}") from None


def _hidden(here: Sitting) -> frozenset[str]:
    """Incidents that would tell of a confidential hold, unless the person may know of it."""
    return frozenset() if sees_all(here.person) else Holds(here.desk.parts).hidden()


def _items(here: Sitting, items: Iterable[requests.Item | ItemView]) -> list[dict[str, str]]:
    hidden = _hidden(here)
    return [
        {"incident_id": i.incident_id, "party": i.party.value, "outcome": i.outcome.value, "ground": i.ground}
        for i in items
        if i.incident_id not in hidden
    ]


def _view(view: RequestView) -> dict[str, Any]:
    return {
        "request_id": view.request_id,
        "kind": view.kind.value,
        "person": view.person,
        "state": view.state,
        "decision": view.decision,
        "ground": view.ground,
        "received_at": utc_text(view.received_at),
        "due_at": utc_text(view.due_at),
        "verified_at": utc_text(view.verified_at) if view.verified_at else "",
        "closed_at": utc_text(view.closed_at) if view.closed_at else "",
    }
