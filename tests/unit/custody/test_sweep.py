"""What a plan finds to write down before anything goes: floors of what is there, once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.custody.desk import Desk
from pipeline.custody.sweep import plan
from pipeline.retention import engine
from pipeline.retention.rules import Rules
from pipeline.vault.events import Events
from pipeline.vault.floors import Floors
from tests.unit.retention.cases import CHECKED, RULES
from tests.unit.vault.acts import BY, NOW, row
from tests.unit.vault.conftest import Place
from tests.unit.vault.sweeps import LATER, sealed_in, sweep


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    place = Place(tmp_path)
    with place.open() as vault:
        vault.begin_run("run-1", "os:ada(1000)")
        yield Desk(vault=vault, rules=RULES, categories={}, production=False, clock=place.clock)


def reported(desk: Desk, incident_id: str) -> None:
    """An event that starts a floor, which is not written down with it."""
    revision = int(str(row(desk.vault, incident_id)["revision"]))
    Events(desk.parts).record(incident_id, "ncmec_submitted", NOW, "R", revision=revision, floors=(), by=BY)


def unwritten(desk: Desk, rules: Rules = RULES) -> list[str]:
    return [incident_id for incident_id, _ in plan(replace(desk, rules=rules), LATER).unwritten]


def test_nothing_is_written_down_of_what_was_destroyed(desk: Desk) -> None:
    gone, there = sealed_in(desk.vault, 0, "nudity", "drugs")
    for incident_id in (gone, there):
        reported(desk, incident_id)
    assert sweep(desk.vault, gone).destroyed == (gone,)
    assert unwritten(desk) == [there]


def test_a_floor_that_is_written_down_is_not_new_because_somebody_verified_its_rule(desk: Desk) -> None:
    (one,) = sealed_in(desk.vault, 0, "nudity")
    reported(desk, one)
    assert unwritten(desk) == [one]
    Floors(desk.parts).write_down(one, engine.floors(desk.case(one), RULES), by=BY)
    verified = replace(RULES, floors=tuple(replace(rule, verified=CHECKED) for rule in RULES.floors))
    assert unwritten(desk) == unwritten(desk, verified) == []
