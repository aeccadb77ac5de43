"""Acts that take several people: filed at the desk, carried out once enough of them agreed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.app.compose import Installation
from pipeline.app.desk import Sitting, desk_of
from pipeline.app.look import open_vault
from pipeline.app.people import open_approvals
from pipeline.core.approval import Approval, Params
from pipeline.core.errors import ConfigError
from pipeline.core.person import Person
from pipeline.custody import decisions, events, floors, holds, rules, sweep
from pipeline.custody.desk import Agreed, Desk
from pipeline.vault.holds import RELEASE, RELEASE_CONFIDENTIAL

Told = dict[str, Any]


def ask(here: Sitting, act: str, params: Params) -> Told:
    """File a request for `act`; who has to agree is told with it."""
    with open_approvals(here.installation, here.desk.vault, here.desk.rules) as approvals:
        return approvals.ask(act, params, by=here.by)


def carry_out(installation: Installation, approval: Approval, act: str, params: Params, *, by: Person) -> Told:
    """Do what was agreed to, exactly; `by` is who agreed last."""
    if act not in ACTS:
        raise ConfigError(f"nobody knows how to carry out {act!r}: update watchkeep")
    with open_vault(installation) as vault:
        desk = desk_of(installation, vault)
        return ACTS[act](desk, params, Agreed(approval=approval, by=by))


def _release(desk: Desk, params: Params, agreed: Agreed) -> Told:
    ids = holds.release(desk, str(params["hold"]), reason=str(params["reason"]), agreed=agreed)
    return {"released": params["hold"], "incidents": list(ids)}


def _close_report(desk: Desk, params: Params, agreed: Agreed) -> Told:
    incident = str(params["incident"])
    return {
        "incident_id": incident,
        "event_id": events.close_report(desk, incident, ground=str(params["ground"]), agreed=agreed),
    }


def _dismiss(desk: Desk, params: Params, agreed: Agreed) -> Told:
    incident = str(params["incident"])
    return {"incident_id": incident, "decision_id": decisions.make_less(desk, params, agreed)}


def _override(desk: Desk, params: Params, agreed: Agreed) -> Told:
    floors.override(desk, params, agreed)
    return {"incident_id": params["incident"], "rule": params["rule"], "until": params["until"]}


def _order(desk: Desk, params: Params, agreed: Agreed) -> Told:
    floors.order(desk, params, agreed)
    return {"incidents": params["incidents"], "next": "watchkeep sweep --apply"}


def _large(desk: Desk, _: Params, agreed: Agreed) -> Told:
    done = sweep.sweep(desk, actor=agreed.by.actor, agreed=agreed)
    return {"destroyed": list(done.destroyed), "pauses": [p.words for p in done.pauses]}


def _clock(desk: Desk, _: Params, agreed: Agreed) -> Told:
    sweep.accept_clock(desk, agreed)
    return {"next": "watchkeep sweep --apply"}


def _end_pause(desk: Desk, params: Params, agreed: Agreed) -> Told:
    sweep.end_pause(desk, str(params["pause"]), agreed)
    return {"ended": params["pause"], "next": "watchkeep sweep --apply"}


def _rules(desk: Desk, params: Params, agreed: Agreed) -> Told:
    rules.change(desk, params, agreed)
    return {"rules": params["name"], "sha256": params["sha256"]}


ACTS: Mapping[str, Callable[[Desk, Params, Agreed], Told]] = {
    RELEASE: _release,
    RELEASE_CONFIDENTIAL: _release,
    events.CLOSE: _close_report,
    decisions.DISMISS_SEVERE: _dismiss,
    floors.OVERRIDE: _override,
    floors.DESTROY: _order,
    sweep.LARGE: _large,
    sweep.CLOCK: _clock,
    sweep.RESTORED: _end_pause,
    rules.CHANGE: _rules,
}
"""How each act is carried out; `user.grant` is the people's own."""
