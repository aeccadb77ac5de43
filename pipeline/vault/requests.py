"""Requests of platform users about their own data, and what became of each incident under them.

The account's name lies under a key of the request's own and is destroyed when the request is closed; the rest names
nobody and stays. Refuses to know what has to be erased: it is told.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import TransitionError, WatchkeepError
from pipeline.core.evidence import Party
from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import Outcome, RequestKind
from pipeline.vault.audit import Act
from pipeline.vault.involved import forget, person_of
from pipeline.vault.parts import Parts
from pipeline.vault.states import state_of
from pipeline.vault.tables import incident, key_ref
from pipeline.vault.tables_keeping import involved, request, request_item
from pipeline.vault.touch import batches, still_there, touch

ACCEPTED = "accepted"
REFUSED = "refused"

Item = tuple[str, Party, Outcome, str]
"""Incident, whose data of it, what became of them, and on which ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """What became of one party's data in one incident; a later item stands in place of an earlier one."""

    incident_id: str
    party: Party
    outcome: Outcome
    ground: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A request without the account's name; `person` is opaque. `state`: received, verified, decided, done."""

    request_id: str
    kind: RequestKind
    person: str
    received_at: datetime
    due_at: datetime
    verified_at: datetime | None
    state: str
    decision: str
    ground: str
    decided_by: str
    decided_at: datetime | None
    closed_at: datetime | None
    items: tuple[ItemView, ...]


class Requests:
    """A request from its receipt to its end: received, verified, decided, done."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add(self, kind: RequestKind, account: str, *, received_at: datetime, due_at: datetime, by: str) -> str:
        """Write a request down; its id. From now on what is sealed of this person is restricted.

        Raises WatchkeepError for an account that names nobody.
        """
        if not account.strip() or account == UNKNOWN:
            raise WatchkeepError("a request is somebody's: give the account that it is about")
        request_id = secrets.token_hex(16)
        key_id = f"request-{request_id}"
        with self._parts.journal.act(by) as act:
            self._parts.keys.create(key_id)  # in this transaction, so that it is nobody's orphan in between
            act.tx.execute(insert(key_ref), {"key_id": key_id, "owner": request_id, "party": "account"})
            body = self._parts.keys.wrap(key_id, account.encode("utf-8", "surrogatepass"))
            row = {
                "request_id": request_id,
                "kind": kind.value,
                "person": person_of(act.tx, self._parts.installation_key, account),
                "account": body,
                "key_id": key_id,
                "received_at": utc_text(received_at),
                "due_at": utc_text(due_at),
                "state": "received",
            }
            later = ("verified_at", "decision", "ground", "decided_by", "decided_at", "closed_at")
            act.tx.execute(insert(request), {**row, **dict.fromkeys(later, "")})
            _entry(act, request_id, "request.add", kind.value)
        return request_id

    def verify_identity(self, request_id: str, *, at: datetime, by: str) -> None:
        """Who asks proved to be the account's holder; a withdrawal counts from now on. TransitionError if too late."""
        with self._parts.journal.act(by) as act:
            _step(act, request_id, ("received",), state="verified", verified_at=utc_text(at))
            _entry(act, request_id, "request.verify")

    def decide(self, request_id: str, decision: str, ground: str, *, by: str, person_id: str) -> None:
        """Decide once: "accepted" or "refused". Only who was verified is accepted; a stranger can be refused.

        Raises TransitionError otherwise.
        """
        if decision not in (ACCEPTED, REFUSED):
            raise TransitionError(f"a request is {ACCEPTED} or {REFUSED}, not {decision!r}")
        with self._parts.journal.act(by) as act:
            states = ("verified",) if decision == ACCEPTED else ("received", "verified")
            said = {"decision": decision, "ground": ground, "decided_by": person_id, "decided_at": act.at}
            _step(act, request_id, states, state="decided", **said)
            _entry(act, request_id, "request.decide", decision)

    def note(self, request_id: str, items: Sequence[Item], *, by: str) -> None:
        """Write down what became of incidents under a request that is not closed. Raises TransitionError otherwise."""
        with self._parts.journal.act(by) as act:
            row = _row(act.tx, request_id)
            if row.state == "done":
                raise TransitionError(f"request {request_id} was closed at {row.closed_at}")
            if not items:
                return
            rows = [
                {"incident_id": i, "party": party.value, "outcome": outcome.value, "ground": ground}
                for i, party, outcome, ground in items
            ]
            act.tx.execute(insert(request_item), [{**r, "request_id": request_id, "at": act.at} for r in rows])
            _entry(act, request_id, "request.note")

    def close(self, request_id: str, *, by: str) -> None:
        """End a decided request and forget whose it was; TransitionError if it is not decided.

        A crash leaves it decided, and closing it again ends it. A withdrawal that was not refused is honoured for ever.
        """
        with self._parts.journal.act(by) as act:
            _step(act, request_id, ("decided",), state="done", closed_at=act.at)
            row = _row(act.tx, request_id)
            forget(act.tx, row.person)
            _entry(act, request_id, "request.close")
            self._parts.keys.destroy(row.key_id)

    def get(self, request_id: str) -> RequestView:
        """One request; WatchkeepError if there is none with this id."""
        with self._parts.catalog.read() as tx:
            return _view(tx, _row(tx, request_id))

    def all(self) -> tuple[RequestView, ...]:
        """All requests in the order of their receipt."""
        with self._parts.catalog.read() as tx:
            rows = tx.execute(select(request).order_by(request.c.received_at, request.c.request_id)).all()
            return tuple(_view(tx, row) for row in rows)

    def account(self, request_id: str) -> str:
        """Whose request it is; KeyDestroyedError once it was closed."""
        with self._parts.catalog.read() as tx:
            row = _row(tx, request_id)
        return self._parts.keys.unwrap(row.key_id, row.account).decode("utf-8", "surrogatepass")

    def incidents_of(self, account: str) -> tuple[tuple[str, Party], ...]:
        """Every incident that involves the account, and as which party; what was erased names nobody any more."""
        with self._parts.catalog.read() as tx:
            person = person_of(tx, self._parts.installation_key, account, False)
            if person == UNKNOWN:
                return ()
            query = select(involved).where(involved.c.person == person)
            rows = tx.execute(query.order_by(involved.c.incident_id, involved.c.party.desc()))
            return tuple((row.incident_id, Party(row.party)) for row in rows)

    def restrict(self, incidents: Sequence[str], ground: str, by: str) -> None:
        """Restrict what is still there and not restricted yet; only people for the law's and the persons' sake read it.

        Nothing ever lifts a restriction.
        """
        with self._parts.journal.act(by) as act:
            there = still_there(act.tx, incidents)
            open_ones = [i for ids in batches(there) for i in _unrestricted(act.tx, ids)]
            touch(act, open_ones, "incident.restrict", reason=ground, recall=False, values={"restricted": True})


