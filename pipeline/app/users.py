"""Who works with this home: adding people, appointing and dismissing them, as plain JSON values.

While the home is being founded (fewer than two officers) whoever owns it appoints anybody. Afterwards an administrator
does, and for the roles that reach what is grave asks two officers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.desk import rules_in_force
from pipeline.app.home import Home
from pipeline.app.people import (
    Told,
    account_problems,
    anybody,
    authenticate,
    entering,
    entering_approved,
    open_approvals,
    open_people,
)
from pipeline.app.terminal import new_passphrase_of
from pipeline.core.approval import Approval, Params
from pipeline.core.clock import utc_text
from pipeline.core.errors import ConfigError, IntegrityError, PermissionRefused, WatchkeepError
from pipeline.core.person import Person, Role
from pipeline.people.account import Account, Change, Enter, check_name
from pipeline.people.accounts import People
from pipeline.people.appointing import OFFICERS, PROTECTED, founding, protected
from pipeline.people.requirements import USER_GRANT
from pipeline.vault.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where people are appointed: `person` is who sits there, None for the operating system's user."""

    installation: Installation
    vault: Vault
    people: People
    person: Person | None

    @property
    def founding(self) -> bool:
        """True while whoever owns the home appoints anybody; IntegrityError if accounts were altered to look so."""
        if not founding(self.people.all()):
            return False
        if problems := account_problems(self.vault, self.people):
            raise IntegrityError(problems[0])
        return True

    @property
    def enter(self) -> Enter:
        """How changes are entered in the audit chain."""
        by = self.person.actor if self.person else actor()
        return entering(self.vault, by, verb="user.bootstrap" if self.founding else "")

    def may(self, act: str, *, protected: bool = False) -> bool:
        """True if it may be done at once, False if two officers have to agree; PermissionRefused if not even that."""
        if self.person is None:
            if not self.founding:
                raise ConfigError("this home has its officers: say who you are with --as NAME")
            if (root := self.installation.home.root).stat().st_uid != os.getuid():
                raise PermissionRefused(f"only who owns {root} appoints the first people: ask them")
            return True
        self.person.need(act, Role.ADMIN, *(OFFICERS if protected else ()))
        return self.founding or not protected

    def ask(self, params: Params) -> Told:
        """Ask two officers."""
        if self.person is None:
            raise ConfigError("a request names who asks: say who you are with --as NAME")
        rules = rules_in_force(self.installation, self.vault)
        with open_approvals(self.installation, self.vault, rules) as agreeing:
            return agreeing.ask(USER_GRANT, params, by=self.person)


@contextmanager
def _office(home: Home, name: str | None) -> Iterator[Office]:
    installation = Installation.open(home)
    person = authenticate(installation, name) if name else None
    with installation.vault() as vault, open_people(installation, vault) as people:
        yield Office(installation=installation, vault=vault, people=people, person=person)


def listed(home: Home) -> list[Told]:
    """Everybody, by name; looking makes nothing where nobody is."""
    if not anybody(Installation.open(home)):
        return []
    with _office(home, None) as office:
        return [_account(a) for a in office.people.all()]


def add(home: Home, name: str, roles: Sequence[Role], *, by: str | None) -> Told:
    """A new person. Roles that take approval are asked for: `requests` are the requests filed."""
    with _office(home, by) as office:
        office.may("add people")
        check_name(name)
        at_once = [r for r in roles if office.founding or r not in PROTECTED]
        done = office.people.add(name, new_passphrase_of(name), at_once, enter=office.enter)
        account = office.people.named(name)
        later = [r for r in dict.fromkeys(roles) if r not in account.grants]
        asked = [office.ask({"person": account.person_id, "role": r.value}) for r in later]
        return _told(account, done, *asked)


def grant(home: Home, name: str, role: Role, *, by: str | None) -> Told:
    """A role more, at once or by request."""
    with _office(home, by) as office:
        account = office.people.named(name)
        if role in account.grants:
            raise WatchkeepError(f"{account.name} has the role {role.value} already")
        if not office.may(f"grant the role {role.value}", protected=role in PROTECTED):
            return _told(account, None, office.ask({"person": account.person_id, "role": role.value}))
        return _told(account, office.people.grant(account.person_id, role, enter=office.enter))


def revoke(home: Home, name: str, role: Role, *, by: str | None) -> Told:
    """A role less, at once."""
    with _office(home, by) as office:
        account = office.people.named(name)
        office.may("revoke a role")
        return _told(account, office.people.revoke(account.person_id, role, enter=office.enter))


def disable(home: Home, name: str, *, by: str | None) -> Told:
    """Nobody logs in under this name until it is enabled."""
    with _office(home, by) as office:
        account = office.people.named(name)
        office.may("disable accounts")
        return _told(account, office.people.disable(account.person_id, enter=office.enter))


def enable(home: Home, name: str, *, by: str | None) -> Told:
    """The account may be used again, at once or by request."""
    with _office(home, by) as office:
        account = office.people.named(name)
        if account.disabled_at is None:
            raise WatchkeepError(f"the account of {account.name} is not disabled")
        if not office.may("enable accounts", protected=protected(account)):
            return _told(account, None, office.ask({"person": account.person_id, "change": "enable"}))
        return _told(account, office.people.enable(account.person_id, enter=office.enter))


def reset(home: Home, name: str, *, by: str | None) -> Told:
    """A new passphrase, at once or by request; everybody may give themselves one."""
    with _office(home, by) as office:
        account = office.people.named(name)
        own = office.person is not None and office.person.person_id == account.person_id
        at_once = own or office.may("reset passphrases", protected=protected(account))
        passphrase = new_passphrase_of(account.name)
        if not at_once:
            digest = office.people.propose(account.person_id, passphrase)
            params: Params = {"person": account.person_id, "change": "reset", "passphrase": digest}
            return _told(account, None, office.ask(params))
        return _told(account, office.people.reset(account.person_id, passphrase, enter=office.enter))


def carry_out_grant(installation: Installation, approval: Approval, params: Params, *, by: Person) -> Told:
    """Do what two officers agreed to; `by` agreed last. The approval is used up with it."""
    person_id, change = str(params["person"]), str(params.get("change", "grant"))
    with installation.vault() as vault, open_people(installation, vault) as people:
        enter = entering_approved(vault, by.actor, approval, params)
        if change == "grant":
            role = Role(str(params["role"]))
            done = people.grant(person_id, role, enter=enter, approval_id=approval.approval_id)
        elif change == "enable":
            done = people.enable(person_id, enter=enter, approval_id=approval.approval_id)
        else:
            digest = str(params["passphrase"])
            done = people.reset_as_proposed(person_id, digest, enter=enter, approval_id=approval.approval_id)
        account = next(a for a in people.all() if a.person_id == person_id)
        return _told(account, done)


def _told(account: Account, done: Change | None, *asked: Told) -> Told:
    return {
        "person_id": account.person_id,
        "name": account.name,
        "done": done.words if done else "",
        "requests": list(asked),
    }


def _account(account: Account) -> Told:
    return {
        "name": account.name,
        "person_id": account.person_id,
        "state": "disabled" if account.disabled_at else "active",
        "roles": sorted(role.value for role in account.grants),
        "made_at": utc_text(account.made_at),
        "renewed_at": utc_text(account.renewed_at),
    }
