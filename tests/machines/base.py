"""The machine's ground: one world, one model, and how rules choose among what there is."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from pipeline.core.decision import Review
from tests.machines.model import Kept, Model
from tests.machines.scene import Scene
from tests.machines.world import World

T = TypeVar("T")
Source = tuple[str, str, str, str, dict[str, str]]
"""Whose recording, with whom, on which basis, where, and the names of incidents by category."""


class Base(RuleBasedStateMachine):
    """Subclasses bring the rules."""

    memory: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.world = World(memory=self.memory)
        self.scene = Scene(self.world)
        self.sources: dict[int, Source] = {}
        self.rescans = 0
        self.uploads = 0

    @property
    def model(self) -> Model:
        return self.scene.model

    def scans(self) -> list[Kept]:
        """What people decide on."""
        return [k for k in self.model.incidents.values() if k.review is not Review.NOT_NEEDED]

    def pick(self, among: list[T], n: int) -> T:
        return among[n % len(among)]
