"""Times, periods and triggers as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.core.retention import (
    ESCALATED,
    NCA_REPORTED,
    NCMEC_SUBMITTED,
    REPORT_CLOSED,
    SUSPECTED_MINOR,
)
from pipeline.retention.period import Period
from pipeline.retention.rules import (
    APPEAL_DECIDED,
    APPEAL_RECEIVED,
    DECIDED,
    DISMISSED_AT,
    HOLDS_ENDED,
    LAST_UPHELD,
    PATTERN_CONFIRMED,
    SEALED,
)

_HAPPENED = {
    SEALED: "it was sealed",
    DECIDED: "somebody decided on it",
    DISMISSED_AT: "it was dismissed",
    LAST_UPHELD: "its person was upheld for the last time",
    HOLDS_ENDED: "the last of its orders ended",
    SUSPECTED_MINOR: "a minor was suspected in it",
    ESCALATED: "it was escalated for a report",
    NCMEC_SUBMITTED: "NCMEC acknowledged the report",
    NCA_REPORTED: "the UK's NCA acknowledged the report",
    REPORT_CLOSED: "two people found that there is nothing to report",
    APPEAL_RECEIVED: "an appeal was received",
    APPEAL_DECIDED: "an appeal was decided",
    PATTERN_CONFIRMED: "somebody confirmed that it belongs to a pattern of abuse",
    "ncmec_submit_unknown": "a report to NCMEC was sent and not answered",
    "referred": "it was referred to the police or a prosecutor",
    "notified": "the person was notified of the decision",
    "removed": "it was removed",
    "identified": "suspected abuse was identified",
    "captured": "it was captured",
    "request_closed": "the request was closed",
    "recorded": "it was recorded",
    "discovered": "a person under 13 without a parent's consent was discovered",
}


def happened(kind: str) -> str:
    """A trigger or kind of event as a clause; a kind that only a rule file knows is named as it is."""
    return _HAPPENED.get(kind, f"{kind!r} happened")


def happens(kind: str) -> str:
    """The same of a time to come, which only the end of orders can lie in."""
    return "the last of its orders ends" if kind == HOLDS_ENDED else happened(kind)


def moment(at: datetime) -> str:
    """To the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def stretch(period: Period) -> str:
    """ "1 year", "6 months", "90 days", "72 hours" where it is written as PT72H; "no time at all" for P0D."""
    parts = []
    years, months = divmod(period.months, 12)
    if years and months:
        years, months = 0, period.months
    parts += [_many(years, "year")] if years else []
    parts += [_many(months, "month")] if months else []
    parts += [length(period.exact, hours="T" in period.text)] if period.exact else []
    return " and ".join(parts) or "no time at all"


def length(exact: timedelta, *, hours: bool = False) -> str:
    """Whole days if it is some and `hours` are not asked for, else hours, minutes or seconds."""
    seconds = int(exact.total_seconds())
    for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute"))[hours:]:
        if seconds and seconds % size == 0:
            return _many(seconds // size, noun)
    return _many(seconds, "second")


def listed(words: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def sentence(words: str) -> str:
    """With a capital at its beginning and a full stop at its end."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")


def source(cite: str, verified: bool) -> str:
    """The law behind a rule, in brackets, and whether somebody compared the rule with it."""
    return f"({cite})" if verified else f"({cite}; unverified)"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
