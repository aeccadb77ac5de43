"""Holds as legal people place, renew and release them, on incidents or on people by name.

A letter that names a person preserves: their incidents are held, and what the platform stores of them ordinarily is
copied into the vault before the answer is yes. The scope is a snapshot. Refuses to say anything of confidential holds
to people without the legal role.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.approval import Params
from pipeline.core.clock import utc_text
from pipeline.core.decision import Custody
from pipeline.core.errors import ConfigError, SourceError, TransitionError, WatchkeepError
from pipeline.core.person import Person, Role
from pipeline.core.recording import Recording
from pipeline.custody.desk import Agreed, Desk, in_time
from pipeline.custody.explain import sees_all
from pipeline.custody.preserve import drafts_of
from pipeline.retention.rules import HoldRule
from pipeline.vault.holds import RELEASE, RELEASE_CONFIDENTIAL, Holds, HoldView
from pipeline.vault.preserve import Preserver
from pipeline.vault.requests import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What an authority, or one's own counsel, demands. `until` None: as long as the rules say for this kind."""

    kind: str
    authority: str
    reference: str
    reason: str
    received_at: datetime
    until: datetime | None = None
    confidential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A hold in force. `missing` names what was in scope and could not be copied: the answer is not yet yes."""

    hold_id: str
    incidents: tuple[str, ...]
    preserved: tuple[str, ...]
    gone: tuple[str, ...]
    missing: tuple[str, ...]
    until: datetime | None


def may_place(by: Person) -> None:
    """Raises PermissionRefused for who may not."""
    by.need("place a hold", Role.LEGAL)


def place(desk: Desk, ordered: Ordered, incidents: Sequence[str], *, by: Person) -> Placed:
    """Hold incidents by id. Raises KeyDestroyedError, and holds nothing, if one of them is gone."""
    until = _allowed(desk, ordered, by)
    if not incidents:
        raise ConfigError("a hold is on something: name --incident, --account or --participant")
    ids = tuple(dict.fromkeys(incidents))
    hold_id = _place(desk, ordered, until, ids, {"incidents": list(ids)}, by)
    return Placed(hold_id=hold_id, incidents=ids, preserved=(), gone=(), missing=(), until=until)


def preserve(
    desk: Desk,
    ordered: Ordered,
    *,
    scope: dict[str, object],
    known: Iterable[str],
    ordinary: Iterable[tuple[Recording, str]],
    by: Person,
    hold_id: str = "",
) -> Placed:
    """Hold the `known` incidents of a person and copy their `ordinary` recordings into the vault, under one hold.

    `ordinary` are recordings with the account whose data they are.
    What was destroyed before is named in `gone`. Given the `hold_id` of an earlier try, goes on with what is missing.
    """
    until = _allowed(desk, ordered, by)
    there, gone = _alive(desk, known)
    if hold_id:
        Holds(desk.parts).attach(hold_id, there, by=by.actor)
    else:
        hold_id = _place(desk, ordered, until, there, scope, by)
    preserver = Preserver(desk.parts)
    preserved: list[str] = []
    missing: list[str] = []
    for recording, account in ordinary:
        try:
            drafts = drafts_of(recording)
            preserved.append(preserver.preserve(hold_id, recording, drafts, account=account, by=by.actor))
        except SourceError as error:
            missing.append(f"{recording.uri}: {error}")
    return Placed(
        hold_id=hold_id,
        incidents=there,
        preserved=tuple(preserved),
        gone=gone,
        missing=tuple(missing),
        until=until,
    )


def renew(desk: Desk, hold_id: str, *, until: datetime | None, reference: str, by: Person) -> datetime | None:
    """Move a hold's end later: by the period that the rules give a renewal, unless `until` says when.

    One that has no end is attested: somebody said that it is still needed.
    """
    by.need("renew a hold", Role.LEGAL)
    view = one(desk, hold_id, by)
    if view.until is None and until is None:
        Holds(desk.parts).renew(hold_id, None, reference=reference, by=by.actor)
        return None
    if view.until is None:
        raise WatchkeepError(f"hold {hold_id} has no end: without --until it is attested, and it ends by a release")
    rule = _rule(desk, view.kind)
    if until is None and rule.renew is None:
        raise ConfigError(f"the rules give no renewal for {view.kind}: say --until")
    later = until or (rule.renew.after(view.until, later=True) if rule.renew else view.until)
    Holds(desk.parts).renew(hold_id, later, reference=reference, by=by.actor)
    return later


def ask_release(desk: Desk, hold_id: str, *, reason: str, by: Person) -> tuple[str, Params]:
    """The act and what two people have to agree to; refused for a hold that is not there or has ended.

    Why a confidential one is to end is kept with it, sealed: requests are read by people who may not know of it.
    """
    by.need("release a hold", Role.LEGAL)
    view = one(desk, hold_id, by)
    if view.released_at is not None:
        raise WatchkeepError(f"hold {hold_id} was released already")
    if not view.confidential:
        return RELEASE, {"hold": hold_id, "reason": reason}
    Holds(desk.parts).remark(hold_id, reason, by=by.actor)
    return RELEASE_CONFIDENTIAL, {"hold": hold_id, "reason": "as hold list says"}


def release(desk: Desk, hold_id: str, *, reason: str, agreed: Agreed) -> tuple[str, ...]:
    """End a hold that two people agreed to release; the incidents that it kept.

    Raises TransitionError if it was renewed since they were asked: somebody still wants it.
    """
    changes = (c for view in Holds(desk.parts).all(legal=True) if view.hold_id == hold_id for c in view.changes)
    if any(change.at > agreed.approval.requested_at for change in changes):
        raise TransitionError(f"hold {hold_id} was renewed since its release was asked: look at it, and ask anew")
    return Holds(desk.parts).release(hold_id, approval=agreed.approval, reason=reason, by=agreed.by.actor)


def listed(desk: Desk, *, by: Person | None) -> tuple[HoldView, ...]:
    """All holds that this person may see; confidential ones for the legal role alone."""
    return Holds(desk.parts).all(legal=sees_all(by))


def one(desk: Desk, hold_id: str, by: Person | None) -> HoldView:
    """A hold by its id or the beginning of it; a hold one may not see is one that is not there."""
    found = [h for h in listed(desk, by=by) if hold_id and h.hold_id.startswith(hold_id)]
    if len(found) != 1:
        raise ConfigError(f"{'several holds begin' if found else 'no hold begins'} with {hold_id!r}: see hold list")
    return found[0]


def incidents_of_person(desk: Desk, *, account: str, participant: str) -> tuple[str, ...]:
    """The incidents in which an account is a party, or that show a participant of this handle."""
    if bool(account) == bool(participant):
        raise ConfigError("a letter names one person: give --account or --participant")
    if account:
        return tuple(dict.fromkeys(incident for incident, _ in Requests(desk.parts).incidents_of(account)))
    return desk.vault.showing(participant)


def _allowed(desk: Desk, ordered: Ordered, by: Person) -> datetime | None:
    may_place(by)
    rule = _rule(desk, ordered.kind)
    now = desk.now()
    in_time(ordered.received_at, now, "an order received")
    if not ordered.reason.strip() or not ordered.authority.strip():
        raise ConfigError("a hold says who demands it and why: give --authority and --reason")
    until = ordered.until or (rule.period.after(ordered.received_at, later=True) if rule.period else None)
    if until is None and not rule.open_ended:
        raise ConfigError(f"the rules give no period for {ordered.kind}: say --until")
    if until is not None and until <= now:
        raise ConfigError(f"the hold would have ended at {utc_text(until)} already: give a later --until")
    return until


def _rule(desk: Desk, kind: str) -> HoldRule:
    if kind not in desk.rules.holds:
        raise ConfigError(f"{kind!r} is no kind of hold: it is one of {', '.join(sorted(desk.rules.holds))}")
    return desk.rules.holds[kind]


def _place(
    desk: Desk,
    ordered: Ordered,
    until: datetime | None,
    incidents: tuple[str, ...],
    scope: dict[str, object],
    by: Person,
) -> str:
    return Holds(desk.parts).place(
        incidents,
        kind=ordered.kind,
        authority=ordered.authority,
        reference=ordered.reference,
        reason=ordered.reason,
        starts_at=ordered.received_at,
        until=until,
        confidential=ordered.confidential,
        by=by.actor,
        placed_by=by.person_id,
        scope=scope,
    )


def _alive(desk: Desk, known: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    there: list[str] = []
    gone: list[str] = []
    for incident_id in dict.fromkeys(known):
        custody = desk.case(incident_id).custody
        (there if custody in (Custody.ACTIVE, Custody.DELETING) else gone).append(incident_id)
    return tuple(there), tuple(gone)
