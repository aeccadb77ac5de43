"""Holds at the desk, as plain JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pipeline.app.acts import ask
from pipeline.app.desk import Sitting, moment_of, named, sitting
from pipeline.app.home import Home
from pipeline.core.clock import utc_text
from pipeline.core.errors import ConfigError
from pipeline.core.recording import UNKNOWN, Recording
from pipeline.custody import holds
from pipeline.custody.holds import Ordered, Placed
from pipeline.recordings.ordinary import Ordinary
from pipeline.vault.holds import HoldView

Letter = dict[str, str]
"""An order as the command line gives it: kind, authority, reference, reason, received, until, confidential ("yes")."""


def place(home: Home, name: str, letter: Letter, incidents: Sequence[str]) -> dict[str, Any]:
    """Hold incidents by id."""
    with sitting(home, name) as here:
        ids = [named(here, i) for i in incidents]
        return _placed(holds.place(here.desk, _ordered(here, letter), ids, by=here.by))


def preserve(home: Home, name: str, letter: Letter, scope: dict[str, str]) -> dict[str, Any]:
    """Hold what is known of a person, and copy what is stored of them; `scope`: account or participant, from, to, hold.

    `missing` names what could not be copied: the order is not fulfilled until it is empty.
    """
    with sitting(home, name) as here:
        holds.may_place(here.by)
        start = moment_of(scope["from"]) if scope["from"] else None
        end = moment_of(scope["to"], end=True) if scope["to"] else None
        if start and end and end <= start:
            raise ConfigError("--to lies before --from: no recording is from that time")
        known = holds.incidents_of_person(here.desk, account=scope["account"], participant=scope["participant"])
        ordinary = tuple(_ordinary(here, scope, start, end))
        again = holds.one(here.desk, scope["hold"], here.by).hold_id if scope["hold"] else ""
        if not known and not ordinary:
            raise ConfigError(
                f"nothing is kept of {scope['account'] or scope['participant']!r} and that time, so nothing is held: "
                "look at the name, and at --from and --to"
            )
        placed = holds.preserve(
            here.desk,
            _ordered(here, letter),
            scope={k: v for k, v in scope.items() if v and k != "hold"},
            known=known,
            ordinary=ordinary,
            by=here.by,
            hold_id=again,
        )
        return _placed(placed)


def _ordinary(
    here: Sitting, scope: dict[str, str], begin: datetime | None, end: datetime | None
) -> Iterator[tuple[Recording, str]]:
    home, account, participant = here.installation.home, scope["account"], scope["participant"]
    if not home.recordings.exists():
        return
    ordinary = Ordinary.open(home.recordings, here.installation.secrets().recordings)
    try:
        for scoped in ordinary.in_scope(begin=begin, end=end, account=account, participant=participant):
            yield scoped.recording, account or _account_of(scoped.recording, participant)
    finally:
        ordinary.close()


def _account_of(recording: Recording, handle: str) -> str:
    return next((p.account for p in recording.participants if p.handle == handle), UNKNOWN)


def renew(home: Home, name: str, hold_id: str, *, until: str, reference: str) -> dict[str, Any]:
    """Move a hold's end to a later time."""
    with sitting(home, name) as here:
        hold = holds.one(here.desk, hold_id, here.by).hold_id
        later = holds.renew(
            here.desk, hold, until=moment_of(until, end=True) if until else None, reference=reference, by=here.by
        )
        return {"hold_id": hold, "until": utc_text(later) if later else "released"}


def release(home: Home, name: str, hold_id: str, *, reason: str) -> dict[str, Any]:
    """Ask two people to release a hold."""
    if not reason.strip():
        raise ConfigError("a release names its --reason: the two who approve read it")
    with sitting(home, name) as here:
        hold = holds.one(here.desk, hold_id, here.by).hold_id
        act, params = holds.ask_release(here.desk, hold, reason=reason, by=here.by)
        return ask(here, act, params)


def listed(home: Home, name: str | None) -> list[dict[str, Any]]:
    """All holds that the person may see."""
    with sitting(home, name) as here:
        now = here.desk.now()
        return [_view(view, now) for view in holds.listed(here.desk, by=here.person)]


def _ordered(here: Sitting, letter: Letter) -> Ordered:
    return Ordered(
        kind=letter["kind"],
        authority=letter["authority"],
        reference=letter["reference"],
        reason=letter["reason"],
        received_at=moment_of(letter["received"]) if letter["received"] else here.desk.now(),
        until=moment_of(letter["until"], end=True) if letter["until"] else None,
        confidential=letter["confidential"] == "yes",
    )


def _placed(placed: Placed) -> dict[str, Any]:
    return {
        "hold_id": placed.hold_id,
        "until": utc_text(placed.until) if placed.until else "released",
        "incidents": list(placed.incidents),
        "preserved": list(placed.preserved),
        "gone": list(placed.gone),
        "missing": list(placed.missing),
    }


def _view(view: HoldView, now: datetime) -> dict[str, Any]:
    ended = "released" if view.released_at else "ended"
    return {
        "hold_id": view.hold_id,
        "state": "active" if view.active(now) else ended,
        "kind": view.kind,
        "authority": view.authority,
        "reference": view.reference,
        "reason": view.reason,
        "confidential": view.confidential,
        "starts_at": utc_text(view.starts_at),
        "until": utc_text(view.until) if view.until else "released",
        "placed_at": utc_text(view.placed_at),
        "incidents": list(view.incidents),
        "changes": [
            {"what": c.what, "at": utc_text(c.at), "reference": c.reference, "reason": c.reason} for c in view.changes
        ],
    }
