"""How an account changes: one change at a time, written down in the audit chain before it is made.

A change is laid down as pending, entered in the chain, then made. After a crash at any point the next opening makes it
if the chain has it, and forgets it if not; so chain and accounts agree, and a disagreement is somebody else's doing.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.clock import utc_text
from pipeline.core.errors import ApprovalError, IntegrityError
from pipeline.core.ports import Clock
from pipeline.people import rows
from pipeline.people.account import Account, Audited, Change, Enter, subject_of
from pipeline.people.appointing import check_change
from pipeline.people.database import Database, Transaction, approval_request, pending

Make = Callable[[Transaction], Account]
"""Reads the database as it is, and says how the account is to be; refuses by raising."""


class Changes:
    """The only way to write an account."""

    def __init__(self, database: Database, clock: Clock, audited: Audited) -> None:
        self._database = database
        self._clock = clock
        self._audited = audited

    def settle(self) -> None:
        """Finish what a crash left; waits for a change that another process is making."""
        with self._database.read() as tx:
            if tx.execute(pending.select()).first() is None:
                return
        with self._database.alone():
            self._settle()

    def problem(self, account: Account) -> str:
        """Why this account is not as its last audit entry left it, in one sentence, or ""."""
        if account.digest() == self._audited(subject_of(account.person_id)):
            return ""
        return (
            f"people: the account of {account.name} was changed without an audit entry: restore the people folder, "
            "and find out who can write there"
        )

    def carry_out(self, verb: str, words: str, make: Make, enter: Enter, approval_id: str = "") -> Change:
        """Do what `make` says; the approval that permits it, if any, is spent with it.

        Raises what `make`, `check_change` and `enter` raise, ApprovalError for an approval that is spent.
        """
        with self._database.alone():
            self._settle()
            with self._database.write() as tx:
                account = make(tx)
                check_change(rows.accounts(tx), account)
                if (before := rows.account(tx, account.person_id)) and (problem := self.problem(before)):
                    raise IntegrityError(problem)
                _check_unspent(tx, approval_id)
                row = {"person_id": account.person_id, "body": account.to_json(), "approval_id": approval_id}
                tx.execute(pending.insert(), row)
            change = Change(subject=subject_of(account.person_id), verb=verb, words=words, after=account.digest())
            enter(change)
            with self._database.write() as tx:
                self._make(tx, account, approval_id)
                tx.execute(pending.delete())
        return change

    def _settle(self) -> None:
        with self._database.write() as tx:
            for row in tx.execute(pending.select()).all():
                account = Account.from_json(row.body)
                if self._audited(subject_of(account.person_id)) == account.digest():
                    self._make(tx, account, row.approval_id)
            tx.execute(pending.delete())

    def _make(self, tx: Transaction, account: Account, approval_id: str) -> None:
        rows.put(tx, account)
        if approval_id:
            of_it = approval_request.update().where(approval_request.c.request_id == approval_id)
            tx.execute(of_it.values(spent_at=utc_text(self._clock.now())))


def _check_unspent(tx: Transaction, approval_id: str) -> None:
    if not approval_id:
        return
    row = tx.execute(approval_request.select().where(approval_request.c.request_id == approval_id)).first()
    if row is None or row.spent_at:
        raise ApprovalError(f"approval {approval_id} is not there or was used: ask anew")
