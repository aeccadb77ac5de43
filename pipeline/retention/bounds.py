"""Floors and ceilings of one incident: which rules apply to it, from when, until when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from pipeline.core.decision import Review
from pipeline.core.jurisdiction import may_share
from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import PATTERN, Bound, Case, Event, Override
from pipeline.retention.rules import (
    DECIDED,
    DISMISSED_AT,
    HOLDS_ENDED,
    LAST_UPHELD,
    SEALED,
    BoundRule,
    ClassRule,
    Rules,
)

Times = Mapping[str, list[datetime]]
"""When each trigger happened, as often as it did."""


def times_of(case: Case, promoted: datetime | None) -> Times:
    """All that has happened to the case: its events, and what the catalog knows of it without one."""
    found: dict[str, list[datetime]] = {SEALED: [case.sealed_at]}
    if case.decided_at is not None:
        found[DECIDED] = [case.decided_at]
        if case.review is Review.DISMISSED:
            found[DISMISSED_AT] = found[DECIDED]
    if promoted is not None:
        found[LAST_UPHELD] = [promoted]
    if case.holds:
        ends = [hold.ends_at() for hold in case.holds]
        if None not in ends:
            found[HOLDS_ENDED] = [max(end for end in ends if end is not None)]
    for event in case.events:
        if event.kind in found:
            found[event.kind].append(event.at)
        else:
            found[event.kind] = [event.at]
    return found


def class_start(rule: ClassRule, times: Times) -> tuple[str, datetime] | None:
    """What started the clock of a class, and when: the latest time it happened. None while nothing did."""
    for trigger in (rule.start, *rule.otherwise):
        if trigger in times:
            return trigger, max(times[trigger])
    return None


def promoting(case: Case, rules: Rules, promoted: datetime | None) -> ClassRule | None:
    """The PATTERN class if the case belongs to a person's pattern: upheld, and of a class that it stands in for."""
    if promoted is None or case.review is not Review.UPHELD:
        return None
    rule = rules.classes.get(PATTERN)
    return rule if rule is not None and case.retention_class in rule.instead_of else None


def computed_floors(case: Case, rules: Rules, promoted: datetime | None, times: Times | None = None) -> list[Bound]:
    """All floors that rules and events give, of the class and beside it, before any override.

    `times` are the case's own, if somebody has them already.
    """
    times = times or times_of(case, promoted)
    found = []
    for rule in (rules.classes.get(case.retention_class), promoting(case, rules, promoted)):
        if rule is not None and rule.min is not None and (start := class_start(rule, times)):
            found.append(_bound(rule, rule.name, rule.min.after(start[1], later=True), *start))
    for extra in rules.floors:
        if extra.on in times and not extra.of_record and _applies(extra, case, rules):
            at = max(times[extra.on])
            found.append(_bound(extra, extra.id, extra.period.after(at, later=True), extra.on, at))
    return found


def ceilings(case: Case, rules: Rules, promoted: datetime | None, times: Times | None = None) -> list[Bound]:
    """All ceilings that apply: of the class (a pattern's instead, where that is later) and of the rules beside it."""
    times = times or times_of(case, promoted)
    found = []
    own = _class_ceiling(rules.classes.get(case.retention_class), times)
    if own is not None:
        pattern = _class_ceiling(promoting(case, rules, promoted), times)
        found.append(pattern if pattern is not None and pattern.until > own.until else own)
    for extra in rules.ceilings:
        if extra.on in times and _applies(extra, case, rules):
            at = min(times[extra.on])
            found.append(_bound(extra, extra.id, extra.period.after(at, later=False), extra.on, at))
    return found


def overridden(floors: Iterable[Bound], overrides: tuple[Override, ...], events: Iterable[Event]) -> Iterator[Bound]:
    """The floors in force: where two people moved a rule's floor, the last override counts instead.

    It moves what had begun, and was known, by then: what happened or was recorded later starts a floor of its own.
    """
    last = {override.rule: override for override in overrides}
    known: dict[tuple[str, datetime], datetime] = {}
    for event in events:
        place = (event.kind, event.at)
        known[place] = min(event.recorded_at, known.get(place, event.recorded_at))
    for floor in floors:
        moved = last.get(floor.rule)
        began = known.get((floor.trigger, floor.trigger_at), floor.trigger_at)
        if moved is None or (moved.at is not None and began > moved.at):
            yield floor
        else:
            yield Bound(
                rule=floor.rule,
                until=moved.until,
                trigger=floor.trigger,
                trigger_at=floor.trigger_at,
                cite=moved.ground,
                verified=True,
            )


def latest_of_each(floors: Collection[Bound]) -> tuple[Bound, ...]:
    """One floor per rule, the latest."""
    if not floors:
        return ()
    found: dict[str, Bound] = {}
    for floor in floors:
        seen = found.get(floor.rule)
        if seen is None or floor.until > seen.until:
            found[floor.rule] = floor
    return tuple(found.values())


def _class_ceiling(rule: ClassRule | None, times: Times) -> Bound | None:
    if rule is None or rule.max is None or (start := class_start(rule, times)) is None:
        return None
    until = rule.max.after(start[1], later=False)
    if rule.min is not None:  # P1Y at least and at most: the odd day of a leap year is no conflict of laws
        until = max(until, rule.min.after(start[1], later=True))
    return _bound(rule, rule.name, until, *start)


def _bound(rule: ClassRule | BoundRule, name: str, until: datetime, trigger: str, at: datetime) -> Bound:
    verified = rule.verified is not None
    return Bound(rule=name, until=until, trigger=trigger, trigger_at=at, cite=rule.cite, verified=verified)


def _applies(rule: BoundRule, case: Case, rules: Rules) -> bool:
    return (
        (not rule.classes or case.retention_class in rule.classes)
        and case.severity >= rule.severity
        and rules.on(rule.flag)
        and (not rule.jurisdiction or _covers(rule.jurisdiction, case.jurisdiction))
    )


@lru_cache(maxsize=4096)
def _covers(codes: frozenset[str], jurisdiction: str) -> bool:
    """True if the law of `codes` may bind somebody there; who may be anywhere may be there."""
    return jurisdiction == UNKNOWN or any(may_share(jurisdiction, code) for code in codes)
