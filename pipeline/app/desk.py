"""A desk over an installation: its vault opened, with the rules in force, for one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.app.look import open_vault
from pipeline.app.people import authenticate
from pipeline.config.retention_file import parse_rules
from pipeline.config.settings import Mode
from pipeline.core.errors import ConfigError, SealError
from pipeline.core.person import Person
from pipeline.custody.desk import Desk, Judged
from pipeline.custody.explain import sees_all
from pipeline.retention.rules import Rules
from pipeline.vault.cases import Cases
from pipeline.vault.holds import Holds
from pipeline.vault.rule_sets import RuleSets
from pipeline.vault.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """A desk, the installation it stands in, and who sits at it (None: only the operating system's user)."""

    installation: Installation
    desk: Desk
    person: Person | None

    @property
    def actor(self) -> str:
        """How the audit chain names who acts."""
        return self.person.actor if self.person else actor()

    @property
    def by(self) -> Person:
        """The person who acts; ConfigError where nobody said who they are."""
        if self.person is None:
            raise ConfigError("this takes a person: say who you are with --as NAME (watchkeep users list)")
        return self.person


@contextmanager
def sitting(home: Home, name: str | None = None) -> Iterator[Sitting]:
    """Open the vault of `home` and, with a `name`, ask that person's passphrase first."""
    installation = Installation.open(home)
    person = authenticate(installation, name) if name else None
    with open_vault(installation) as vault:
        yield Sitting(installation=installation, desk=desk_of(installation, vault), person=person)


def desk_of(installation: Installation, vault: Vault) -> Desk:
    """The desk of an open vault."""
    return Desk(
        vault=vault,
        rules=rules_in_force(installation, vault),
        categories={
            c.id: Judged(severity=c.severity, retention_class=c.retention_class)
            for c in installation.taxonomy.categories.values()
        },
        production=in_production(installation),
        clock=installation.clock,
    )


def rules_in_force(installation: Installation, vault: Vault) -> Rules:
    """The rules that the vault holds; the configured file becomes the first ones."""
    held = RuleSets(vault.parts).current()
    if held is None:
        path = installation.settings.files.retention
        body = path.read_text(encoding="utf-8")
        first = parse_rules(body, str(path), production=in_production(installation))
        try:
            held = RuleSets(vault.parts).take_first(path.name, body, by=actor())
        except SealError:
            return first  # a full disk keeps nobody from reading; whatever would write is refused by itself
    return parse_rules(held.body, held.name, production=in_production(installation))


def in_production(installation: Installation) -> bool:
    """True where what is unverified may not destroy."""
    return installation.settings.mode is Mode.PRODUCTION


def named(here: Sitting, incident_id: str) -> str:
    """The whole id of an incident from its beginning; ConfigError if none or several begin so.

    One that would tell of a confidential hold is not there for those who may not know of it.
    """
    hidden = frozenset[str]() if sees_all(here.person) else Holds(here.desk.parts).hidden()
    known = Cases(here.desk.parts).beginning(incident_id) if incident_id else ()
    found = [i for i in known if i not in hidden]
    if len(found) == 1:
        return found[0]
    several = "several incidents begin" if found else "no incident begins"
    raise ConfigError(f"{several} with {incident_id!r}: `watchkeep incidents list` names them")


YEARS = range(1970, 3000)
"""Of times that people give; anything else is a slip, and what is written down stays."""


def moment_of(text: str, *, end: bool = False) -> datetime:
    """A day ("2026-11-22", UTC; its last moment if `end`) or an ISO 8601 time with its zone, as aware UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no time: write 2026-11-22, or 2026-11-22T14:30:00+01:00") from None
    if found.year not in YEARS:
        raise ConfigError(f"{text!r} is no time that anything here happens at: give a year from 1970 to 2999")
    if len(text) == 10:
        start = found.replace(tzinfo=UTC)
        return start + timedelta(days=1) if end else start
    if found.utcoffset() is None:
        raise ConfigError(f"{text!r} has no zone: write Z, or +01:00, behind it")
    return found.astimezone(UTC)
