"""The shipped rules, and an incident with its events and holds, of which each test changes a bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.config.retention_file import load_rules
from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.retention import Case, Event, Hold
from pipeline.retention.rules import Rules, Verified

SHIPPED = Path(__file__).parents[3] / "configs" / "retention.yaml"
RULES = load_rules(SHIPPED)
T0 = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CHECKED = Verified(by="counsel", at=date(2026, 11, 30))


def on(day: str) -> datetime:
    """Noon UTC of a day."""
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def case(**changes: object) -> Case:
    """An open incident of middling severity in the EU, sealed on 10 March 2026."""
    start = Case(
        incident_id="i1",
        revision=1,
        retention_class="UNCONFIRMED_FLAG",
        category="nudity",
        severity=Severity.MEDIUM,
        jurisdiction="NL",
        subject="p1",
        session="s1",
        review=Review.OPEN,
        custody=Custody.ACTIVE,
        restricted=False,
        sealed_at=T0,
        decided_at=None,
    )
    return replace(start, **changes)  # type: ignore[arg-type]


def upheld(retention_class: str, **changes: object) -> Case:
    """An incident that was upheld in a class a day after it was sealed."""
    wanted = {"retention_class": retention_class, "review": Review.UPHELD, "decided_at": T0 + DAY, **changes}
    return case(**wanted)


def csam(*events: Event, **changes: object) -> Case:
    """A severe incident, upheld as what has to be reported."""
    return upheld("CSAM_US", severity=Severity.SEVERE, events=events, **changes)


def event(kind: str, day: str) -> Event:
    """Something that happened at noon of a day and was written down an hour later."""
    return Event(kind=kind, at=on(day), recorded_at=on(day) + timedelta(hours=1))


def hold(hold_id: str = "h1", kind: str = "LITIGATION", until: datetime | None = None, **changes: object) -> Hold:
    """A hold from 12 March 2026 on."""
    return replace(
        Hold(hold_id=hold_id, kind=kind, starts_at=T0 + 2 * DAY, until=until),
        **changes,  # type: ignore[arg-type]
    )


def all_verified(rules: Rules) -> Rules:
    """The rules as if counsel had confirmed every one."""
    return replace(
        rules,
        classes={name: replace(rule, verified=CHECKED) for name, rule in rules.classes.items()},
        floors=tuple(replace(rule, verified=CHECKED) for rule in rules.floors),
        ceilings=tuple(replace(rule, verified=CHECKED) for rule in rules.ceilings),
    )
