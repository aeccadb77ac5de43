"""What keeps an incident from being destroyed although it is due: orders, an open review, report or appeal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.core.decision import Review
from pipeline.core.retention import Case, Hold, appeal_open, report_open
from pipeline.retention.rules import HoldRule, Rules

REVIEW = "REVIEW"
REPORT = "REPORT"
APPEAL = "APPEAL"


def keepers(case: Case, now: datetime) -> tuple[str, ...]:
    """Ids of the holds that are active, then what is outstanding: a decision, a receipt, an answer (I16)."""
    kept = [hold.hold_id for hold in case.holds if hold.active(now)] if case.holds else []
    if case.review in (Review.OPEN, Review.UNDER_REVIEW):
        kept.append(REVIEW)
    if unreported(case):
        kept.append(REPORT)
    if appeal_open(event.kind for event in case.events):
        kept.append(APPEAL)
    return tuple(kept)


def unreported(case: Case) -> bool:
    """True while the case waits for a report."""
    events = ((event.kind, event.recorded_at) for event in case.events)
    return report_open(case.review, case.severity, case.retention_class, case.decided_at, events)


def hold_alarms(case: Case, rules: Rules, now: datetime, *, confidential: bool = False) -> Iterator[str]:
    """Words about holds that soon run out, or that somebody has to attest again; confidential ones only if asked."""
    for hold in case.holds:
        rule = rules.holds.get(hold.kind)
        if rule is None or not hold.active(now) or (hold.confidential and not confidential):
            continue
        ends = hold.ends_at() or _next_attestation(hold, rule)
        if ends is not None and now >= ends - rule.alert_before:
            what = "must be attested again by" if hold.ends_at() is None else "runs out on"
            yield f"a hold ({hold.kind}) {what} {ends.date()}: renew it, or let it end on purpose"


def _next_attestation(hold: Hold, rule: HoldRule) -> datetime | None:
    return None if rule.renew is None else rule.renew.after(hold.attested_at or hold.starts_at, later=False)
