"""Acts that one person asks for and others approve, each logged in as themselves.

What can be checked is checked when somebody approves and again when the act is to be carried out: different people, by
their ids; none who asked, none whom it is about; a role they have now, and have had for a while; a request that is not
expired, refused or carried out, and is as its last audit entry left it. Whether two accounts are two people nobody can
check from here. Refuses to know what the acts do.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta

from pipeline.core.approval import Approval, Params, params_digest
from pipeline.core.clock import utc_text
from pipeline.core.errors import ApprovalError, IntegrityError, PermissionRefused, WatchkeepError
from pipeline.core.person import Person, Role
from pipeline.core.ports import Clock
from pipeline.people import rows
from pipeline.people.account import Audited, Change, Enter
from pipeline.people.database import Database, Transaction, approval_request, vote
from pipeline.people.requirements import REQUIREMENTS
from pipeline.people.standing import Standing, State, Terms, digest_of_request, standing_of


class Approvals:
    """The requests in the database of people. `valid` and `wait` are of the rules in force.

    `enter` is called inside a transaction of the database: never call these methods inside an act of the vault.
    """

    def __init__(
        self, database: Database, clock: Clock, *, audited: Audited, valid: timedelta, wait: timedelta
    ) -> None:
        self._database = database
        self._clock = clock
        self._audited = audited
        self._valid = valid
        self._terms = Terms(wait=wait, audited=audited)

    def request(
        self, act: str, params: Params, by: Person, *, needed: int, roles: frozenset[Role], enter: Enter
    ) -> str:
        """Ask for `needed` people with one of `roles` to agree to `act` with exactly `params`; the request's id."""
        if needed < 1 or not roles:
            raise ValueError("an act that nobody has to approve needs no request")
        now, request_id = self._clock.now(), secrets.token_hex(8)
        row = {
            "request_id": request_id,
            "act": act,
            "params": json.dumps(dict(params), sort_keys=True, ensure_ascii=False),
            "digest": params_digest(act, params),
            "requested_by": by.person_id,
            "requested_at": utc_text(now),
            "expires_at": utc_text(now + self._valid),
            "needed": needed,
            "roles": " ".join(sorted(roles)),
            "refused_by": "",
            "refused_at": "",
            "reason": "",
            "spent_at": "",
        }
        with self._database.write() as tx:
            tx.execute(approval_request.insert(), row)
            self._enter(tx, "approval.request", request_id, act, enter)
        return request_id

    def approve(self, request_id: str, by: Person, *, enter: Enter) -> Standing:
        """`by` agrees; where the request stands now. Raises ApprovalError or PermissionRefused for who may not.

        Who agreed before may ask again whether it is complete: an act that failed half-way is tried anew that way.
        """
        with self._database.write() as tx:
            now = self._clock.now()
            found = self._open(tx, request_id)
            if by.person_id in (v.person_id for v in found.votes):
                if found.state is State.APPROVED:
                    return found
                raise ApprovalError(f"{by.name} approved request {request_id} already: it takes somebody else")
            account = rows.account(tx, by.person_id)
            if account is None:
                raise PermissionRefused(f"{by.name} has no account here")
            if why := self._terms.hindrance(account, found, now):
                raise PermissionRefused(f"{by.name} may not approve request {request_id}: {why}")
            said = {"request_id": request_id, "person_id": by.person_id, "at": utc_text(now)}
            tx.execute(vote.insert(), said)
            self._enter(tx, "approval.approve", request_id, found.act, enter)
            return self._standing(tx, request_id)

    def refuse(self, request_id: str, by: Person, why: str, *, enter: Enter) -> Standing:
        """Nobody may approve it any more. Who asked may withdraw it, and anybody with one of its roles refuse it."""
        if not why.strip():
            raise WatchkeepError("a refusal says why: give the reason")
        with self._database.write() as tx:
            found = self._open(tx, request_id)
            if by.person_id != found.requested_by:
                account = rows.account(tx, by.person_id)
                if account is None or account.disabled_at or found.roles.isdisjoint(account.grants):
                    raise PermissionRefused(f"{by.name} may not refuse request {request_id}: {found.takes()}")
            of_it = approval_request.update().where(approval_request.c.request_id == request_id)
            now = utc_text(self._clock.now())
            tx.execute(of_it.values(refused_by=by.person_id, refused_at=now, reason=why))
            self._enter(tx, "approval.refuse", request_id, found.act, enter)
            return self._standing(tx, request_id)

    def all(self) -> tuple[Standing, ...]:
        """Every request, newest first."""
        c = approval_request.c
        with self._database.read() as tx:
            order = approval_request.select().order_by(c.requested_at.desc(), c.request_id)
            return tuple(standing_of(tx, row, self._terms, self._clock.now()) for row in tx.execute(order).all())

    def one(self, beginning: str) -> Standing:
        """The request whose id begins so; WatchkeepError if there is none, or more than one."""
        matching = [s for s in self.all() if beginning and s.request_id.startswith(beginning)]
        if len(matching) != 1:
            many = "several requests begin" if matching else "no request begins"
            raise WatchkeepError(f"{many} with {beginning!r}: `watchkeep approvals list` names them")
        return matching[0]

    def ready(self, request_id: str) -> tuple[Approval, str, Params]:
        """The approval, the act and its parameters, all people being looked at again. ApprovalError if not complete."""
        with self._database.read() as tx:
            found = self._open(tx, request_id)
        if found.state is not State.APPROVED:
            raise ApprovalError(f"request {request_id} is not approved: {found.takes()}")
        approval = Approval(
            approval_id=found.request_id,
            act=found.act,
            digest=params_digest(found.act, found.params),
            requested_by=found.requested_by,
            approved_by=tuple(v.person_id for v in found.votes if v.counts),
            requested_at=found.requested_at,
            expires_at=found.expires_at,
        )
        return approval, found.act, found.params

    def spent(self, request_id: str) -> None:
        """The act was carried out. That it happens once is the vault's to see to; this is for the list."""
        with self._database.write() as tx:
            of_it = approval_request.update().where(
                approval_request.c.request_id == request_id, approval_request.c.spent_at == ""
            )
            tx.execute(of_it.values(spent_at=utc_text(self._clock.now())))

    def problem(self, standing: Standing) -> str:
        """Why this request is not as its last audit entry left it, in one sentence, or ""."""
        with self._database.read() as tx:
            return self._problem(tx, standing.request_id)

    def _open(self, tx: Transaction, request_id: str) -> Standing:
        found = self._standing(tx, request_id)
        if problem := self._problem(tx, request_id):
            raise IntegrityError(problem)
        closed = {
            State.REFUSED: f"was refused: {found.reason}",
            State.CARRIED_OUT: "was carried out",
            State.EXPIRED: f"expired at {utc_text(found.expires_at)}",
        }
        if found.state in closed:
            raise ApprovalError(f"request {request_id} {closed[found.state]}; ask anew if it is still wanted")
        return found

    def _standing(self, tx: Transaction, request_id: str) -> Standing:
        row = tx.execute(approval_request.select().where(approval_request.c.request_id == request_id)).first()
        if row is None:
            raise ApprovalError(f"there is no request {request_id}: `watchkeep approvals list` names them")
        return standing_of(tx, row, self._terms, self._clock.now())

    def _problem(self, tx: Transaction, request_id: str) -> str:
        if digest_of_request(tx, request_id) == self._audited(_subject(request_id)):
            return ""
        return (
            f"people: request {request_id} is not as its last audit entry left it (a crash, or somebody else's hand): "
            "ask anew"
        )

    def _enter(self, tx: Transaction, verb: str, request_id: str, act: str, enter: Enter) -> None:
        """The entry is in the chain before the transaction is."""
        discreet = act in REQUIREMENTS and REQUIREMENTS[act].discreet
        after = digest_of_request(tx, request_id)
        enter(Change(subject=_subject(request_id), verb=verb, words="" if discreet else act, after=after))


def _subject(request_id: str) -> str:
    return f"approval:{request_id}"
