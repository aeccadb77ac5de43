"""People in an empty folder, with a clock that is set by hand, a chain in memory, and cheap passphrases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.core.person import Person, Role
from pipeline.people.account import Change
from pipeline.people.accounts import People
from pipeline.people.appointing import OFFICERS
from pipeline.people.approvals import Approvals
from pipeline.people.passphrases import Cost

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CHEAP = Cost(passes=1, memory_kib=8, lanes=1)
VALID, WAIT = timedelta(hours=24), timedelta(hours=72)

L, P, A, R, S = Role.LEGAL, Role.PRIVACY_OFFICER, Role.ADMIN, Role.REVIEWER, Role.SEVERE_REVIEWER


@dataclass
class SetClock:
    """Says what it is told."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Chain:
    """The audit chain's part in this: what was entered last, in order."""

    entered: list[Change] = field(default_factory=list)

    def enter(self, change: Change) -> None:
        self.entered.append(change)

    def last(self, subject: str) -> str:
        return next((c.after for c in reversed(self.entered) if c.subject == subject), "")


def phrase(name: str) -> str:
    """The passphrase of somebody in these tests."""
    return f"{name} walks along the quay"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "people"


@pytest.fixture
def people(folder: Path, clock: SetClock, chain: Chain) -> Iterator[People]:
    opened = People(folder, clock, audited=chain.last, cost=CHEAP)
    yield opened
    opened.close()


Adding = Callable[..., Person]


@pytest.fixture
def somebody(people: People, chain: Chain) -> Adding:
    def add(name: str, *roles: Role) -> Person:
        people.add(name, phrase(name), roles, enter=chain.enter)
        return people.named(name).person

    return add


@pytest.fixture
def approvals(people: People, clock: SetClock, chain: Chain) -> Approvals:
    return Approvals(people.database, clock, audited=chain.last, valid=VALID, wait=WAIT)


ACT, PARAMS = "order.destroy", {"incidents": ["b", "a"], "authority": "police", "reference": "12"}
Asked = Callable[..., str]


@pytest.fixture
def staff(somebody: Adding, clock: SetClock) -> dict[str, Person]:
    """Three officers, an administrator and a reviewer, appointed long ago."""
    named = {"anna": (A,), "lena": (L,), "dirk": (P,), "vera": (L, P), "rik": (R,), "sven": (S,)}
    found = {name: somebody(name, *roles) for name, roles in named.items()}
    clock.forward(hours=73)
    return found


@pytest.fixture
def ask(approvals: Approvals, staff: dict[str, Person], chain: Chain) -> Asked:
    def file(by: str = "anna", *, needed: int = 2) -> str:
        return approvals.request(ACT, PARAMS, staff[by], needed=needed, roles=OFFICERS, enter=chain.enter)

    return file
