"""What other rules would make of the incidents there are: verdicts and ends that would move, counted.

Reads one case at a time, so that memory does not grow with them. Changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import Case, Disposition, Verdict
from pipeline.retention.engine import judge
from pipeline.retention.rules import Rules

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What another rule file would make of the incidents there are, if it came into force at once.

    `verdicts` counts (verdict now, verdict then) where they differ; `earlier` and `later` count by class the incidents
    whose end would move; `going` names the first of those that would be destroyed and are not now.
    """

    incidents: int = 0
    verdicts: Mapping[tuple[Verdict, Verdict], int] = field(default_factory=dict)
    earlier: Mapping[str, int] = field(default_factory=dict)
    later: Mapping[str, int] = field(default_factory=dict)
    going: tuple[str, ...] = ()


def simulate(
    cases: Iterable[Case],
    old: Rules,
    new: Rules,
    now: datetime,
    *,
    production: bool,
    promoted: tuple[Mapping[str, datetime], Mapping[str, datetime]] = ({}, {}),
    name_at_most: int = 20,
) -> Simulation:
    """Judge every case under both; one at a time, so that memory does not grow with them.

    `promoted` are people's patterns under the old and the new rules, as for `plan`.
    """
    count = 0
    verdicts: Counter[tuple[Verdict, Verdict]] = Counter()
    earlier: Counter[str] = Counter()
    later: Counter[str] = Counter()
    going: list[str] = []
    for case in cases:
        count += 1
        before, after = (
            judge(case, rules, now, production=production, promoted=_pattern(case, of))
            for rules, of in zip((old, new), promoted, strict=True)
        )
        if before.verdict is not after.verdict:
            verdicts[before.verdict, after.verdict] += 1
            if after.verdict is Verdict.DESTROY and len(going) < name_at_most:
                going.append(case.incident_id)
        ended, ends = _end(before), _end(after)
        if ends != ended:
            (earlier if ends < ended else later)[case.retention_class] += 1
    return Simulation(
        incidents=count, verdicts=dict(verdicts), earlier=dict(earlier), later=dict(later), going=tuple(going)
    )


def _pattern(case: Case, promoted: Mapping[str, datetime]) -> datetime | None:
    return promoted.get(case.subject) if case.subject != UNKNOWN else None


def _end(found: Disposition) -> datetime:
    """When it goes if nothing keeps it; the end of time while nothing says."""
    if found.due_at is None:
        return NEVER
    return max(found.due_at, found.floor_at or found.due_at)
