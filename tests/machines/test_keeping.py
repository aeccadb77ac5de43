"""Whatever is done in whatever order, the invariants of evidence hold. WATCHKEEP_SLOW=1 runs the long form."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machines.machine import KeepingMachine, KeepingMachineOnDisk

SLOW = os.environ.get("WATCHKEEP_SLOW") == "1"
QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def sized(examples: int, steps: int, *, fixed: bool) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=fixed,
        database=None,
        suppress_health_check=QUIET,
    )


def test_keeping_over_stores_in_memory() -> None:
    run_state_machine_as_test(KeepingMachine, settings=sized(20, 30, fixed=True))


def test_keeping_over_sqlite_and_files() -> None:
    run_state_machine_as_test(KeepingMachineOnDisk, settings=sized(3, 30, fixed=True))


@pytest.mark.slow
@pytest.mark.skipif(not SLOW, reason="WATCHKEEP_SLOW=1 runs it")
def test_keeping_over_stores_in_memory_at_length() -> None:
    run_state_machine_as_test(KeepingMachine, settings=sized(1000, 50, fixed=False))


@pytest.mark.slow
@pytest.mark.skipif(not SLOW, reason="WATCHKEEP_SLOW=1 runs it")
def test_keeping_over_sqlite_and_files_at_length() -> None:
    run_state_machine_as_test(KeepingMachineOnDisk, settings=sized(200, 50, fixed=False))
