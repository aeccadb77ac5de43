"""People: their accounts, and logging in.

An account that is not as its last audit entry left it logs nobody in. Refuses to know who may change what (that is
`app`'s to ask of `appointing`), and never hands out a passphrase or what is kept of it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipeline.core.clock import utc_text
from pipeline.core.errors import IntegrityError, WatchkeepError
from pipeline.core.person import Person, Role
from pipeline.core.ports import Clock
from pipeline.people import rows
from pipeline.people.account import Account, Audited, Change, Enter, check_name
from pipeline.people.changes import Changes
from pipeline.people.database import Database, Transaction, candidate
from pipeline.people.lockout import Attempts, LogInRefused, slot_of, wrong
from pipeline.people.passphrases import RFC_9106, Cost, Passphrases, check_passphrase

CANDIDATES_KEPT = timedelta(days=30)
"""How long a passphrase that was handed in waits for its approval at most."""


class People:
    """The accounts in `folder`. `audited` tells what the audit chain says of each last; close after use."""

    def __init__(self, folder: Path, clock: Clock, *, audited: Audited, cost: Cost = RFC_9106) -> None:
        self.database = Database(folder)
        self._clock = clock
        self._passphrases = Passphrases(cost)
        self._attempts = Attempts(self.database)
        self._changes = Changes(self.database, clock, audited)
        self._changes.settle()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def all(self) -> tuple[Account, ...]:
        """Every account there ever was, by name."""
        with self.database.read() as tx:
            return rows.accounts(tx)

    def named(self, name: str) -> Account:
        """The account with this name; WatchkeepError if there is none."""
        with self.database.read() as tx:
            found = rows.account_named(tx, name)
        if found is None:
            raise WatchkeepError(f"there is nobody called {name!r}: `watchkeep users list` names them")
        return found

    def problem(self, account: Account) -> str:
        """Why this account is not as its last audit entry left it, in one sentence, or ""."""
        return self._changes.problem(account)

    def authenticate(self, name: str, passphrase: str) -> Person:
        """Who this is. Raises LogInRefused, in the same words for an unknown name and a wrong passphrase.

        Raises IntegrityError if the account is not as its last audit entry left it.
        """
        with self.database.read() as tx:
            account = rows.account_named(tx, name)
        slot = slot_of(account.person_id if account else None, name)
        locked_until = self._attempts.begin(slot, self._clock.now())
        if account is None:
            self._passphrases.waste(passphrase)
            raise wrong("", locked_until)
        if not self._passphrases.matches(account.passphrase, passphrase):
            raise wrong(account.person_id, locked_until)
        self._attempts.succeed(slot)
        if account.disabled_at is not None:
            raise LogInRefused(f"the account of {account.name} is disabled: an administrator can enable it")
        if problem := self.problem(account):
            raise IntegrityError(problem)
        return account.person

    def add(self, name: str, passphrase: str, roles: Iterable[Role], *, enter: Enter) -> Change:
        """A new person; WatchkeepError if the name is taken, whatever became of who had it."""
        check_name(name)
        check_passphrase(passphrase, name)
        kept = self._passphrases.keep(passphrase)
        wanted = sorted(set(roles))

        def make(tx: Transaction) -> Account:
            if (taken := rows.account_named(tx, name)) is not None:
                raise WatchkeepError(f"there is already a person called {taken.name}: name another")
            now = self._clock.now()
            return Account(
                person_id=secrets.token_hex(8),
                name=name,
                passphrase=kept,
                made_at=now,
                renewed_at=now,
                grants=dict.fromkeys(wanted, now),
            )

        words = " as ".join(filter(None, (f"add {name}", ", ".join(role.value for role in wanted))))
        return self._changes.carry_out("user.add", words, make, enter)

    def grant(self, person_id: str, role: Role, *, enter: Enter, approval_id: str = "") -> Change:
        """The person has the role from now on; WatchkeepError if they have it already."""

        def make(tx: Transaction) -> Account:
            account = _there(tx, person_id)
            if role in account.grants:
                raise WatchkeepError(f"{account.name} has the role {role.value} already")
            return replace(account, grants={**account.grants, role: self._clock.now()})

        return self._changes.carry_out("user.grant", f"grant {role.value}", make, enter, approval_id)

    def revoke(self, person_id: str, role: Role, *, enter: Enter) -> Change:
        """The person has the role no longer; WatchkeepError if they do not have it."""

        def make(tx: Transaction) -> Account:
            account = _there(tx, person_id)
            if role not in account.grants:
                raise WatchkeepError(f"{account.name} does not have the role {role.value}")
            return replace(account, grants={r: at for r, at in account.grants.items() if r is not role})

        return self._changes.carry_out("user.revoke", f"revoke {role.value}", make, enter)

    def disable(self, person_id: str, *, enter: Enter) -> Change:
        """The person logs in no more, and what they approved counts no more; roles stay for when they are enabled."""

        def make(tx: Transaction) -> Account:
            account = _there(tx, person_id)
            if account.disabled_at is not None:
                raise WatchkeepError(f"the account of {account.name} is disabled already")
            return replace(account, disabled_at=self._clock.now())

        return self._changes.carry_out("user.disable", "disable", make, enter)

    def enable(self, person_id: str, *, enter: Enter, approval_id: str = "") -> Change:
        """The person may log in again."""

        def make(tx: Transaction) -> Account:
            account = _there(tx, person_id)
            if account.disabled_at is None:
                raise WatchkeepError(f"the account of {account.name} is not disabled")
            return replace(account, disabled_at=None, renewed_at=self._clock.now())

        return self._changes.carry_out("user.enable", "enable", make, enter, approval_id)

    def reset(self, person_id: str, passphrase: str, *, enter: Enter) -> Change:
        """The person logs in with this passphrase from now on."""
        self._check_new(person_id, passphrase)
        return self._take(person_id, self._passphrases.keep(passphrase), enter)

    def propose(self, person_id: str, passphrase: str) -> str:
        """Keep a passphrase until it is approved; the digest returned stands for it in the request."""
        self._check_new(person_id, passphrase)
        kept, now = self._passphrases.keep(passphrase), self._clock.now()
        digest = hashlib.sha256(kept.encode()).hexdigest()
        with self.database.write() as tx:
            tx.execute(candidate.delete().where(candidate.c.made_at < utc_text(now - CANDIDATES_KEPT)))
            tx.execute(candidate.insert(), {"digest": digest, "passphrase": kept, "made_at": utc_text(now)})
        return digest

    def reset_as_proposed(self, person_id: str, digest: str, *, enter: Enter, approval_id: str) -> Change:
        """The passphrase proposed under `digest` takes effect; WatchkeepError if it is there no more."""
        of_it = candidate.c.digest == digest
        with self.database.read() as tx:
            row = tx.execute(candidate.select().where(of_it)).first()
        if row is None or hashlib.sha256(row.passphrase.encode()).hexdigest() != digest:
            raise WatchkeepError("the passphrase of this request is there no more: reset it anew")
        change = self._take(person_id, row.passphrase, enter, approval_id)
        with self.database.write() as tx:
            tx.execute(candidate.delete().where(of_it))
        return change

    def strengthen(self, person_id: str, passphrase: str, *, enter: Enter) -> Change | None:
        """Keep the passphrase of somebody who just logged in with it at today's cost; None if it is."""
        with self.database.read() as tx:
            was = _there(tx, person_id).passphrase
        if not self._passphrases.outdated(was):
            return None
        kept = self._passphrases.keep(passphrase)

        def make(tx: Transaction) -> Account:
            account = _there(tx, person_id)
            if account.passphrase != was:
                raise WatchkeepError(f"the passphrase of {account.name} was changed meanwhile: log in again")
            return replace(account, passphrase=kept)

        return self._changes.carry_out("user.rehash", "keep the passphrase at today's cost", make, enter)

    def _check_new(self, person_id: str, passphrase: str) -> None:
        with self.database.read() as tx:
            check_passphrase(passphrase, _there(tx, person_id).name)

    def _take(self, person_id: str, kept: str, enter: Enter, approval_id: str = "") -> Change:
        def make(tx: Transaction) -> Account:
            return replace(_there(tx, person_id), passphrase=kept, renewed_at=self._clock.now())

        return self._changes.carry_out("user.reset", "reset the passphrase", make, enter, approval_id)


def _there(tx: Transaction, person_id: str) -> Account:
    found = rows.account(tx, person_id)
    if found is None:
        raise WatchkeepError(f"there is nobody with the id {person_id}: `watchkeep users list` names them")
    return found
