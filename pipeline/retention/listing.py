"""A rule file as lines that people read: every rule, how long, counted from what, whose law, and who confirmed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.core.decision import Severity
from pipeline.retention.period import Period
from pipeline.retention.phrases import happened, length, listed, stretch
from pipeline.retention.rules import BoundRule, ClassRule, Flag, HoldRule, PatternRule, Rules, Verified
from pipeline.retention.told import NO_TIME, terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One rule. `verified` is "" while nobody confirmed it, "not needed" for what rests on no law."""

    kind: str
    name: str
    says: str
    cite: str
    verified: str

    @property
    def unverified(self) -> bool:
        """True if somebody has to compare it with its source."""
        return not self.verified


def lines(rules: Rules) -> tuple[Line, ...]:
    """Every rule, in the order of the rule file."""
    return (
        *(_line("flag", f.name, _flag(f), f.cite, f.verified) for f in rules.flags.values()),
        *(_line("class", c.name, _class(c), c.cite, c.verified) for c in rules.classes.values()),
        *(_line("floor", b.id, _bound("at least", b), b.cite, b.verified) for b in rules.floors),
        *(_line("ceiling", b.id, _bound("at most", b), b.cite, b.verified) for b in rules.ceilings),
        *(_line("hold", h.kind, _hold(h), h.cite, h.verified) for h in rules.holds.values()),
        *(_line("pattern", p.id, _pattern(p), p.cite, p.verified) for p in rules.patterns),
        *(_line("deadline", d.name, _deadline(d.due, d.extend), d.cite, d.verified) for d in rules.deadlines.values()),
        *(_own(name, says) for name, says in _rest(rules)),
    )


def unverified(rules: Rules) -> tuple[Line, ...]:
    """The rules that nobody confirmed: in production such a floor keeps, and such a ceiling destroys nothing."""
    return tuple(line for line in lines(rules) if line.unverified)


def _line(kind: str, name: str, says: str, cite: str, verified: Verified | None) -> Line:
    checked = f"{verified.by}, {verified.at}" if verified else ""
    return Line(kind=kind, name=name, says=says, cite=cite, verified=checked)


def _own(name: str, says: str) -> Line:
    return Line(kind="setting", name=name, says=says, cite="", verified="not needed")


def _flag(flag: Flag) -> str:
    return "on" if flag.enabled else "off"


def _class(rule: ClassRule) -> str:
    start = " or ".join(happened(kind) for kind in (rule.start, *rule.otherwise))
    says = [f"goes once {start}" if rule.max == NO_TIME else f"{terms(rule)} from when {start}"]
    says += [f"the record at most {stretch(rule.record_max)}"] if rule.record_max else []
    says += [f"asked every {stretch(rule.review_every)} whether it is still needed"] if rule.review_every else []
    says += [f"instead of {listed(sorted(rule.instead_of), 'or')}"] if rule.instead_of else []
    return "; ".join([*says, *_reach(jurisdiction=rule.jurisdiction, flag=rule.requires_flag)])


def _bound(side: str, rule: BoundRule) -> str:
    says = f"{side} {stretch(rule.period)} from when {happened(rule.on)}"
    if rule.period == NO_TIME:
        says = f"goes once {happened(rule.on)}"
    whose = ["binds the record alone"] if rule.of_record else []
    classes = [f"classes {listed(sorted(rule.classes))}"] if rule.classes else []
    grave = [f"severity {rule.severity.name.lower()}"] if rule.severity > Severity.LOW else []
    return "; ".join([says, *whose, *classes, *grave, *_reach(jurisdiction=rule.jurisdiction, flag=rule.flag)])


def _reach(*, jurisdiction: Iterable[str], flag: str) -> list[str]:
    codes = sorted(jurisdiction)
    return ([f"in {listed(codes)}"] if codes else []) + ([f"while {flag} is on"] if flag else [])


def _hold(rule: HoldRule) -> str:
    says = "until two people release it" if rule.period is None else f"for {stretch(rule.period)}"
    if rule.renew:
        says += f", {'attested again every' if rule.open_ended else 'renewed for'} {stretch(rule.renew)}"
    return f"{says}; alarms {length(rule.alert_before)} before its end"


def _pattern(rule: PatternRule) -> str:
    says = (
        f"{rule.count} upheld incidents in {rule.min_distinct_sessions} sessions or more within {stretch(rule.window)}"
    )
    says += f", appeals {listed(sorted(rule.exclude), 'or')} not counted" if rule.exclude else ""
    return says + ("; a person confirms it" if rule.human_confirm else "")


def _deadline(due: Period, extend: Period | None) -> str:
    return f"within {stretch(due)}" + (f", {stretch(extend)} more where the law allows it" if extend else "")


def _rest(rules: Rules) -> Iterator[tuple[str, str]]:
    for kind, due in rules.requests.items():
        yield f"request {kind.value}", f"answered within {stretch(due)}"
    yield "keep_records", f"rows of requests stay {stretch(rules.keep_records)}"
    yield (
        "unreviewed",
        (
            "what nobody has looked at goes at its ceiling, never if severe"
            if rules.unreviewed == "expire"
            else "what nobody has looked at stays beyond its ceiling, restricted"
        ),
    )
    yield (
        "alarms",
        f"{listed([length(ahead) for ahead in rules.alarms])} before the ceiling of what nobody has looked at",
    )
    yield "clock", f"may step {length(rules.clock.max_backward)} back, {length(rules.clock.max_forward)} ahead"
    yield (
        "limits",
        (
            f"a sweep destroys {rules.limits.at_once} at most without two people, and {rules.limits.share_of_week:g} "
            f"times what the week before did; {rules.limits.ignore_below} always"
        ),
    )
    control = rules.dual_control
    yield (
        "dual_control",
        (f"an approval is valid for {length(control.valid)}; new approvers wait {length(control.new_approver_waits)}"),
    )
    roles = listed(rules.conflict.escalate_to)
    yield "conflict", f"kept and restricted; {roles} settle it within {length(rules.conflict.within)}"
    yield "events", listed(sorted(rules.events))
