"""The parts of an explanation: what happens next, the class, floors, ceilings, holds, open reviews and reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.core.decision import Custody, Review, Severity
from pipeline.core.retention import (
    DISMISSED,
    PATTERN,
    PRESERVATION,
    REPORT_ENDS,
    REPORT_OPENS,
    UNCONFIRMED,
    Bound,
    Case,
    Disposition,
    Hold,
    Verdict,
    appeal_open,
)
from pipeline.retention.bounds import computed_floors, latest_of_each, promoting
from pipeline.retention.engine import judge
from pipeline.retention.keepers import APPEAL, REPORT, REVIEW, unreported
from pipeline.retention.period import Period
from pipeline.retention.phrases import happened, happens, length, listed, moment, sentence, source, stretch
from pipeline.retention.rules import ClassRule, Rules
from pipeline.retention.weighing import Weighed

NO_TIME = Period.parse("P0D")


def next_step(
    case: Case, rules: Rules, weighed: Weighed, now: datetime, *, production: bool, promoted: datetime | None
) -> str:
    """What happens next and when: the first thing that a reader wants to know."""
    if case.custody is Custody.DELETING:
        return "A sweep has begun to destroy it: its keys go unless a hold arrives first."
    found = judge(case, rules, now, production=production, promoted=promoted)
    if found.verdict is not Verdict.KEEP:
        return sentence(_due(case, rules, found, weighed))
    due, floor = weighed.due_at, weighed.floor
    bound = floor.until if floor and now < floor.until and not weighed.waived else None
    stays = f"it has to stay until {moment(bound)}" if bound else ""
    if weighed.stopped and not weighed.waived:
        return sentence(f"{stays or 'it stays'}, and nothing says when it goes: {weighed.stopped}")
    if due is None:
        return sentence(f"{stays or 'it stays'}, and no rule says yet when it goes")
    goes = max(due, bound or now, now)
    if bound != goes:
        stays = f"it is due since {moment(due)}" if due <= now else f"it may stay until {moment(goes)}"
    return sentence(stays + _after(case, judge(case, rules, goes, production=production, promoted=promoted)))


def _due(case: Case, rules: Rules, found: Disposition, weighed: Weighed) -> str:
    floor, ceiling = weighed.floor, weighed.ceiling
    if found.verdict is Verdict.CONFLICT and floor and ceiling:
        who = listed(rules.conflict.escalate_to).replace("_", " ")
        return (
            f"two rules disagree: {floor.rule} demands that it stays until {moment(floor.until)}, {ceiling.rule} that "
            f"it goes by {moment(ceiling.until)}. It stays, restricted, until the floor has passed or people settle "
            f"it: {who}, within {length(rules.conflict.within)}"
        )
    since = f"it is due since {moment(weighed.due_at)}" if weighed.due_at else "it is due"
    if found.verdict is Verdict.HELD:
        return f"{since} and stays, restricted, because {_because(case, found)}"
    nobody = ". Nobody has looked at it, and the rules let such evidence go" if found.unreviewed else ""
    return f"{since} and goes with a coming sweep unless something keeps it{nobody}"


def _after(case: Case, then: Disposition) -> str:
    """What comes of it at its end if nothing changes until `then`, the verdict at that time."""
    if then.verdict is Verdict.HELD:
        return f"; as things stand it is kept beyond that, restricted, because {_because(case, then)}"
    if then.verdict is Verdict.DESTROY:
        return ", and goes with the first sweep after that unless something keeps it"
    return ". The rule that lets it go is unverified: it destroys nothing until somebody has verified it"


def _because(case: Case, found: Disposition) -> str:
    reasons = [
        f"the hold {hold.kind} is active" + (f" until {moment(ends)}" if (ends := hold.ends_at()) else "")
        for hold in case.holds
        if hold.hold_id in found.kept_by
    ]
    if REVIEW in found.kept_by:
        reasons.append("nobody has decided on it")
    if REPORT in found.kept_by:
        reasons.append("a report about it is outstanding")
    if APPEAL in found.kept_by:
        reasons.append("an appeal is open")
    return listed(reasons)


def belonging(case: Case, rules: Rules, weighed: Weighed, promoted: datetime | None, *, legal: bool) -> Iterator[str]:
    """The class, why it is in it, and how long that class stays."""
    name, decided = case.retention_class, f" on {moment(case.decided_at)}" if case.decided_at else ""
    if name == UNCONFIRMED:
        why = f"it was flagged as {case.category} and sealed on {moment(case.sealed_at)}, and nobody has decided on it"
    elif name == DISMISSED:
        why = f"somebody decided{decided} that it is no violation"
    elif name == PRESERVATION:
        ordered = " because an order names a person" if legal or case.holds else ""
        why = f"it is ordinary content that was copied into the vault on {moment(case.sealed_at)}{ordered}"
    elif case.review is Review.UPHELD:
        grave = case.severity.name.lower()
        why = f"somebody upheld it{decided} as {case.category} (severity {grave}), a category of that class"
    else:
        why = f"it was found as {case.category}"
    yield sentence(f"its class is {name}: {why}")
    if rule := rules.classes.get(name):
        yield _terms(rule)
    if (pattern := promoting(case, rules, promoted)) and promoted:
        yield sentence(
            f"it belongs to a pattern of abuse: its person was upheld again and again, the last time on "
            f"{moment(promoted)}, so class {PATTERN} counts too"
        )
        yield _terms(pattern)


def _terms(rule: ClassRule) -> str:
    start, law = f"when {happened(rule.start)}", source(rule.cite, rule.verified is not None)
    if rule.otherwise:
        start += f" (if that never happens: when {listed([happened(o) for o in rule.otherwise], 'or')})"
    if rule.max == NO_TIME:
        return sentence(f"class {rule.name} goes once {happened(rule.start)} {law}")
    return sentence(f"class {rule.name} stays {terms(rule)}, counted from {start} {law}")


def terms(rule: ClassRule) -> str:
    """How long a class stays: "at least 6 months and at most 1 year", "exactly 1 year"."""
    if rule.min is not None and rule.min == rule.max:
        return f"exactly {stretch(rule.min)}"
    stays = [f"at least {stretch(rule.min)}"] if rule.min is not None else []
    stays += [f"at most {stretch(rule.max)}"] if rule.max is not None else []
    return listed(stays) or "without a limit"


def floors(case: Case, rules: Rules, weighed: Weighed, now: datetime, promoted: datetime | None) -> Iterator[str]:
    """Every floor: until when it binds, what started it, which law says so, and whether people moved it."""
    moved = {(o.rule, o.until, o.ground): o for o in case.overrides}
    before = {f.rule: f for f in latest_of_each([*computed_floors(case, rules, promoted), *case.floors])}
    for floor in weighed.floors:
        override = moved.get((floor.rule, floor.until, floor.cite))
        law = before[floor.rule] if override and floor.rule in before else floor
        yield sentence(f"floor {floor.rule}: {_floor_until(floor, now, weighed.waived)}, {_started(law, now)}")
        if override:
            when = f" on {moment(override.at)}" if override.at else ""
            yield sentence(
                f"two people moved that floor{when} from {moment(law.until)} to {moment(override.until)}: "
                f"{override.ground}"
            )


def _floor_until(floor: Bound, now: datetime, waived: bool) -> str:
    if floor.until <= now:
        return f"it had to stay until {moment(floor.until)}"
    return f"it has to stay until {moment(floor.until)}" + (" (waived by an order to destroy)" if waived else "")


def ceilings(weighed: Weighed, now: datetime, production: bool) -> Iterator[str]:
    """Every ceiling: until when it may stay, what started it, which law says so."""
    for ceiling in weighed.ceilings:
        may = "may stay" if now < ceiling.until else "could stay"
        idle = "; unverified as it is, it destroys nothing in production" if production and not ceiling.verified else ""
        yield sentence(
            f"ceiling {ceiling.rule}: it {may} until {moment(ceiling.until)}, {_started(ceiling, now)}{idle}"
        )


def _started(bound: Bound, now: datetime) -> str:
    what = happened(bound.trigger) if bound.trigger_at <= now else happens(bound.trigger)
    return f"because {what} on {moment(bound.trigger_at)} {source(bound.cite, bound.verified)}"


def holds(case: Case, rules: Rules, now: datetime, *, legal: bool) -> Iterator[str]:
    """Every hold of the case, active or ended; who ordered it is for the legal role."""
    for hold in case.holds:
        rule = rules.holds.get(hold.kind)
        law = f" {source(rule.cite, rule.verified is not None)}" if rule else ""
        secret = ". It is confidential: only the legal role may know of it" if hold.confidential else ""
        yield sentence(f"hold {hold.kind}{law}: {_hold_state(hold, now)}{_hold_source(hold) if legal else ''}{secret}")


def _hold_state(hold: Hold, now: datetime) -> str:
    ends = hold.ends_at()
    if not hold.active(now) and ends:
        how = "was released" if hold.released_at and ends == hold.released_at else "ran out"
        return f"it {how} on {moment(ends)} and keeps nothing any more"
    return f"it keeps the evidence from {moment(hold.starts_at)} until " + (
        moment(ends) if ends else "two people release it"
    )


def _hold_source(hold: Hold) -> str:
    named = [f"for {hold.authority}"] if hold.authority else []
    named += [f"reference {hold.reference}"] if hold.reference else []
    return f" ({', '.join(named)})" if named else ""


def automatic(case: Case, rules: Rules) -> Iterator[str]:
    """The holds that follow from the case itself: an open review, appeal or report."""
    if case.review in (Review.OPEN, Review.UNDER_REVIEW):
        looked = "somebody is looking at it" if case.review is Review.UNDER_REVIEW else "nobody has looked at it yet"
        expires = rules.unreviewed == "expire" and case.review is Review.OPEN and case.severity < Severity.SEVERE
        if expires:
            yield f"REVIEW: {looked}; requests restrict it, and the rules let it go unreviewed at its ceiling."
        else:
            yield (
                f"REVIEW: {looked}; until somebody has decided, ceilings and requests restrict it and never destroy it."
            )
    if appeal_open(event.kind for event in case.events):
        yield "APPEAL: the person appealed, and no answer is recorded since; it stays until one is."
    if unreported(case):
        yield sentence(
            f"REPORT: {_report_since(case)}, and no receipt is recorded since; it stays until one is, or until two "
            "people find that there is nothing to report"
        )


def _report_since(case: Case) -> str:
    opened = _last_opening(case)
    if opened:
        return f"{happened(opened[0])} on {moment(opened[1])}"
    decided = f" on {moment(case.decided_at)}" if case.decided_at else ""
    return f"it was upheld as severe{decided}"


def _last_opening(case: Case) -> tuple[str, datetime] | None:
    found = None
    for event in case.events:
        if event.kind in REPORT_ENDS:
            found = None
        elif event.kind in REPORT_OPENS and found is None:
            found = (event.kind, event.at)
    return found
