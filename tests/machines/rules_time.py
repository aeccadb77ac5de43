"""Rules of the machine: time passes, the rules change, the sweep goes round, the power fails, old copies come back."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from pipeline.core.clock import utc_text
from pipeline.core.errors import IntegrityError, KeyDestroyedError, WatchkeepError
from pipeline.custody import rules as rule_changes
from pipeline.custody import sweep as sweeps
from pipeline.custody.sweep import Sweep
from pipeline.vault import tables
from pipeline.vault.destroy import Destroyer
from pipeline.vault.marks import Marks
from pipeline.vault.rule_sets import RuleSets
from tests.machines import invariants
from tests.machines.base import Base
from tests.machines.rulebook import VARIANTS, Variant
from tests.machines.rules_evidence import PICK
from tests.machines.scene import Act
from tests.machines.world import LAW, PARTS

FAR = timedelta(days=36_500)
ACTOR = "os:machine(1)"


class TimeRules(Base):
    """Clock, rules in force, sweeps, crashes, restores."""

    @rule(days=st.sampled_from([1, 4, 9, 35, 100, 200, 400]))
    def days_pass(self, days: int) -> None:
        self.pass_days(days)

    def pass_days(self, days: int) -> None:
        """Somebody sweeps every day, so the clock ticks; nothing is due to this machine until it sweeps itself."""
        self.world.clock.at += timedelta(days=days)
        if self.model.clock_refused:
            return
        at = self.world.clock.now()
        self.scene.run(
            Act(
                words=f"{days} days pass",
                call=lambda: Marks(self.world.vault.parts).tick(at, max_backward=FAR, max_forward=FAR),
                happened=lambda: "",
                apply=lambda _: self.marked(),
            )
        )

    @precondition(lambda self: not self.model.clock_refused)
    @rule(
        step=st.sampled_from([timedelta(hours=-1), timedelta(minutes=-2), timedelta(days=3650), timedelta(days=3)]),
        set_right=st.sampled_from([True, True, True, False]),
    )
    def clock_jumps(self, step: timedelta, set_right: bool) -> None:
        """Nobody knows whether it is right: the sweep has to ask, and what comes in comes in."""
        self.world.clock.at += step
        self.scene.tell(f"the clock jumps by {step}")
        self.sweep_once(again=False)
        if set_right:
            self.world.clock.at -= step
            self.scene.tell("the clock is set right")

    @rule()
    def accept_clock(self) -> None:
        self.clock_is_right()

    def clock_is_right(self) -> None:
        at = self.world.clock.at
        agreed = self.scene.agreed(sweeps.CLOCK, {"at_day": utc_text(at)[:10]})
        before = self.scene.mark()

        def accepted() -> None:
            self.model.clock_refused = False
            self.model.mark = self.scene.mark()

        self.scene.run(
            Act(
                words="two people accept the clock",
                call=lambda: sweeps.accept_clock(self.world.desk, agreed) or True,  # type: ignore[func-returns-value]
                happened=lambda: True if self.scene.mark() != before else None,
                apply=lambda _: accepted(),
                verbs=("clock.accept",),
            )
        )

    def look_at_clock(self) -> None:
        """As the vault stands: the mark moves forward, or it was accepted anew."""
        self.model.clock_refused = self.scene.clock_refused()
        self.marked()

    def marked(self) -> None:
        mark = self.scene.mark()
        if self.model.mark is not None and mark < self.model.mark:
            self.scene.fail("I11", f"the mark went back from {self.model.mark} to {mark}")
        self.model.mark = mark

    @rule(to=st.sampled_from(VARIANTS))
    def change_rules(self, to: Variant) -> None:
        if to == self.world.variant:
            return
        params = rule_changes.change_params(to.name, to.text(), by=LAW)
        agreed = self.scene.agreed(rule_changes.CHANGE, params)

        def in_force() -> bool | None:
            held = RuleSets(self.world.vault.parts).current()
            return True if held is not None and held.sha256 == params["sha256"] else None

        def apply(_: bool) -> None:
            self.world.variant = to

        self.scene.run(
            Act(
                words=f"two people put the rules {to.name!r} in force",
                call=lambda: rule_changes.change(self.world.desk, params, agreed) or True,  # type: ignore[func-returns-value]
                happened=in_force,
                apply=apply,
                verbs=("rules.take",),
            )
        )

    # -- the sweep -----------------------------------------------------------------------------------------------

    @rule(again=st.booleans())
    def sweep(self, again: bool) -> None:
        self.sweep_once(again=again)

    def sweep_once(self, *, again: bool, deeply: bool = True) -> None:
        """As a timer does it every day."""
        done = self.one_sweep("sweep")
        if done is None or not done.applied:
            return
        with self.world.fuse.held():
            if again:
                before = self.digest()
                twice = sweeps.sweep(self.world.desk, actor=ACTOR)
                invariants.i10_twice_is_once(self.scene, twice.destroyed, before, self.digest())
            if deeply:
                invariants.deeply(self.scene)

    @rule()
    def sweep_more_than_usual(self) -> None:
        """Two people agree to what is more than the rules let go at once."""
        found = sweeps.preview(self.world.desk)
        for pause in found.pauses:
            if pause.act == sweeps.LARGE:
                agreed = self.scene.agreed(sweeps.LARGE, pause.params)
                self.one_sweep("sweep as two people agreed", agreed)

    def one_sweep(self, words: str, agreed: object = None) -> Sweep | None:
        gone = sum(len(k.gone) for k in self.model.incidents.values())

        def call() -> Sweep:
            return sweeps.sweep(self.world.desk, actor=ACTOR, agreed=agreed)  # type: ignore[arg-type]

        def apply(done: Sweep) -> None:
            self.swept(done, gone)

        def happened() -> None:
            """As far as it came: what went is looked at like any other step's, floors are as they were written."""
            self.model.mark = self.scene.mark()
            for kept in self.model.living():
                written = self.scene.written_floors(kept)
                computed = self.model.computed_floors(kept, self.world.variant)
                kept.floors += [f for f in computed if f not in kept.floors and (f.rule, f.until) in written]

        return self.scene.run(
            Act(words=words, call=call, happened=happened, apply=apply, refusals=(WatchkeepError,) if agreed else ())
        )

    def swept(self, done: Sweep, gone_before: int) -> None:
        self.scene.laid_over = False
        clock = [p for p in done.pauses if p.act == sweeps.CLOCK]
        self.model.clock_refused = bool(clock)
        self.scene.tell(f"    went: {len(done.destroyed)}, pauses {[p.words for p in done.pauses]}")
        if not clock:
            self.marked()
        for kept in self.model.living():
            if kept.events or kept.decided_at:
                self.model.write_floors(kept, self.world.variant)
        now = done.plan.now
        invariants.what_went(self.scene)
        if clock:
            invariants.i11_fail_safe(self.scene, gone_before)
        if done.passed_by:
            self.scene.fail("sweep", f"planned and then passed by, with nobody else at work: {done.passed_by}")
        if done.applied:
            invariants.i3_nothing_overdue(self.scene, now)
        if not clock:
            invariants.i15_conflict_is_visible(self.scene, now)

    def digest(self) -> object:
        i, f = tables.incident, tables.evidence_file
        rows = self.scene.rows(select(i).order_by(i.c.incident_id)), self.scene.rows(select(f).order_by(f.c.name))
        return [tuple(r) for table in rows for r in table], self.world.blobs.names(), self.world.keys.ids()

    # -- crashes -------------------------------------------------------------------------------------------------

    @rule(moments=st.integers(1, 14))
    def power_will_fail(self, moments: int) -> None:
        """At the n-th moment of what comes next."""
        self.scene.tell(f"(the power will fail {moments} moments from now)")
        self.world.fuse.light(moments)

    @precondition(lambda self: self.scene.cut)
    @rule()
    def doctor(self) -> None:
        self.look_after_crashes()

    def look_after_crashes(self) -> None:
        """Finishes and removes what crashes left."""

        def done() -> bool:
            self.world.vault.remove_orphans()
            return True

        def apply(_: bool) -> None:
            Destroyer(self.world.vault.parts).resume(actor=ACTOR)
            self.world.begin_run()
            invariants.what_went(self.scene)
            self.scene.cut = False
            self.scene.laid_over = False
            if problems := self.world.vault.verify().problems:
                self.scene.fail("I5, I9", f"after the doctor verification finds {problems}")

        self.scene.run(Act(words="the doctor looks", call=done, happened=lambda: None, apply=apply))

    # -- old copies ----------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.scene.backups) < 2)
    @rule()
    def back_up(self) -> None:
        with self.world.fuse.held():
            self.world.begin_run()
            backup = self.world.back_up()
        known = set(self.world.blobs.names())
        self.scene.backups.append((backup, self.model.copy(), self.scene.entries(), known))
        self.scene.tell("catalog, vault and keys are copied")

    @precondition(lambda self: self.scene.backups)
    @rule(n=PICK, part=st.sampled_from([*PARTS, "catalog and vault", "all"]))
    def an_old_copy_comes_back(self, n: int, part: str) -> None:
        """R16: whatever comes back, alone or together, opens nothing that went; then the newest is put in place."""
        backup, _, _, _ = self.pick(self.scene.backups, n)
        parts = PARTS if part == "all" else tuple(part.split(" and "))
        self.scene.tell(f"an old copy of {part} comes back")
        with self.world.fuse.held():
            newest = self.world.back_up()
            try:
                self.world.bring_back(backup, *parts)
            except IntegrityError as error:
                self.scene.tell(f"    refused: {error}")
            else:
                self.nothing_returns()
            self.world.bring_back(newest, "catalog", "keys", newest=True)
            self.scene.laid_over |= "vault" in parts
            invariants.i3_bounded_erasure(self.scene)

    def nothing_returns(self) -> None:
        for kept in self.model.incidents.values():
            for party in kept.gone:
                if party in kept.keys and self.scene.alive(kept.keys[party]):
                    self.scene.fail("R16", f"the key of {kept.name} ({party}) is back")
            for record_id, (party, body) in kept.records.items():
                if party in kept.gone:
                    try:
                        opened = self.scene.read(record_id)
                    except (KeyDestroyedError, WatchkeepError):
                        continue
                    if opened == body:
                        self.scene.fail("R16", f"evidence of {kept.name} ({party}) is back")
