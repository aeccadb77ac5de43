"""The sweep: what is due goes, what is kept is told why. A plan by default; the same plan again when it is applied.

Anything unusual (a clock that jumped, more than the rules let go at once, a restored backup) destroys nothing until
people agreed. Refuses to decide anything itself: the engine judges, the vault checks again and carries out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipeline.core.approval import Params
from pipeline.core.clock import utc_text
from pipeline.core.decision import Custody
from pipeline.core.errors import TransitionError, WatchkeepError
from pipeline.core.retention import Bound, Case, Disposition, Verdict
from pipeline.custody.desk import Agreed, Desk
from pipeline.retention import engine, words
from pipeline.retention.rules import Rules
from pipeline.vault.destroy import Destroyer, plan_digest
from pipeline.vault.floors import Floors
from pipeline.vault.holds import Holds
from pipeline.vault.marks import Marks

LARGE = "sweep.large"
CLOCK = "clock.accept"
RESTORED = "restore.accept"
WEEK = timedelta(days=7)
GONE = (Custody.KEY_DESTROYED, Custody.PURGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why nothing is destroyed now, and the act by which two people end that."""

    words: str
    act: str
    params: Params


@dataclass(slots=True, kw_only=True)
class Tally:
    """Verdicts as they fall: all that goes, is held or in conflict; how much is kept; words for people who must act."""

    counts: Counter[Verdict] = field(default_factory=Counter)
    going: list[Disposition] = field(default_factory=list)
    held: list[Disposition] = field(default_factory=list)
    conflicts: list[Disposition] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)

    def take(self, d: Disposition) -> None:
        """Add one; what is merely kept leaves a count and its alarms behind."""
        self.counts[d.verdict] += 1
        if d.alarms:
            self.alarms += [(d.incident_id, words) for words in d.alarms]
        if d.verdict is not Verdict.KEEP:
            lists = {Verdict.DESTROY: self.going, Verdict.HELD: self.held, Verdict.CONFLICT: self.conflicts}
            lists[d.verdict].append(d)


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a sweep found by `now`: as it is, and as it is told to people who may not know of confidential holds."""

    now: datetime
    real: Tally = field(default_factory=Tally)
    told: Tally = field(default_factory=Tally)
    secret: set[str] = field(default_factory=set)
    """Incidents that are told otherwise than they are."""
    unwritten: list[tuple[str, tuple[Bound, ...]]] = field(default_factory=list)
    """Floors that newer rules bring and that are not written down yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A plan and, if it was applied, what came of it. `pauses` say why nothing was destroyed."""

    plan: Plan
    applied: bool
    pauses: tuple[Pause, ...] = ()
    destroyed: tuple[str, ...] = ()
    unreviewed: int = 0
    passed_by: tuple[tuple[str, str], ...] = ()
    """Planned, but not carried out: the incident, and why."""
    files: int = 0


def plan(desk: Desk, now: datetime) -> Plan:
    """Judge every incident at `now`; changes nothing. What was destroyed before is no part of it."""
    found = Plan(now=now)
    hidden = Holds(desk.parts).hidden()
    for case, disposition in desk.judged(now):
        if case.custody in GONE:
            continue
        found.real.take(disposition)
        if case.incident_id in hidden:
            found.secret.add(case.incident_id)
        elif any(hold.confidential for hold in case.holds):
            found.secret.add(case.incident_id)
            found.told.take(desk.judge(words.seen(case, legal=False), now))
        else:
            found.told.take(disposition)
        if fresh := _unwritten(case, disposition, desk.rules):
            found.unwritten.append((case.incident_id, fresh))
    return found


def _unwritten(case: Case, disposition: Disposition, rules: Rules) -> tuple[Bound, ...]:
    """The case's floors that are not written down yet; its verdict names those in force, none if it was destroyed."""
    if not disposition.floors:
        return ()
    written = {(floor.rule, floor.trigger_at, floor.until) for floor in case.floors}
    if not case.overrides and written.issuperset((f.rule, f.trigger_at, f.until) for f in disposition.floors):
        return ()
    floors = engine.floors(case, rules)
    return tuple(floor for floor in floors if (floor.rule, floor.trigger_at, floor.until) not in written)


