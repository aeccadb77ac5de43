"""People of an installation: who somebody is, and what they ask each other to agree to.

Joins the accounts with the vault's audit chain: every change is entered there first, and an account or request that is
not as its last entry left it is found. `prove` is what the console calls; `authenticate` asks at the shell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.terminal import passphrase_of
from pipeline.core.approval import Approval, Params
from pipeline.core.clock import utc_text
from pipeline.core.errors import ConfigError
from pipeline.core.person import Person
from pipeline.people.account import Audited, Change, Enter
from pipeline.people.accounts import People
from pipeline.people.appointing import OFFICERS, founding
from pipeline.people.approvals import Approvals
from pipeline.people.database import FILE
from pipeline.people.lockout import LogInRefused
from pipeline.people.requirements import USER_GRANT, required
from pipeline.people.standing import Standing
from pipeline.retention.rules import Rules
from pipeline.vault.approved import spend
from pipeline.vault.audit import last_state, subjects
from pipeline.vault.vault import Vault

Told = dict[str, Any]


def folder_of(installation: Installation) -> Path:
    """Where the accounts lie."""
    return installation.home.root / "people"


def anybody(installation: Installation) -> bool:
    """True if the home has accounts, or had."""
    return (folder_of(installation) / FILE).exists()


@contextmanager
def open_people(installation: Installation, vault: Vault) -> Iterator[People]:
    """The accounts of a home, held against its audit chain."""
    people = People(folder_of(installation), installation.clock, audited=audited(vault))
    try:
        yield people
    finally:
        people.close()


def audited(vault: Vault) -> Audited:
    """What the chain says of a subject last."""

    def last(subject: str) -> str:
        with vault.parts.catalog.read() as tx:
            return last_state(tx, subject)

    return last


def entering(vault: Vault, by: str, *, verb: str = "") -> Enter:
    """Changes are entered as acts of `by`; under `verb`, if one is given, with their own in the reason."""

    def enter(change: Change) -> None:
        with vault.parts.journal.act(by) as act:
            words = f"{change.verb}: {change.words}" if verb else change.words
            act.record(verb or change.verb, change.subject, reason=words, after=change.after)

    return enter


def entering_approved(vault: Vault, by: str, approval: Approval, params: Params) -> Enter:
    """As `entering`; the approval is spent in the same transaction of the catalog."""

    def enter(change: Change) -> None:
        with vault.parts.journal.act(by) as act:
            spend(act, approval, USER_GRANT, params, approvers=required(USER_GRANT).needed)
            words = f"{change.words}, approval {approval.approval_id}"
            act.record(change.verb, change.subject, reason=words, after=change.after)

    return enter


def authenticate(installation: Installation, name: str) -> Person:
    """Who `name` is, by WATCHKEEP_PASSPHRASE or by asking on the terminal. Raises as `prove` does."""
    if not anybody(installation):
        raise ConfigError(
            f"nobody has an account in {installation.home.root} yet: `watchkeep users add` makes the first"
        )
    return prove(installation, name, passphrase_of(name))


def prove(installation: Installation, name: str, passphrase: str) -> Person:
    """Who this is. Raises LogInRefused for a wrong name or passphrase, a lock-out, a disabled account.

    Raises IntegrityError for an account that was changed behind the audit chain's back. A lock-out has its entry.
    """
    with installation.vault() as vault, open_people(installation, vault) as people:
        try:
            person = people.authenticate(name, passphrase)
        except LogInRefused as refused:
            if refused.locked_until is not None:
                with vault.parts.journal.act(actor()) as act:
                    until = f"too many wrong passphrases: locked until {utc_text(refused.locked_until)}"
                    act.record("user.lock_out", f"person:{refused.person_id or 'unknown'}", reason=until)
            raise
        people.strengthen(person.person_id, passphrase, enter=entering(vault, person.actor))
        return person


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreeing:
    """The requests of a home, each act of a person on them entered in the audit chain."""

    approvals: Approvals
    vault: Vault
    names: Mapping[str, str]
    """By person id."""

    def ask(self, act: str, params: Params, *, by: Person) -> Told:
        """File a request for `act` with exactly `params`; `request` is its id."""
        takes = required(act)
        request_id = self.approvals.request(
            act, params, by, needed=takes.needed, roles=takes.roles, enter=entering(self.vault, by.actor)
        )
        told = self.told(self.approvals.one(request_id))
        return {**told, "words": f"{told['takes']}: watchkeep approvals approve {request_id} --as NAME"}

    def seen_by(self, person: Person) -> list[Standing]:
        """What they asked for or may have a say in, newest first; of anything else nobody learns that it is there."""
        return [s for s in self.approvals.all() if s.requested_by == person.person_id or s.roles & person.roles]

    def named(self, beginning: str, person: Person) -> Standing:
        """The request that they see and whose id begins so; ConfigError if there is none or more than one."""
        matching = [s for s in self.seen_by(person) if beginning and s.request_id.startswith(beginning)]
        if len(matching) != 1:
            many = "several requests begin" if matching else "no request begins"
            raise ConfigError(f"{many} with {beginning!r}: `watchkeep approvals list` names those that you may see")
        return matching[0]

    def told(self, found: Standing) -> Told:
        """A request as plain JSON values."""
        return {
            "request": found.request_id,
            "state": found.state.value,
            "act": found.act,
            "params": dict(found.params),
            "asked_by": self._name(found.requested_by),
            "asked_at": utc_text(found.requested_at),
            "expires_at": utc_text(found.expires_at),
            "takes": found.takes(),
            "missing": found.missing,
            "approved_by": [
                {"name": self._name(v.person_id), "at": utc_text(v.at), "counts": v.counts, "why_not": v.why}
                for v in found.votes
            ],
            "refused_by": self._name(found.refused_by) if found.refused_by else "",
            "reason": found.reason,
            "about": self._name(str(found.params["person"])) if "person" in found.params else "",
        }

    def _name(self, person_id: str) -> str:
        return self.names.get(person_id, person_id)


@contextmanager
def open_approvals(installation: Installation, vault: Vault, rules: Rules) -> Iterator[Agreeing]:
    """The requests of a home, on the terms of the rules in force."""
    with open_people(installation, vault) as people:
        approvals = Approvals(
            people.database,
            installation.clock,
            audited=audited(vault),
            valid=rules.dual_control.valid,
            wait=rules.dual_control.new_approver_waits,
        )
        yield Agreeing(approvals=approvals, vault=vault, names={a.person_id: a.name for a in people.all()})


def account_problems(vault: Vault, people: People) -> list[str]:
    """Every account that is not as its last audit entry left it, or is not there any more, one sentence each."""
    known = people.all()
    ids = {f"person:{a.person_id}" for a in known}
    with vault.parts.catalog.read() as tx:
        gone = [subject for subject in subjects(tx, "person") if subject not in ids]
    return [problem for a in known if (problem := people.problem(a))] + [
        f"people: the account of {subject} is gone, and nobody is ever removed: restore the people folder"
        for subject in gone
    ]


def person_problems(installation: Installation, vault: Vault, rules: Rules) -> list[str]:
    """Every account and request that is not as its last audit entry left it, one sentence each."""
    if not anybody(installation):
        with vault.parts.catalog.read() as tx:
            gone = next(subjects(tx, "person"), "")
        return [f"people: {folder_of(installation)} is gone: restore it from a backup"] if gone else []
    with open_people(installation, vault) as people:
        problems = account_problems(vault, people)
    with open_approvals(installation, vault, rules) as agreeing:
        return problems + [p for s in agreeing.approvals.all() if (p := agreeing.approvals.problem(s))]


def person_notes(installation: Installation, vault: Vault) -> list[str]:
    """What is worth knowing of who is there: too few to agree on anything, or to replace one of them."""
    if not anybody(installation):
        return ["nobody has an account: acts that take people wait for `watchkeep users add`"]
    with open_people(installation, vault) as people:
        able = sum(a.disabled_at is None and not OFFICERS.isdisjoint(a.grants) for a in people.all())
        if founding(people.all()):
            return [f"{able} of two officers: until there are two, whoever owns the home appoints anybody"]
    if able < 3:
        return [f"only {able} officers can approve: if one loses a passphrase nobody can reset it; appoint a third"]
    return []
