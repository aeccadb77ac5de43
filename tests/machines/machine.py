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
            with self.world.fuse.held():
                invariants.deeply(self.scene)
                problems = self.world.vault.verify().problems
                if problems and not self.scene.laid_over:
                    self.scene.fail("I5, I9", f"verification finds {problems}")
        finally:
            self.world.close()


class KeepingMachineOnDisk(KeepingMachine):
    """SQLite, files and the key store of files."""

    memory: ClassVar[bool] = False
