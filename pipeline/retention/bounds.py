"""Floors and ceilings of one incident: which rules apply to it, from when, until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache

from pipeline.core.decision import Review
from pipeline.core.jurisdiction import may_share
from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import PATTERN, Bound, Case, Override
from pipeline.retention.rules import (
    CASE_TRIGGERS,
    DECIDED,
    DISMISSED_AT,
    HOLDS_ENDED,
    LAST_UPHELD,
    SEALED,
    BoundRule,
    ClassRule,
    Rules,
)


def class_start(case: Case, rule: ClassRule, promoted: datetime | None) -> tuple[str, datetime] | None:
    """What started the clock of the case's class, and when: the latest time it happened. None while nothing did."""
    for trigger in (rule.start, *rule.otherwise):
        if times := _times(case, trigger, promoted):
            return trigger, max(times)
    return None


def promoting(case: Case, rules: Rules, promoted: datetime | None) -> ClassRule | None:
    """The PATTERN class if the case belongs to a person's pattern: upheld, and of a class that it stands in for."""
    if promoted is None or case.review is not Review.UPHELD:
        return None
    rule = rules.classes.get(PATTERN)
    return rule if rule is not None and case.retention_class in rule.instead_of else None


def computed_floors(case: Case, rules: Rules, promoted: datetime | None) -> list[Bound]:
    """All floors that rules and events give, of the class and beside it, before any override."""
    found = []
    for rule in (rules.classes.get(case.retention_class), promoting(case, rules, promoted)):
        if rule is not None and rule.min is not None and (start := class_start(case, rule, promoted)):
            found.append(_bound(rule, rule.min.after(start[1], later=True), *start))
    for extra in rules.floors:
        if not extra.of_record and (times := _times(case, extra.on, promoted)) and _applies(extra, case, rules):
            at = max(times)
            found.append(_bound(extra, extra.period.after(at, later=True), extra.on, at))
    return found


def ceilings(case: Case, rules: Rules, promoted: datetime | None) -> list[Bound]:
    """All ceilings that apply: of the class (a pattern's instead, where that is later) and of the rules beside it."""
    found = []
    own = _class_ceiling(case, rules.classes.get(case.retention_class), promoted)
    pattern = _class_ceiling(case, promoting(case, rules, promoted), promoted)
    if own is not None:
        found.append(pattern if pattern is not None and pattern.until > own.until else own)
    for extra in rules.ceilings:
        if (times := _times(case, extra.on, promoted)) and _applies(extra, case, rules):
            at = min(times)
            found.append(_bound(extra, extra.period.after(at, later=False), extra.on, at))
    return found


def overridden(floors: Iterable[Bound], overrides: tuple[Override, ...]) -> Iterator[Bound]:
    """The floors in force: where two people moved a rule's floor, the last override counts instead.

    It moves what had begun by then; a later event of the same kind starts a floor of its own.
    """
    last = {override.rule: override for override in overrides}
    for floor in floors:
        moved = last.get(floor.rule)
        if moved is None or (moved.at is not None and floor.trigger_at > moved.at):
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


def latest_of_each(floors: Iterable[Bound]) -> tuple[Bound, ...]:
    """One floor per rule, the latest."""
    found: dict[str, Bound] = {}
    for floor in floors:
        seen = found.get(floor.rule)
        if seen is None or floor.until > seen.until:
            found[floor.rule] = floor
    return tuple(found.values())


def _class_ceiling(case: Case, rule: ClassRule | None, promoted: datetime | None) -> Bound | None:
    if rule is None or rule.max is None or (start := class_start(case, rule, promoted)) is None:
        return None
    until = rule.max.after(start[1], later=False)
    if rule.min is not None:  # P1Y at least and at most: the odd day of a leap year is no conflict of laws
        until = max(until, rule.min.after(start[1], later=True))
    return _bound(rule, until, *start)


def _bound(rule: ClassRule | BoundRule, until: datetime, trigger: str, at: datetime) -> Bound:
    return Bound(
        rule=rule.name if isinstance(rule, ClassRule) else rule.id,
        until=until,
        trigger=trigger,
        trigger_at=at,
        cite=rule.cite,
        verified=rule.verified is not None,
    )


def _times(case: Case, trigger: str, promoted: datetime | None) -> list[datetime]:
    """Every time that it happened to the case; empty if it did not yet."""
    if trigger not in CASE_TRIGGERS:
        return [event.at for event in case.events if event.kind == trigger] if case.events else []
    at: datetime | None = None
    if trigger == SEALED:
        at = case.sealed_at
    elif trigger == DECIDED or (trigger == DISMISSED_AT and case.review is Review.DISMISSED):
        at = case.decided_at
    elif trigger == LAST_UPHELD:
        at = promoted
    elif trigger == HOLDS_ENDED:
        ends = [hold.ends_at() for hold in case.holds]
        known = [end for end in ends if end is not None]
        at = max(known) if known and len(known) == len(ends) else None
    return [at] if at is not None else []


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