def preview(desk: Desk, as_of: datetime | None = None) -> Sweep:
    """What a sweep would do now, or on a later day if nothing happened until then."""
    now = Marks(desk.parts).now(desk.now())
    if as_of is not None and as_of < now:
        raise WatchkeepError("--as-of looks ahead: give a day that is still to come")
    found = plan(desk, as_of or now)
    pauses = [] if as_of else [*_open(Marks(desk.parts)), *_large(desk, found)]
    return Sweep(plan=found, applied=False, pauses=tuple(pauses))


def sweep(desk: Desk, *, actor: str, agreed: Agreed | None = None) -> Sweep:
    """Finish what a crash left, judge every incident, and destroy what is due and kept by nothing.

    If something stands in the way, `pauses` says what and nothing is destroyed. With `agreed`, exactly the plan that
    two people agreed to may go although it is more than the rules allow at once: what was due when they were asked.
    """
    destroyer, marks = Destroyer(desk.parts), Marks(desk.parts)
    destroyer.resume(actor=actor)
    now, jumped = desk.tick(actor)
    pauses = [Pause(words=jumped, act=CLOCK, params={"at_day": utc_text(desk.now())[:10]})] if jumped else []
    pauses += _open(marks)
    found = plan(desk, now)
    if found.unwritten:
        Floors(desk.parts).write_all(found.unwritten, by=actor)
        found = plan(desk, now)  # their revisions moved
    changed = destroyer.apply_verdicts(_restricting(found), actor=actor).ended
    if agreed is None:
        pauses += _large(desk, found)
    until = agreed.approval.requested_at if agreed else now
    done = destroyer.carry_out(
        _shown(desk, found, frozenset(changed), until),
        now=now,
        actor=actor,
        allow_unreviewed=desk.rules.unreviewed == "expire",
        approval=agreed.approval if agreed else None,
        kept=found.told.counts[Verdict.KEEP],
        stopped=pauses[0].words if pauses else "",
    )
    if pauses:
        return Sweep(plan=found, applied=False, pauses=tuple(pauses))
    if done.pause:
        raise TransitionError(f"{done.pause}; nothing was destroyed, sweep again")
    return Sweep(
        plan=found,
        applied=True,
        destroyed=done.destroyed,
        unreviewed=done.unreviewed,
        passed_by=done.skipped,
        files=len(done.files),
    )


def _shown(desk: Desk, found: Plan, changed: frozenset[str], until: datetime) -> Iterator[Disposition]:
    """What is not merely kept, as everybody may know of it; what is due after `until` waits.

    Those that ended a conflict just now are `changed`, and judged at the revision that this brought.
    """
    for planned in found.real.going:
        d = planned
        if d.incident_id in changed:
            d = desk.judge(desk.case(d.incident_id), found.now)
        waits = d.verdict is not Verdict.DESTROY or (d.due_at is not None and d.due_at > until)
        yield replace(d, verdict=Verdict.KEEP) if waits else replace(d, reason=d.basis)
    yield from found.told.held
    yield from found.told.conflicts


def _restricting(found: Plan) -> list[Disposition]:
    """What is restricted because it is held or in conflict; that a confidential hold keeps it must not show so."""
    held = [d for d in found.real.held if d.incident_id not in found.secret]
    return [*held, *(d for d in found.told.held if d.incident_id in found.secret), *found.real.conflicts]


def accept_clock(desk: Desk, agreed: Agreed) -> None:
    """Two people say that the clock is right now: destruction goes on from this time."""
    Marks(desk.parts).accept(agreed.approval, by=agreed.by.actor)


def end_pause(desk: Desk, pause_id: str, agreed: Agreed) -> None:
    """Two people ended a pause, such as that after a restore, when all holds were confirmed."""
    Marks(desk.parts).end_pause(pause_id, approval=agreed.approval, by=agreed.by.actor)


def _open(marks: Marks) -> Iterator[Pause]:
    for pause in marks.open_pauses():
        yield Pause(words=pause.reason, act=RESTORED, params={"pause": pause.pause_id})


def _large(desk: Desk, found: Plan) -> Iterator[Pause]:
    limits, count = desk.rules.limits, len(found.real.going)
    week = Destroyer(desk.parts).destroyed_since(found.now - WEEK)
    if count > limits.at_once:
        said = f"{count} incidents would go, and the rules let {limits.at_once} go at once"
    elif count > limits.ignore_below and count > limits.share_of_week * week:
        said = f"{count} incidents would go, and {week} went in the week before"
    else:
        return
    digest = plan_digest(d.incident_id for d in found.real.going)
    yield Pause(words=f"{said}: two people have to agree", act=LARGE, params={"plan": digest, "count": count})
