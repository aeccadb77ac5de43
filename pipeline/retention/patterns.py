"""Patterns of abuse: several upheld incidents of one person within a window. Upheld decisions only, and no names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from pipeline.core.recording import UNKNOWN
from pipeline.retention.rules import PatternRule, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Upheld:
    """One upheld incident of a person (an opaque id). `appeal` is "none", "pending" or "overturned".

    `pattern_confirmed_at` is when somebody confirmed at this incident that it belongs to a pattern, None if nobody did.
    """

    person: str
    incident_id: str
    session: str
    decided_at: datetime
    appeal: str = "none"
    pattern_confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A person's pattern under `rule`: its incidents in order of decision, the last of them upheld at `last_upheld_at`.

    It takes effect only if it is `confirmed`: by a person, where the rule asks for one.
    """

    person: str
    rule: str
    last_upheld_at: datetime
    incidents: tuple[str, ...]
    confirmed: bool


def find(upheld: Iterable[Upheld], rules: Rules, now: datetime) -> Iterator[Pattern]:
    """All patterns by `now`, one per person and rule at most. `upheld` has each person's incidents together.

    Nobody is everybody: incidents of an unknown person make no pattern.
    """
    for person, theirs in groupby(upheld, key=attrgetter("person")):
        known = sorted((u for u in theirs if u.decided_at <= now), key=attrgetter("decided_at", "incident_id"))
        if person == UNKNOWN:
            continue
        for rule in rules.patterns:
            members = _members([u for u in known if u.appeal not in rule.exclude], rule)
            if members:
                yield Pattern(
                    person=person,
                    rule=rule.id,
                    last_upheld_at=members[-1].decided_at,
                    incidents=tuple(u.incident_id for u in members),
                    confirmed=not rule.human_confirm or any(_confirmed(u, now) for u in members),
                )


def _members(upheld: Sequence[Upheld], rule: PatternRule) -> list[Upheld]:
    """All incidents that lie in some window which fulfils the rule, in order."""
    sessions: Counter[str] = Counter()
    first = taken = 0
    members: list[Upheld] = []
    for last, newest in enumerate(upheld):
        sessions[newest.session] += 1
        while rule.window.after(upheld[first].decided_at, later=False) < newest.decided_at:
            sessions[upheld[first].session] -= 1
            sessions += Counter()  # drops the sessions that are counted no more
            first += 1
        if last - first + 1 >= rule.count and len(sessions) >= rule.min_distinct_sessions:
            members += upheld[max(first, taken) : last + 1]
            taken = last + 1
    return members


def _confirmed(upheld: Upheld, now: datetime) -> bool:
    return upheld.pattern_confirmed_at is not None and upheld.pattern_confirmed_at <= now
