"""What people ask about their own data: withdrawal, erasure, under-13, access, restriction; and what is done about it.

Ordinary data go at once; evidence goes, is restricted or stays as the law says, each incident with its ground. An open
case is never destroyed by a request. Refuses to act before identity was verified and a privacy officer decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.core.decision import Custody
from pipeline.core.errors import ApprovalError, ConfigError, HeldError, KeyDestroyedError, TransitionError
from pipeline.core.evidence import Party
from pipeline.core.person import Person, Role
from pipeline.core.retention import Order, Outcome, RequestKind, Verdict
from pipeline.custody import events
from pipeline.custody.desk import Desk, in_time
from pipeline.retention import erasure
from pipeline.vault.destroy import Destroyer
from pipeline.vault.orders import Orders
from pipeline.vault.requests import ACCEPTED, REFUSED, Requests, RequestView

DESK = (Role.PRIVACY_OFFICER, Role.LEGAL)

DISCOVERED = "discovered"
"""The event of learning that a person is under 13."""

ERASES_ORDINARY = frozenset({RequestKind.ERASURE, RequestKind.WITHDRAWAL, RequestKind.UNDER_13})
"""Requests after which what the platform stores ordinarily goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a request means for one party's evidence in one incident."""

    incident_id: str
    party: Party
    outcome: Outcome
    ground: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an erasure did, or would do. `destroyed` are incidents, `parties` single sides of one."""

    items: tuple[Item, ...]
    destroyed: tuple[str, ...] = ()
    parties: tuple[tuple[str, str], ...] = ()
    passed_by: tuple[tuple[str, str], ...] = ()


def add(desk: Desk, kind: RequestKind, account: str, *, received_at: datetime, by: Person) -> RequestView:
    """Write a request down; when it has to be answered follows from the rules."""
    by.need("take in a request", *DESK, Role.LEAD)
    if not account.strip():
        raise ConfigError("a request is about somebody: give --account")
    in_time(received_at, desk.now(), "a request received")
    due = desk.rules.requests[kind].after(received_at, later=False)
    requests = Requests(desk.parts)
    return requests.get(requests.add(kind, account, received_at=received_at, due_at=due, by=by.actor))


def verify_identity(desk: Desk, request_id: str, *, by: Person) -> RequestView:
    """Somebody made sure that the request comes from whom it is about."""
    by.need("confirm who asks", *DESK)
    requests = Requests(desk.parts)
    view = one(desk, request_id)
    requests.verify_identity(view.request_id, at=desk.now(), by=by.actor)
    return requests.get(view.request_id)


def decide(desk: Desk, request_id: str, decision: str, *, ground: str, by: Person) -> RequestView:
    """A privacy officer accepts a request, or refuses it on a ground."""
    by.need("decide a request", Role.PRIVACY_OFFICER)
    if decision not in (ACCEPTED, REFUSED):
        raise ConfigError(f"a request is {ACCEPTED} or {REFUSED}, not {decision!r}")
    if not ground.strip():
        raise ConfigError("a decision names its --ground: the law, and why it applies")
    view = one(desk, request_id)
    Requests(desk.parts).decide(view.request_id, decision, ground, by=by.actor, person_id=by.person_id)
    if decision == REFUSED:
        Requests(desk.parts).close(view.request_id, by=by.actor)
    return Requests(desk.parts).get(view.request_id)


def listed(desk: Desk) -> tuple[RequestView, ...]:
    """All requests, oldest first."""
    return Requests(desk.parts).all()


def one(desk: Desk, request_id: str) -> RequestView:
    """A request by its id or the beginning of it."""
    found = [r for r in listed(desk) if request_id and r.request_id.startswith(request_id)]
    if len(found) != 1:
        several = "several requests begin" if found else "no request begins"
        raise ConfigError(f"{several} with {request_id!r}: `watchkeep requests list` names them")
    return found[0]


def accepted(desk: Desk, request_id: str) -> RequestView:
    """A request that may be acted on; TransitionError before identity and decision."""
    view = one(desk, request_id)
    if view.state not in ("decided", "done") or view.decision != ACCEPTED:
        state = f"{view.state}, {view.decision}" if view.decision else view.state
        raise TransitionError(
            f"request {view.request_id} is {state}: who asks is verified and the request accepted before anything goes"
        )
    return view


def outcomes(desk: Desk, view: RequestView, now: datetime) -> tuple[Item, ...]:
    """What the request means for each incident its person is part of; changes nothing."""
    if forgotten(desk, view):
        return ()
    items = []
    for incident_id, party in Requests(desk.parts).incidents_of(account(desk, view)):
        case = desk.case(incident_id)
        outcome, ground = erasure.outcome(
            case,
            party,
            view.kind,
            desk.rules,
            now,
            production=desk.production,
            legal_basis=desk.vault.incident(incident_id).legal_basis,
            promoted=desk.promotion(case),
        )
        items.append(Item(incident_id=incident_id, party=party, outcome=outcome, ground=ground))
    return tuple(items)


def account(desk: Desk, view: RequestView) -> str:
    """Whom the request is about: lives in memory only."""
    return Requests(desk.parts).account(view.request_id)


def may_erase(desk: Desk, view: RequestView, by: Person) -> None:
    """Ask before anything goes, in whichever world. Raises PermissionRefused for who may not.

    Evidence goes before its time by two people: ApprovalError for who decided the request, if any would go.
    """
    by.need("erase", *DESK)
    if by.person_id != view.decided_by:
        return
    if any(i.outcome is Outcome.ERASED for i in outcomes(desk, view, desk.now())):
        raise ApprovalError(
            f"{by.name} accepted request {view.request_id}: evidence goes before its time by two people, so another "
            "officer has to carry it out"
        )


def forgotten(desk: Desk, view: RequestView) -> bool:
    """True if nobody knows any more whom it is about: all was done, whether it was closed or cut off before that."""
    try:
        account(desk, view)
    except KeyDestroyedError:
        return True
    return False


def carry_out(desk: Desk, view: RequestView, *, by: Person) -> Done:
    """Erase what may go now, restrict what must stay, write both down, and close the request. Twice is once."""
    may_erase(desk, view, by)
    requests = Requests(desk.parts)
    if forgotten(desk, view):
        requests.close(view.request_id, by=by.actor)
        return Done(items=())
    now, _ = desk.tick(by.actor)
    if view.kind is RequestKind.UNDER_13:
        _discovered(desk, view, by)
    items = outcomes(desk, view, now)
    note = [(i.incident_id, i.party, i.outcome, i.ground) for i in items]
    requests.note(view.request_id, note, by=by.actor)
    restricted = list(dict.fromkeys(i.incident_id for i in items if i.outcome is Outcome.RESTRICTED))
    if restricted:
        requests.restrict(restricted, f"request {view.request_id}", by=by.actor)
    gone = _erase(desk, view, [i for i in items if i.outcome is Outcome.ERASED], now, by)
    if not gone.passed_by:
        requests.close(view.request_id, by=by.actor)
    return Done(items=items, destroyed=gone.destroyed, parties=gone.parties, passed_by=gone.passed_by)


def _discovered(desk: Desk, view: RequestView, by: Person) -> None:
    """From its receipt on we know of a child: the clocks of that knowledge start."""
    for incident_id in dict.fromkeys(i for i, _ in Requests(desk.parts).incidents_of(account(desk, view))):
        case = desk.case(incident_id)
        known = any(e.kind == DISCOVERED and e.reference == view.request_id for e in case.events)
        if case.custody is Custody.ACTIVE and not known:
            events.write(desk, incident_id, DISCOVERED, view.received_at, view.request_id, by.actor)


def _erase(desk: Desk, view: RequestView, items: Sequence[Item], now: datetime, by: Person) -> Done:
    destroyer = Destroyer(desk.parts)
    parties: list[tuple[str, str]] = []
    passed_by: list[tuple[str, str]] = []
    for item in (i for i in items if i.party is Party.COUNTERPART):
        try:
            destroyer.erase_party(item.incident_id, item.party, reason=item.ground, by=by.actor)
            parties.append((item.incident_id, item.party.value))
        except (HeldError, TransitionError) as error:
            passed_by.append((item.incident_id, str(error)))
    subjects = [i for i in items if i.party is Party.SUBJECT]
    for item in subjects:
        Orders(desk.parts).add([item.incident_id], Order.ERASURE, now, item.ground, view.request_id, by=by.actor)
    verdicts = [desk.judge(case, now) for case in map(desk.case, [i.incident_id for i in subjects])]
    going = [replace(d, reason=d.basis) for d in verdicts if d.verdict is Verdict.DESTROY]
    done = destroyer.carry_out(going, now=now, actor=by.actor, allow_unreviewed=False)
    kept = [(d.incident_id, done.pause or d.reason) for d in verdicts if d.incident_id not in set(done.destroyed)]
    return Done(
        items=tuple(items),
        destroyed=done.destroyed,
        parties=tuple(parties),
        passed_by=tuple({**dict(kept), **dict(done.skipped), **dict(passed_by)}.items()),
    )
