"""What keeps an incident from being destroyed although it is due: orders, an open review, an unfiled report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.core.decision import Review, Severity
from pipeline.core.retention import NCMEC_SUBMITTED, REPORT_ENDS, REPORT_OPENS, Case, Hold
from pipeline.retention.rules import HoldRule, Rules

REVIEW = "REVIEW"
REPORT = "REPORT"


def keepers(case: Case, rules: Rules, now: datetime) -> tuple[str, ...]:
    """Ids of the holds that are active, then REVIEW and REPORT where a decision or a receipt is outstanding (I16)."""
    kept = [hold.hold_id for hold in case.holds if hold.active(now)] if case.holds else []
    if case.review in (Review.OPEN, Review.UNDER_REVIEW):
        kept.append(REVIEW)
    if report_open(case, rules):
        kept.append(REPORT)
    return tuple(kept)


def report_open(case: Case, rules: Rules) -> bool:
    """True from a suspicion or escalation until it was reported, or closed by two people.

    What was upheld as severe in a class that has to be reported is open until the first receipt or closure.
    """
    opened = ended = False
    for event in case.events:
        if event.kind in REPORT_OPENS:
            opened = True
        elif event.kind in REPORT_ENDS:
            opened, ended = False, True
    if opened or ended or case.review is not Review.UPHELD or case.severity < Severity.SEVERE:
        return opened
    return _reportable(case.retention_class, rules)


def _reportable(retention_class: str, rules: Rules) -> bool:
    rule = rules.classes.get(retention_class)
    if rule is None:
        return False
    instead = [rules.classes[name].start for name in rule.instead_of if name in rules.classes]
    return NCMEC_SUBMITTED in (rule.start, *instead)


def hold_alarms(case: Case, rules: Rules, now: datetime, *, confidential: bool = False) -> Iterator[str]:
    """Words about holds that soon run out, or that somebody has to attest again; confidential ones only if asked."""
    for hold in case.holds:
        rule = rules.holds.get(hold.kind)
        if rule is None or not hold.active(now) or (hold.confidential and not confidential):
            continue
        ends = hold.ends_at() or _next_attestation(hold, rule, now)
        if ends is not None and now >= ends - rule.alert_before:
            what = "must be attested again by" if hold.ends_at() is None else "runs out on"
            yield f"a hold ({hold.kind}) {what} {ends.date()}: renew it, or let it end on purpose"


def _next_attestation(hold: Hold, rule: HoldRule, now: datetime) -> datetime | None:
    if rule.renew is None:
        return None
    due = rule.renew.after(hold.starts_at, later=False)
    while due <= now:
        due = rule.renew.after(due, later=False)
    return due
