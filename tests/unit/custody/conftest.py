"""A desk over a vault in an empty folder, the people who come to it, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.core.approval import Approval, Params, params_digest
from pipeline.core.decision import Severity
from pipeline.core.person import Person, Role
from pipeline.custody.desk import Agreed, Desk, Judged
from tests.unit.retention.cases import RULES
from tests.unit.vault.acts import DAY, NOW
from tests.unit.vault.conftest import Place, StepClock


class HandClock(StepClock):
    """A millisecond later at every reading, and days later when it is told so."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@dataclass(frozen=True)
class House:
    """A desk and its clock."""

    desk: Desk
    clock: HandClock

    def under(self, **changes: object) -> Desk:
        """The same desk under other limits, clock rules or flags."""
        return replace(self.desk, rules=replace(self.desk.rules, **changes))  # type: ignore[arg-type]

    def agreed(self, act: str, params: Params, name: str = "a-1") -> Agreed:
        """What Lena asked for now, and Piet and Lotte approved."""
        approval = Approval(
            approval_id=name,
            act=act,
            digest=params_digest(act, params),
            requested_by=person(Role.LEGAL).person_id,
            approved_by=("p-lotte", "p-piet"),
            requested_at=self.clock.now(),
            expires_at=self.clock.now() + DAY,
        )
        return Agreed(approval=approval, by=person(Role.PRIVACY_OFFICER))

    def pass_days(self, days: int) -> None:
        """Days go by, with a tick of the clock each."""
        for _ in range(days):
            self.clock.at += DAY
            assert self.desk.tick("os:cron(0)")[1] == ""


def person(*roles: Role) -> Person:
    """Somebody with these roles and no other."""
    name = "-".join(roles) or "nobody"
    return Person(person_id=f"p-{name}", name=name, roles=frozenset(roles))


CATEGORIES = {
    "nudity": Judged(severity=Severity.HIGH, retention_class="POLICY_VIOLATION"),
    "minor_sexual_content": Judged(severity=Severity.SEVERE, retention_class="CSAM_US"),
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = HandClock()
    place = Place(tmp_path, clock)
    with place.open() as vault:
        vault.begin_run("run-1", "os:ada(1000)")
        yield House(Desk(vault=vault, rules=RULES, categories=CATEGORIES, production=False, clock=clock), clock)
