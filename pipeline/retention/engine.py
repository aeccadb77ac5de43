"""Judging: from an incident's classes, events, holds and orders to what is to be done with it now.

A pure function of its arguments. It proposes; the vault looks at its own rows again before it destroys anything.
Doubt keeps: a clock that never started, a class without a rule, a ceiling that nobody verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from pipeline.core.decision import Custody, Review
from pipeline.core.errors import ConfigError
from pipeline.core.jurisdiction import may_share
from pipeline.core.recording import UNKNOWN
from pipeline.core.retention import (
    DISMISSED,
    PATTERN,
    PRESERVATION,
    UNCONFIRMED,
    Bound,
    Case,
    Disposition,
    Order,
    Verdict,
)
from pipeline.retention.bounds import computed_floors, latest_of_each
from pipeline.retention.keepers import APPEAL, REPORT, REVIEW, hold_alarms
from pipeline.retention.rules import Rules
from pipeline.retention.weighing import Weighed, weigh

_GONE = (Custody.KEY_DESTROYED, Custody.PURGED)


def judge(
    case: Case, rules: Rules, now: datetime, *, production: bool, promoted: datetime | None = None
) -> Disposition:
    """What is to be done with `case` at `now` (aware UTC), and why.

    `promoted` is when the person of a pattern was last upheld, if its person has one. In `production` a ceiling that
    nobody verified destroys nothing; a floor keeps all the same.
    """
    if case.custody in _GONE:
        return Disposition(
            incident_id=case.incident_id,
            revision=case.revision,
            verdict=Verdict.KEEP,
            reason="its key was destroyed: nothing is left to decide",
            due_at=None,
        )
    weighed = weigh(case, rules, now, production, promoted)
    verdict, reason = _verdict(case, weighed, now)
    return Disposition(
        incident_id=case.incident_id,
        revision=case.revision,
        verdict=verdict,
        reason=reason,
        due_at=weighed.due_at,
        floors=weighed.floors,
        ceilings=weighed.ceilings,
        kept_by=weighed.kept_by,
        alarms=tuple(_alarms(case, weighed, verdict, rules, now)),
        unreviewed=verdict is Verdict.DESTROY and weighed.unreviewed,
        basis=_basis(case, weighed, rules, now) if verdict is Verdict.DESTROY else "",
    )


def plan(
    cases: Iterable[Case], rules: Rules, now: datetime, *, production: bool, promoted: Mapping[str, datetime]
) -> Iterator[Disposition]:
    """`judge` of each case, one at a time; `promoted` maps people (opaque ids) to when they were last upheld."""
    for case in cases:
        yield judge(
            case,
            rules,
            now,
            production=production,
            promoted=promoted.get(case.subject) if case.subject != UNKNOWN else None,
        )


def floors(case: Case, rules: Rules, *, promoted: datetime | None = None) -> tuple[Bound, ...]:
    """All floors that the rules and the case's events give now, for writing down: no later rule file lowers those."""
    return latest_of_each(computed_floors(case, rules, promoted))


def class_of(outcome: Review, category_class: str, jurisdiction: str, rules: Rules) -> str:
    """The retention class after `outcome`; `category_class` is what the taxonomy gives the reviewer's category.

    Raises ConfigError if the rules have no such class.
    """
    if outcome is not Review.UPHELD:
        return {Review.DISMISSED: DISMISSED, Review.NOT_NEEDED: PRESERVATION}.get(outcome, UNCONFIRMED)
    if category_class not in rules.classes:
        raise ConfigError(f"retention rules {rules.name}: there is no class {category_class}; add it to the rule file")
    for rule in rules.classes.values():
        # An unknown place is in none of the jurisdictions: the class stays the one that owes a report.
        there = not rule.jurisdiction or any(may_share(jurisdiction, code) for code in rule.jurisdiction)
        if there and rule.name != PATTERN and category_class in rule.instead_of and rules.on(rule.requires_flag):
            return rule.name
    return category_class


