"""What every service of this floor works with: an open vault, the rules in force, and the time.

Knows how a case is judged; refuses to know where rules and people come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.approval import Approval
from pipeline.core.clock import utc_text
from pipeline.core.decision import Severity
from pipeline.core.errors import TransitionError, WatchkeepError
from pipeline.core.person import Person
from pipeline.core.ports import Clock
from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import Case, Disposition
from pipeline.retention.engine import judge
from pipeline.retention.patterns import Pattern, Upheld, find
from pipeline.retention.rules import Rules
from pipeline.vault.cases import Cases
from pipeline.vault.marks import Marks
from pipeline.vault.parts import Parts
from pipeline.vault.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the taxonomy says of a category: how grave it is, and the class of what is upheld."""

    severity: Severity
    retention_class: str


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An open vault with its rules. `production` decides what an unverified ceiling may do."""

    vault: Vault
    rules: Rules
    categories: Mapping[str, Judged]
    production: bool
    clock: Clock

    @property
    def parts(self) -> Parts:
        """What the vault is made of."""
        return self.vault.parts

    def now(self) -> datetime:
        """The time, read once for each act."""
        return self.clock.now()

    def case(self, incident_id: str) -> Case:
        """One incident as retention sees it; WatchkeepError if there is none."""
        return Cases(self.parts).one(incident_id)

    def patterns(self, person: str = "") -> Iterator[Pattern]:
        """Who does it again and again, on upheld decisions only; of one `person`, or of everybody."""
        if rules := self.rules.patterns:
            upheld = Cases(self.parts).upheld(at_least=min(rule.count for rule in rules), person=person)
            yield from find((Upheld(**u._asdict()) for u in upheld), self.rules, self.now())

    def promoted(self, person: str = "") -> Mapping[str, datetime]:
        """The last upheld decision of each person, or of one, with a pattern that counts."""
        return {p.person: p.last_upheld_at for p in self.patterns(person) if p.confirmed}

    def promotion(self, case: Case) -> datetime | None:
        """The last upheld decision of the case's subject if it has a pattern that counts: a look at one person."""
        return None if case.subject == UNKNOWN else self.promoted(case.subject).get(case.subject)

    def tick(self, actor: str) -> tuple[datetime, str]:
        """Let the clock tick: trusted time for an act that destroys, and why nothing may be destroyed now, or ""."""
        said, limits, marks = self.now(), self.rules.clock, Marks(self.parts)
        words = marks.tick(said, max_backward=limits.max_backward, max_forward=limits.max_forward, by=actor)
        return marks.now(said), words

    def judge(self, case: Case, now: datetime) -> Disposition:
        """The verdict on one case."""
        return judge(case, self.rules, now, production=self.production, promoted=self.promotion(case))

    def judged(self, now: datetime) -> Iterator[tuple[Case, Disposition]]:
        """Every case with its verdict, one at a time."""
        promoted = self.promoted()
        for case in Cases(self.parts).all():
            yield case, judge(case, self.rules, now, production=self.production, promoted=promoted.get(case.subject))


def in_time(at: datetime, now: datetime, what: str) -> datetime:
    """`at`, which must not lie in the future: a clock that has not started cannot be recorded."""
    if at > now:
        raise WatchkeepError(f"{what} at {utc_text(at)} lies in the future: give the time at which it happened")
    return at


ATTEMPTS = 5
"""How often an act looks again because somebody changed the incident meanwhile."""


def moved_on(incident_id: str) -> TransitionError:
    """The refusal after ATTEMPTS."""
    return TransitionError(f"incident {incident_id} is being changed by others: try again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """An act that is being carried out: the approval, and the person who gave it last."""

    approval: Approval
    by: Person
