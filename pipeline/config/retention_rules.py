"""The single rules of a retention rule file: classes, floors, ceilings, holds, patterns, flags, deadlines."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

from pipeline.config.section import Section, did_you_mean
from pipeline.core.decision import Severity
from pipeline.core.jurisdiction import is_jurisdiction
from pipeline.core.retention import DISMISSED, PATTERN, PRESERVATION, UNCONFIRMED
from pipeline.retention.period import Period
from pipeline.retention.rules import (
    CASE_TRIGGERS,
    DECIDED,
    DISMISSED_AT,
    HOLDS_ENDED,
    LAST_UPHELD,
    OTHER_TRIGGERS,
    SEALED,
    BoundRule,
    ClassRule,
    Deadline,
    Flag,
    HoldRule,
    PatternRule,
    Verified,
)

_NOTHING = Period.parse("P0D")
"""Stands in for what was refused already; a P0D of the file is equal to it and another object."""

_STARTS = {UNCONFIRMED: SEALED, DISMISSED: DECIDED, PATTERN: LAST_UPHELD, PRESERVATION: HOLDS_ENDED}
_BASES = ("CONSENT", "CONTRACT", "LEGAL_OBLIGATION", "LEGAL_OBLIGATION_EU", "LEGAL_OBLIGATION_US", "LEGAL_ORDER",
          "LEGIT_INTEREST", "VITAL")  # fmt: skip
_SEVERITIES = {s.name.lower(): s for s in Severity}
_DAYS = [datetime(year, month, 1, tzinfo=UTC) for year in (2027, 2028) for month in range(1, 13)]


def a_period(section: Section, key: str, default: str | None = None, *, positive: bool = False) -> Period:
    """An ISO 8601 duration; P0D stands in for one that is wrong, and is itself wrong where it must be `positive`."""
    before = len(section.problems)
    text = section.text(key, default)
    if len(section.problems) > before:
        return _NOTHING
    try:
        period = Period.parse(text)
    except ValueError as e:
        section.problem(key, str(e))
        return _NOTHING
    if positive and _is_nothing(period):
        section.problem(key, f"{text} is no time at all")
    return period


def an_exact(section: Section, key: str, *, positive: bool = False) -> timedelta:
    """A duration whose length no calendar changes."""
    period = a_period(section, key, positive=positive)
    try:
        return period.delta()
    except ValueError as e:
        section.problem(key, str(e))
        return timedelta()


def class_rules(section: Section, events: Collection[str], flags: Collection[str]) -> dict[str, ClassRule]:
    """All classes; those that Watchkeep itself puts evidence into have to be there, and start as it expects."""
    names = section.keys()
    rules = {name: _class_rule(name, section.section(name), events, names, flags) for name in names}
    for name, start in _STARTS.items():
        if name not in rules:
            section.problem("", f"lacks the class {name}")
        elif rules[name].start != start:
            section.section(name).problem("start", f"{name} starts {start}, whatever else does not")
        if name == UNCONFIRMED and name in rules and _is_nothing(rules[name].max):
            section.section(name).problem("max", "leaves no time to look at what was flagged")
    return rules


def bound_rules(
    top: Section, events: Collection[str], classes: Collection[str], flags: Collection[str]
) -> tuple[tuple[BoundRule, ...], tuple[BoundRule, ...]]:
    """The floors and the ceilings beside the classes; no two rules have one name."""
    taken = set(classes)
    found = []
    for key in ("floors", "ceilings"):
        rules = []
        for section in top.sections(key, required=True):
            rules.append(_bound_rule(section, events, classes, flags, floor=key == "floors"))
            if rules[-1].id in taken:
                section.problem("id", f"{rules[-1].id!r} is taken already; ids are unique, and no class has the same")
            taken.add(rules[-1].id)
        found.append(tuple(rules))
    return found[0], found[1]


def a_hold(kind: str, section: Section) -> HoldRule:
    """One kind of hold: a period, or open-ended."""
    open_ended = section.flag("open_ended", False)
    period = a_period(section, "period", positive=True) if "period" in section else None
    renew = a_period(section, "renew", positive=True) if "renew" in section else None
    if (period is None) is not open_ended:
        section.problem("period", "a hold has either a period, or open_ended: true and is released by people")
    if open_ended and renew is None:
        section.problem("renew", "an open-ended hold says how often somebody attests that it is needed, such as P6M")
    alert_before = an_exact(section, "alert_before", positive=True)
    cite, verified = _source(section)
    section.close()
    return HoldRule(
        kind=kind,
        period=period,
        renew=renew,
        alert_before=alert_before,
        open_ended=open_ended,
        cite=cite,
        verified=verified,
    )


def a_pattern(section: Section) -> PatternRule:
    """One rule of when upheld incidents are a pattern of abuse."""
    exclude = section.texts("exclude", ())
    for state in exclude:
        if state not in ("pending", "overturned"):
            section.problem("exclude", f"{state!r} is not a state of appeal: pending, overturned")
    count = section.whole("count", low=2, high=1000)
    sessions = section.whole("min_distinct_sessions", 1, low=1, high=1000)
    if sessions > count > 0:
        section.problem("min_distinct_sessions", f"{sessions} is more than count ({count})")
    cite, verified = _source(section)
    rule = PatternRule(
        id=section.text("id"),
        count=count,
        window=a_period(section, "window", positive=True),
        min_distinct_sessions=sessions,
        exclude=frozenset(exclude),
        human_confirm=section.flag("human_confirm", True),
        cite=cite,
        verified=verified,
    )
    section.close()
    return rule


def a_flag(name: str, section: Section) -> Flag:
    """One legal switch."""
    cite, verified = _source(section)
    flag = Flag(name=name, enabled=section.flag("enabled"), cite=cite, verified=verified)
    section.close()
    return flag


def a_deadline(name: str, section: Section) -> Deadline:
    """One deadline of an answer."""
    cite, verified = _source(section)
    deadline = Deadline(
        name=name,
        due=a_period(section, "due", positive=True),
        extend=a_period(section, "extend", positive=True) if "extend" in section else None,
        cite=cite,
        verified=verified,
    )
    section.close()
    return deadline


def _class_rule(
    name: str, section: Section, events: Collection[str], names: Collection[str], flags: Collection[str]
) -> ClassRule:
    ceiling = "media_max" if "media_max" in section else "max"
    lengths = {key: a_period(section, key) if key in section else None for key in ("min", ceiling, "record_max")}
    review = a_period(section, "review_every", positive=True) if "review_every" in section else None
    low, high, record = lengths["min"], lengths[ceiling], lengths["record_max"]
    if high is None and review is None:
        section.problem("", "has neither max nor review_every: nothing is kept without end and without a question")
    _refuse_order(section, "min", low, ceiling, high)
    _refuse_order(section, ceiling, high, "record_max", record)
    cite, verified = _source(section)
    rule = ClassRule(
        name=name,
        start=section.text("start", known=(*events, *CASE_TRIGGERS, *OTHER_TRIGGERS)),
        otherwise=_known(section, "otherwise", events),
        min=low,
        max=high,
        record_max=record,
        review_every=review,
        instead_of=frozenset(_known(section, "instead_of", names)),
        jurisdiction=_jurisdiction(section),
        requires_flag=section.text("requires_flag", known=flags) if "requires_flag" in section else "",
        basis=section.text("basis", known=_BASES),
        cite=cite,
        verified=verified,
    )
    if name in rule.instead_of:
        section.problem("instead_of", f"{name} cannot take its own place")
    section.close()
    return rule


def _bound_rule(
    section: Section, events: Collection[str], classes: Collection[str], flags: Collection[str], *, floor: bool
) -> BoundRule:
    cite, verified = _source(section)
    of = section.text("of", "evidence", known=("evidence", "record")) if floor else "evidence"
    rule = BoundRule(
        id=section.text("id"),
        on=section.text("on", known=(*events, SEALED, DECIDED, DISMISSED_AT)),
        period=a_period(section, "period", positive=floor),
        classes=frozenset(_known(section, "class", classes)),
        jurisdiction=_jurisdiction(section),
        severity=_SEVERITIES.get(section.text("severity", "low", known=_SEVERITIES), Severity.LOW),
        flag=section.text("flag", known=flags) if "flag" in section else "",
        of_record=of == "record",
        cite=cite,
        verified=verified,
    )
    section.close()
    return rule


def _known(section: Section, key: str, known: Collection[str]) -> tuple[str, ...]:
    names = section.texts(key, ())
    for name in names:
        if name not in known:
            section.problem(key, f"{name!r} is not known; {did_you_mean(name, known)}")
    if not names and key in section:
        section.problem(key, "names nothing; leave it out")
    return names


def _jurisdiction(section: Section) -> frozenset[str]:
    places = section.texts("jurisdiction", ())
    for place in places:
        if not is_jurisdiction(place):
            section.problem("jurisdiction", f"{place!r} is not a code such as NL, US-CA, EU or EEA")
    if not places and "jurisdiction" in section:
        section.problem("jurisdiction", "names nothing; leave it out for everywhere")
    return frozenset(places)


def _refuse_order(section: Section, low_key: str, low: Period | None, high_key: str, high: Period | None) -> None:
    if low is None or high is None or low is _NOTHING or high is _NOTHING:
        return
    if any(low.after(day, later=False) > high.after(day, later=False) for day in _DAYS):
        section.problem(low_key, f"{low} is longer than {high_key} ({high})")


def _is_nothing(period: Period | None) -> bool:
    return period is not _NOTHING and period == _NOTHING


def _source(section: Section) -> tuple[str, Verified | None]:
    cite = section.text("cite")
    seal = section.section("verified")
    if seal.empty:
        return cite, None
    by, at = seal.text("by"), seal.text("at")
    seal.close()
    try:
        return cite, Verified(by=by, at=date.fromisoformat(at))
    except ValueError:
        if at:
            seal.problem("at", f'{at!r} is not a day; write it as "2026-11-30"')
        return cite, None
