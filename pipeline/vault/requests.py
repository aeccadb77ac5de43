"""Requests of platform users about their own data, and what became of each incident under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.evidence import Party
from pipeline.core.retention import Outcome, RequestKind
from pipeline.vault.parts import Parts

ACCEPTED = "accepted"
REFUSED = "refused"

Item = tuple[str, Party, Outcome, str]
"""Incident, whose data of it, what became of them, and on which ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """What became of one party's data in one incident."""

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
    """A request from its receipt to its end."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add(self, kind: RequestKind, account: str, *, received_at: datetime, due_at: datetime, by: str) -> str:
        """Write a request down; its id."""
        raise NotImplementedError

    def verify_identity(self, request_id: str, *, at: datetime, by: str) -> None:
        """Who asks proved to be the account's holder."""
        raise NotImplementedError

    def decide(self, request_id: str, decision: str, ground: str, *, by: str, person_id: str) -> None:
        """Decide once: "accepted" or "refused"; what cannot be verified can be refused."""
        raise NotImplementedError

    def note(self, request_id: str, items: Sequence[Item], *, by: str) -> None:
        """Write down what became of incidents; a later item on the same one stands in place of the earlier."""
        raise NotImplementedError

    def close(self, request_id: str, *, by: str) -> None:
        """End a decided request and forget whose it was: its account's name is destroyed with its key."""
        raise NotImplementedError

    def get(self, request_id: str) -> RequestView:
        """One request."""
        raise NotImplementedError

    def all(self) -> tuple[RequestView, ...]:
        """All requests in the order of their receipt."""
        raise NotImplementedError

    def account(self, request_id: str) -> str:
        """Whose request it is; KeyDestroyedError once it was closed."""
        raise NotImplementedError

    def incidents_of(self, account: str) -> tuple[tuple[str, Party], ...]:
        """Every incident that involves the account, and as which party."""
        raise NotImplementedError

    def restrict(self, incidents: Sequence[str], ground: str, by: str) -> None:
        """Restrict what is still there and not restricted yet."""
        raise NotImplementedError