def _unrestricted(tx: Connection, ids: Sequence[str]) -> list[str]:
    query = select(incident.c.incident_id).where(incident.c.incident_id.in_(ids), ~incident.c.restricted)
    return list(tx.execute(query.order_by(incident.c.incident_id)).scalars())


def _step(act: Act, request_id: str, states: Sequence[str], **values: str) -> None:
    row = _row(act.tx, request_id)
    if row.state not in states:
        raise TransitionError(f"request {request_id} is {row.state}: it has to be {' or '.join(states)} first")
    act.tx.execute(update(request).where(request.c.request_id == request_id).values(values))


def _entry(act: Act, request_id: str, verb: str, reason: str = "") -> None:
    subject = f"request:{request_id}"
    act.record(verb, subject, reason=reason, after=state_of(act.tx, subject))


def _row(tx: Connection, request_id: str) -> Any:
    row = tx.execute(select(request).where(request.c.request_id == request_id)).first()
    if row is None:
        raise WatchkeepError(f"there is no request {request_id}: see watchkeep requests list")
    return row


def _view(tx: Connection, row: Any) -> RequestView:
    items = select(request_item).where(request_item.c.request_id == row.request_id).order_by(request_item.c.number)
    return RequestView(
        request_id=row.request_id,
        kind=RequestKind(row.kind),
        person=row.person,
        received_at=utc_parse(row.received_at),
        due_at=utc_parse(row.due_at),
        verified_at=_time(row.verified_at),
        state=row.state,
        decision=row.decision,
        ground=row.ground,
        decided_by=row.decided_by,
        decided_at=_time(row.decided_at),
        closed_at=_time(row.closed_at),
        items=tuple(
            ItemView(
                incident_id=item.incident_id,
                party=Party(item.party),
                outcome=Outcome(item.outcome),
                ground=item.ground,
                at=utc_parse(item.at),
            )
            for item in tx.execute(items)
        ),
    )


def _time(text: str) -> datetime | None:
    return utc_parse(text) if text else None