def _verdict(case: Case, weighed: Weighed, now: datetime) -> tuple[Verdict, str]:
    due = weighed.due_at
    is_due = due is not None and now >= due
    kept = "" if weighed.waived else _kept(weighed, now)
    if kept and weighed.floor and weighed.ceiling and now < weighed.floor.until > weighed.ceiling.until:
        return Verdict.CONFLICT, kept
    if due is not None and is_due and weighed.kept_by:
        return Verdict.HELD, _held(case, weighed.kept_by, due)
    if kept:
        return Verdict.KEEP, kept
    if due is None or not is_due:
        return Verdict.KEEP, f"it may stay until {due.date()}" if due else "no rule says yet when it has to go"
    if weighed.acting_at is None or now < weighed.acting_at:
        return Verdict.KEEP, f"it is due since {due.date()} by a rule that nobody verified, which destroys nothing"
    return Verdict.DESTROY, _sweep(due)


def _basis(case: Case, weighed: Weighed, rules: Rules, now: datetime) -> str:
    """What the destruction is on record with: every rule and order by which it is due, and the rules that say so."""
    ended = [f"{c.rule} ({c.cite}) ended on {c.until.date()}" for c in weighed.ceilings if c.until <= now]
    kinds = {Order.DESTROY: "demand to destroy", Order.ERASURE: "accepted request"}
    ordered = [f"{kinds[o.order]} of {o.at.date()}: {o.ground}" for o in case.orders if o.at <= now]
    nobody = ["nobody had looked at it"] if weighed.unreviewed else []
    return "; ".join([*ordered, *ended, *nobody, f"rules {rules.name} {rules.sha256[:12]}"])


def _kept(weighed: Weighed, now: datetime) -> str:
    """What forbids its destruction besides holds, in words; "" if nothing does."""
    floor, ceiling = weighed.floor, weighed.ceiling
    if floor is None or now >= floor.until:
        return weighed.stopped
    if ceiling is None or ceiling.until >= floor.until:
        return f"it has to stay until {floor.until.date()} ({floor.rule})"
    return (
        f"{floor.rule} demands that it stays until {floor.until.date()}, {ceiling.rule} that it goes by "
        f"{ceiling.until.date()}: it stays, restricted, until people settle it"
    )


def _held(case: Case, kept_by: tuple[str, ...], due: datetime) -> str:
    reasons = []
    if any(hold.hold_id in kept_by and not hold.confidential for hold in case.holds):
        reasons.append("an order holds it")
    if REPORT in kept_by:
        reasons.append("a report has to be filed, or closed by two people")
    if REVIEW in kept_by:
        reasons.append("nobody has decided on it")
    if APPEAL in kept_by:
        reasons.append("an appeal is open")
    # Who may not see a confidential hold reads what everybody reads of evidence that is due.
    return f"it is due since {due.date()}, but " + ", and ".join(reasons) if reasons else _sweep(due)


def _sweep(due: datetime) -> str:
    return f"it is due since {due.date()} and goes with a coming sweep unless something keeps it"


def _alarms(case: Case, weighed: Weighed, verdict: Verdict, rules: Rules, now: datetime) -> Iterator[str]:
    if verdict is Verdict.CONFLICT:
        hours = rules.conflict.within.total_seconds() / 3600
        who = " and ".join(rules.conflict.escalate_to)
        yield f"a floor is above a ceiling: {who} have to settle it within {hours:g} hours"
    if REPORT in weighed.kept_by:
        yield "a report is outstanding: file it and record the receipt, or let two people close it"
    elif weighed.stopped and not (case.holds and case.retention_class == PRESERVATION):
        yield f"no clock runs for it: {weighed.stopped}"
    if REVIEW in weighed.kept_by or weighed.unreviewed:
        yield from _review_alarms(weighed, rules, now)
    if case.holds:
        yield from hold_alarms(case, rules, now)


def _review_alarms(weighed: Weighed, rules: Rules, now: datetime) -> Iterator[str]:
    due = weighed.due_at
    if due is None:
        return
    if now >= due:
        yield f"nobody has decided on it, and its time ended on {due.date()}"
    elif near := [ahead for ahead in rules.alarms if now >= due - ahead]:
        yield f"nobody has decided on it, and its time ends on {due.date()}: in {min(near).days} days or less"
