"""Reads a retention rule file: all rules of keeping, or all that is wrong with them.

A rule that nobody verified is read like any other; it is the engine that lets it destroy nothing in production.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from pipeline.config.marks import Problems, Section, parse_yaml, read_text
from pipeline.config.retention_rules import (
    a_deadline,
    a_flag,
    a_hold,
    a_pattern,
    a_period,
    an_exact,
    bound_rules,
    class_rules,
)
from pipeline.core.errors import ConfigError
from pipeline.core.person import Role
from pipeline.core.retention import REPORT_ENDS, REPORT_OPENS, RequestKind
from pipeline.decide.taxonomy import Taxonomy
from pipeline.retention.period import Period
from pipeline.retention.rules import (
    APPEAL_DECIDED,
    APPEAL_RECEIVED,
    CASE_TRIGGERS,
    OTHER_TRIGGERS,
    PATTERN_CONFIRMED,
    ClockLimits,
    ConflictRule,
    Deadline,
    DualControl,
    Limits,
    Rules,
)

_OWN_EVENTS = REPORT_OPENS | REPORT_ENDS | {PATTERN_CONFIRMED, APPEAL_RECEIVED, APPEAL_DECIDED}
_VALID_AT_MOST, _WAITS_AT_LEAST = timedelta(hours=24), timedelta(hours=72)


def load_rules(path: Path, *, production: bool = False) -> Rules:
    """The rules at `path`. Raises ConfigError with every problem, each with file and line."""
    return parse_rules(read_text(path), str(path), production=production)


def parse_rules(text: str, name: str, *, production: bool = False) -> Rules:
    """As `load_rules`, of the `text` of a file that messages call `name`.

    `production` refuses dual control that is weaker than approvals of 24 hours and a wait of 72.
    """
    problems = Problems()
    top = parse_yaml(text, name, problems)
    events = _events(top)
    flags = {key: a_flag(key, section) for key, section in _named(top, "flags")}
    classes = class_rules(top.section("classes", required=True), events, flags)
    floors, ceilings = bound_rules(top, events, classes, flags)
    deadlines = {key: a_deadline(key, section) for key, section in _named(top, "deadlines")}
    rules = Rules(
        name=top.text("name"),
        sha256=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        classes=classes,
        floors=floors,
        ceilings=ceilings,
        holds={kind: a_hold(kind, section) for kind, section in _named(top, "holds")},
        events=events,
        patterns=tuple(a_pattern(section) for section in top.sections("patterns")),
        flags=flags,
        deadlines=deadlines,
        requests=_requests(top.section("requests", required=True), deadlines),
        keep_records=a_period(top, "keep_records"),
        clock=_clock(top.section("clock", required=True)),
        limits=_limits(top.section("limits", required=True)),
        dual_control=_dual_control(top.section("dual_control", required=True), production),
        conflict=_conflict(top.section("conflict", required=True)),
        unreviewed=top.text("unreviewed", known=("keep", "expire")),
        alarms=_alarms(top),
    )
    top.close()
    problems.refuse()
    return rules


def check_taxonomy(rules: Rules, taxonomy: Taxonomy) -> None:
    """Raises ConfigError for categories whose retention class is in none of the rules, or only behind a flag that is
    off."""
    problems = []
    for category in taxonomy.categories.values():
        rule = rules.classes.get(category.retention_class)
        where = f"category {category.id}: retention_class {category.retention_class}"
        if rule is None or not rule.of_incidents:
            problems.append(f"{where} is no class of incidents in the retention rules {rules.name}; add it there")
        elif not rules.on(rule.requires_flag):
            problems.append(f"{where} takes the flag {rule.requires_flag}, which is off in {rules.name}")
    if problems:
        raise ConfigError(tuple(problems))


def _named(top: Section, key: str) -> Iterable[tuple[str, Section]]:
    section = top.section(key, required=True)
    return [(name, section.section(name)) for name in section]


def _events(top: Section) -> frozenset[str]:
    kinds = top.texts("events")
    for kind in kinds:
        if kinds.count(kind) > 1:
            top.problem("events", f"{kind!r} is listed twice")
        if kind in CASE_TRIGGERS | OTHER_TRIGGERS:
            top.problem("events", f"{kind!r} is what the catalog knows by itself and no event; take it out")
        if not kind.isascii() or not kind.replace("_", "").isalnum() or kind != kind.lower():
            top.problem("events", f"{kind!r}: a kind of event is made of small letters, digits and _")
    for kind in sorted(_OWN_EVENTS - set(kinds)):
        top.problem("events", f"lacks {kind!r}, which open cases and patterns depend on")
    return frozenset(kinds)


def _requests(section: Section, deadlines: dict[str, Deadline]) -> dict[RequestKind, Period]:
    found = {}
    for kind in RequestKind:
        name = section.text(kind.value, known=deadlines)
        if name in deadlines:
            found[kind] = deadlines[name].due
    section.close()
    return found


def _clock(section: Section) -> ClockLimits:
    limits = ClockLimits(
        max_backward=an_exact(section, "max_backward"), max_forward=an_exact(section, "max_forward", positive=True)
    )
    section.close()
    return limits


def _limits(section: Section) -> Limits:
    limits = Limits(
        at_once=section.whole("at_once", low=1),
        share_of_week=section.number("share_of_week", low=0, high=100),
        ignore_below=section.whole("ignore_below", low=0),
    )
    if limits.ignore_below > limits.at_once > 0:
        section.problem("ignore_below", f"{limits.ignore_below} is above at_once ({limits.at_once})")
    section.close()
    return limits


def _dual_control(section: Section, production: bool) -> DualControl:
    control = DualControl(
        valid=an_exact(section, "valid", positive=True), new_approver_waits=an_exact(section, "new_approver_waits")
    )
    if production and control.valid > _VALID_AT_MOST:
        section.problem("valid", "an approval is valid for at most PT24H in mode: production")
    if production and control.new_approver_waits < _WAITS_AT_LEAST:
        section.problem("new_approver_waits", "new approvers wait at least PT72H in mode: production")
    section.close()
    return control


def _conflict(section: Section) -> ConflictRule:
    section.text("policy", known=("keep_and_restrict",))
    roles = section.texts("escalate_to")
    for role in roles:
        if role not in tuple(Role):
            section.problem("escalate_to", f"{role!r} is not one of {', '.join(Role)}")
    if not roles and "escalate_to" in section:
        section.problem("escalate_to", "names nobody")
    rule = ConflictRule(escalate_to=roles, within=an_exact(section, "within", positive=True))
    section.close()
    return rule


def _alarms(top: Section) -> tuple[timedelta, ...]:
    found = set()
    for text in top.texts("alarms"):
        try:
            ahead = Period.parse(text).delta()
        except ValueError as e:
            top.problem("alarms", str(e))
            continue
        if not ahead:
            top.problem("alarms", f"{text} before its ceiling is too late; write P2D or more")
        found.add(ahead)
    if not found and "alarms" in top:
        top.problem("alarms", "lists nothing, and unreviewed evidence must alarm before its ceiling")
    return tuple(sorted(found, reverse=True))
