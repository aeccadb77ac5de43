"""Where a request stands: who agreed, whose word counts, and what is still missing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pipeline.core.approval import Params
from pipeline.core.clock import utc_parse
from pipeline.core.errors import IntegrityError
from pipeline.core.ids import digest_of
from pipeline.core.person import Role
from pipeline.people import rows
from pipeline.people.account import Account, Audited, subject_of
from pipeline.people.database import Transaction, approval_request, vote


class State(StrEnum):
    """What may still become of a request."""

    WAITING = "waiting"
    APPROVED = "approved"
    """Complete, and not carried out yet."""
    CARRIED_OUT = "carried out"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """Somebody agreed. `counts` is false for who, by now, could not agree any more; `why` says so."""

    person_id: str
    at: datetime
    why: str

    @property
    def counts(self) -> bool:
        """True if they still might agree."""
        return not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A request as it is now; persons are ids, times aware UTC."""

    request_id: str
    act: str
    params: Params
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    needed: int
    roles: frozenset[Role]
    votes: tuple[Vote, ...]
    refused_by: str
    reason: str
    state: State

    @property
    def missing(self) -> int:
        """How many more people it takes."""
        return max(0, self.needed - sum(v.counts for v in self.votes))

    def takes(self) -> str:
        """What it takes, in words."""
        people = "one other person" if self.needed == 1 else f"{self.needed} other people"
        return f"it takes {people} with the role {' or '.join(sorted(self.roles))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms a word counts: for how long somebody new waits, and what the audit chain says of them."""

    wait: timedelta
    audited: Audited

    def hindrance(self, account: Account, request: Standing, now: datetime) -> str:
        """Why this account may not agree to the request at `now`, or ""."""
        facts = {
            "they asked for it": account.person_id == request.requested_by,
            "it is about them": account.person_id == request.params.get("person"),
            "their account is disabled": account.disabled_at is not None,
            "their account was changed without an audit entry": account.digest()
            != self.audited(subject_of(account.person_id)),
        }
        if why := next((words for words, so in facts.items() if so), ""):
            return why
        suitable = request.roles & account.grants.keys()
        if not suitable:
            return request.takes()
        free_at = min(account.since(role) for role in suitable) + self.wait
        if now < free_at:
            return f"newly appointed, reset or enabled, they may from {free_at:%Y-%m-%d %H:%M} UTC on"
        return ""


def standing_of(tx: Transaction, row: Any, terms: Terms, now: datetime) -> Standing:
    """The request of a row, with its votes looked at as of `now`."""
    try:
        bare = Standing(
            request_id=row.request_id,
            act=row.act,
            params=json.loads(row.params),
            requested_by=row.requested_by,
            requested_at=utc_parse(row.requested_at),
            expires_at=utc_parse(row.expires_at),
            needed=row.needed,
            roles=frozenset(Role(role) for role in row.roles.split()),
            votes=(),
            refused_by=row.refused_by,
            reason=row.reason,
            state=State.WAITING,
        )
        said = tx.execute(vote.select().where(vote.c.request_id == row.request_id).order_by(vote.c.at)).all()
        votes = tuple(_vote(tx, v, bare, terms, now) for v in said)
    except (ValueError, TypeError) as error:
        raise IntegrityError(
            f"people: request {row.request_id} holds what watchkeep never writes ({error}): ask anew"
        ) from error
    return _with(bare, votes, row.spent_at, row.refused_at, now)


def _vote(tx: Transaction, row: Any, request: Standing, terms: Terms, now: datetime) -> Vote:
    account = rows.account(tx, row.person_id)
    why = terms.hindrance(account, request, now) if account else "they are not there any more"
    return Vote(person_id=row.person_id, at=utc_parse(row.at), why=why)


def _with(bare: Standing, votes: tuple[Vote, ...], spent_at: str, refused_at: str, now: datetime) -> Standing:
    if spent_at:
        state = State.CARRIED_OUT
    elif refused_at:
        state = State.REFUSED
    elif not bare.requested_at <= now < bare.expires_at:
        state = State.EXPIRED
    else:
        state = State.APPROVED if sum(v.counts for v in votes) >= bare.needed else State.WAITING
    return replace(bare, votes=votes, state=state)


def digest_of_request(tx: Transaction, request_id: str) -> str:
    """sha256 hex over a request and who agreed to it; that it was carried out is the vault's to know."""
    row = tx.execute(approval_request.select().where(approval_request.c.request_id == request_id)).one()
    votes = tx.execute(vote.select().where(vote.c.request_id == request_id).order_by(vote.c.person_id)).all()
    fields = [str(value) for name, value in row._mapping.items() if name != "spent_at"]
    return digest_of([*fields, *(f"{v.person_id} {v.at}" for v in votes)])
