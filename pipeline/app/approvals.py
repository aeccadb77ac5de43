"""Requests at the shell: looked at, approved, refused; the last approval carries the act out at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.app import acts, users
from pipeline.app.desk import Sitting, sitting
from pipeline.app.home import Home
from pipeline.app.people import Agreeing, Told, entering, open_approvals
from pipeline.custody.decisions import DISMISS_SEVERE
from pipeline.custody.rules import CHANGE
from pipeline.people.requirements import USER_GRANT
from pipeline.people.standing import State
from pipeline.vault.decisions import Decisions


@contextmanager
def _agreeing(home: Home, name: str) -> Iterator[tuple[Sitting, Agreeing]]:
    with sitting(home, name) as here, open_approvals(here.installation, here.desk.vault, here.desk.rules) as agreeing:
        yield here, agreeing


def listed(home: Home, name: str) -> list[Told]:
    """The requests that the person asked for or may have a say in, newest first."""
    with _agreeing(home, name) as (here, agreeing):
        return [agreeing.told(s) for s in agreeing.seen_by(here.by)]


def show(home: Home, name: str, request_id: str) -> Told:
    """One of them; the first characters of its id are enough."""
    with _agreeing(home, name) as (here, agreeing):
        told = agreeing.told(agreeing.named(request_id, here.by))
        return {**told, "params": _readable(here, told["act"], told["params"])}


def _readable(here: Sitting, act: str, params: Told) -> Told:
    """What is agreed to, as a person reads it: a sealed note opened, a rule file by its size and digest."""
    if act == DISMISS_SEVERE:
        return {**params, "note": Decisions(here.desk.parts).open_note(params["incident"], params["note"])}
    if act == CHANGE:
        return {**params, "body": f"{len(params['body'])} characters: watchkeep retention diff current FILE"}
    return params


def approve(home: Home, name: str, request_id: str) -> Told:
    """Agree; `done` is what the act did if this was the last word it took, else empty.

    An act that failed after its last approval is tried again when one of those who approved says so again.
    """
    with _agreeing(home, name) as (here, agreeing):
        by, found = here.by, agreeing.named(request_id, here.by)
        standing = agreeing.approvals.approve(found.request_id, by, enter=entering(here.desk.vault, by.actor))
        if standing.state is not State.APPROVED:
            return {**agreeing.told(standing), "done": {}}
        approval, act, params = agreeing.approvals.ready(found.request_id)
        if act == USER_GRANT:
            done = users.carry_out_grant(here.installation, approval, params, by=by)
        else:
            done = acts.carry_out(here.installation, approval, act, params, by=by)
        agreeing.approvals.spent(found.request_id)
        return {**agreeing.told(agreeing.approvals.one(found.request_id)), "done": done}


def refuse(home: Home, name: str, request_id: str, why: str) -> Told:
    """Nobody may approve it any more."""
    with _agreeing(home, name) as (here, agreeing):
        found = agreeing.named(request_id, here.by)
        enter = entering(here.desk.vault, here.by.actor)
        return agreeing.told(agreeing.approvals.refuse(found.request_id, here.by, why, enter=enter))
