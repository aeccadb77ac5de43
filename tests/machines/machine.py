"""The machine: all rules over one world, and every invariant after every step."""

from __future__ import annotations

from typing import ClassVar

from hypothesis.stateful import invariant

from tests.machines import invariants
from tests.machines.rules_lives import LifeRules


class KeepingMachine(LifeRules):
    """Stores in memory; the catalog in files that memory backs."""

    memory: ClassVar[bool] = True

    @invariant()
    def all_invariants_hold(self) -> None:
        with self.world.fuse.held():
            invariants.after_every_step(self.scene)

    def teardown(self) -> None:
        try:
            if not self.scene.failed:
                with self.world.fuse.held():
                    invariants.deeply(self.scene)
                    self.years_later()
        finally:
            self.world.close()

    def years_later(self) -> None:
        """What may go has gone, what may not is there, and all of it verifies."""
        self.scene.tell("--- years later")
        if self.scene.cut:
            self.look_after_crashes()
        self.clock_is_right()
        for days in (40, 400, 4000):
            self.pass_days(days)
            self.sweep_once(again=days == 4000, deeply=days == 4000)
            invariants.after_every_step(self.scene)
        if problems := self.world.vault.verify().problems:
            self.scene.fail("I5, I9", f"verification finds {problems}")


class KeepingMachineOnDisk(KeepingMachine):
    """SQLite, files and the key store of files."""

    memory: ClassVar[bool] = False
