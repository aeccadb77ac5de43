"""Weighing one incident: the floors in force, the ceilings, the orders and the holds, side by side.

Knows what speaks for keeping and what for destroying; the verdict is the engine's.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from pipeline.core.decision import Review, Severity
from pipeline.core.retention import Bound, Case, Order
from pipeline.retention.bounds import (
    Times,
    ceilings,
    class_start,
    computed_floors,
    latest_of_each,
    overridden,
    times_of,
)
from pipeline.retention.keepers import REVIEW, keepers
from pipeline.retention.rules import HOLDS_ENDED, Rules

_until = attrgetter("until")


class Weighed(NamedTuple):
    """Everything that a verdict rests on. `acting_at` is `due_at` without ceilings that may not destroy anything.

    A tuple: a plan makes a million of them.
    """

    floors: tuple[Bound, ...]
    ceilings: tuple[Bound, ...]
    floor: Bound | None
    ceiling: Bound | None
    due_at: datetime | None
    acting_at: datetime | None
    waived: bool
    kept_by: tuple[str, ...]
    unreviewed: bool
    stopped: str
    """Why no clock runs, "" if one does."""


def weigh(case: Case, rules: Rules, now: datetime, production: bool, promoted: datetime | None) -> Weighed:
    """Everything that bears on `case` at `now`; the arguments are those of `judge`."""
    times = times_of(case, promoted)
    in_force = computed_floors(case, rules, promoted, times)
    if case.floors:
        in_force += case.floors
    if case.overrides:
        in_force = list(overridden(in_force, case.overrides, case.events))
    limits = ceilings(case, rules, promoted, times)
    floor = max(in_force, key=_until, default=None)
    ceiling = min(limits, key=_until, default=None)
    able = min([c for c in limits if c.verified], key=_until, default=None) if production else ceiling
    ordered, waived = None, False
    if case.orders:
        ordered = min(order.at for order in case.orders)
        waived = any(order.order is Order.DESTROY and order.at <= now for order in case.orders)
    kept_by = keepers(case, now)
    unreviewed = REVIEW in kept_by and _may_expire(case, rules, limits, now, production)
    if unreviewed:
        kept_by = tuple(keeper for keeper in kept_by if keeper != REVIEW)
    return Weighed(
        floors=latest_of_each(in_force),
        ceilings=tuple(limits),
        floor=floor,
        ceiling=ceiling,
        due_at=_earliest(ceiling.until if ceiling else None, ordered),
        acting_at=_earliest(able.until if able else None, ordered),
        waived=waived,
        kept_by=kept_by,
        unreviewed=unreviewed,
        stopped=_stopped(case, rules, times),
    )


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _may_expire(case: Case, rules: Rules, limits: list[Bound], now: datetime, production: bool) -> bool:
    """True if the rules let go what nobody looked at, and the ceiling of its own class has passed: no other's will."""
    if rules.unreviewed != "expire" or case.review is not Review.OPEN or case.severity >= Severity.SEVERE:
        return False
    return any(c.rule == case.retention_class and c.until <= now and (c.verified or not production) for c in limits)


def _stopped(case: Case, rules: Rules, times: Times) -> str:
    rule = rules.classes.get(case.retention_class)
    if rule is None or not rule.of_incidents:
        return f"the rules say nothing of incidents of class {case.retention_class}"
    if class_start(rule, times) is not None:
        return ""
    if rule.start == HOLDS_ENDED:
        return "it is kept by order, and nothing says yet when that ends"
    return f"class {rule.name} counts from {rule.start!r}, which nobody has recorded yet"
