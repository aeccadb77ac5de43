"""Accounts as values: one person, under one id and one name for ever."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import WatchkeepError
from pipeline.core.ids import digest_of
from pipeline.core.person import Person, Role

LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an audit entry says before it is done: `after` is the digest of what `subject` names, as it will be."""

    subject: str
    verb: str
    words: str
    after: str


Enter = Callable[[Change], None]
"""Writes a change down in the audit chain, durable before it returns; `app` makes it."""

Audited = Callable[[str], str]
"""The digest in the last audit entry on a subject, "" if there is none."""


def subject_of(person_id: str) -> str:
    """How the audit chain names an account."""
    return f"person:{person_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person's account; times are aware UTC. `grants` says since when they have each role."""

    person_id: str
    name: str
    passphrase: str = field(repr=False)
    made_at: datetime
    renewed_at: datetime
    disabled_at: datetime | None = None
    grants: Mapping[Role, datetime]

    @property
    def person(self) -> Person:
        """Who logged in."""
        return Person(person_id=self.person_id, name=self.name, roles=frozenset(self.grants))

    def since(self, role: Role) -> datetime:
        """Since when this account, as it is, has had the role: the latest of grant, reset and re-enabling."""
        return max(self.grants[role], self.renewed_at)

    def digest(self) -> str:
        """sha256 hex over everything in it: two accounts that differ anywhere differ here."""
        grants = sorted(f"{role.value} {utc_text(at)}" for role, at in self.grants.items())
        disabled = utc_text(self.disabled_at) if self.disabled_at else ""
        times = (utc_text(self.made_at), utc_text(self.renewed_at), disabled)
        return digest_of((self.person_id, self.name, self.passphrase, *times, *grants))

    def to_json(self) -> str:
        """All of it, for `from_json`."""
        return json.dumps(
            {
                "person_id": self.person_id,
                "name": self.name,
                "passphrase": self.passphrase,
                "made_at": utc_text(self.made_at),
                "renewed_at": utc_text(self.renewed_at),
                "disabled_at": utc_text(self.disabled_at) if self.disabled_at else "",
                "grants": {role.value: utc_text(at) for role, at in self.grants.items()},
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        said = json.loads(text)
        return cls(
            person_id=said["person_id"],
            name=said["name"],
            passphrase=said["passphrase"],
            made_at=utc_parse(said["made_at"]),
            renewed_at=utc_parse(said["renewed_at"]),
            disabled_at=utc_parse(said["disabled_at"]) if said["disabled_at"] else None,
            grants={Role(role): utc_parse(at) for role, at in said["grants"].items()},
        )


def check_name(name: str) -> None:
    """Raises WatchkeepError unless a person can be called this: 1 to 64 characters that are seen as they are."""
    if not name or name != name.strip() or len(name) > LONGEST_NAME:
        raise WatchkeepError(f"a name has 1 to {LONGEST_NAME} characters, and no space before or after: name another")
    if any(unicodedata.category(char)[0] == "C" or char in "()" or (char.isspace() and char != " ") for char in name):
        raise WatchkeepError("a name has no control characters, brackets or hidden marks in it: name another")


def name_key(name: str) -> str:
    """What two names share that are one name: case and form of characters do not tell people apart."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
