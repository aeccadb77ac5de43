"""Whatever write fails, the first, the second or the last: all or nothing, and nothing that is held is lost.

Sealing, holding, sweeping and preserving, each made to fail at every system call that changes the disk: a full disk for
those that take room, a dying one for those that make durable. WATCHKEEP_SLOW=1 tries every call, else every seventh.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.acts import ACTS, look, make
from tests.faults.strace import Watched, usable
from tests.unit.vault.conftest import Place

SLOW = os.environ.get("WATCHKEEP_SLOW") == "1"
EVERY = 1 if SLOW else 7

pytestmark = pytest.mark.skipif(usable() != "", reason=usable() or "strace")


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """In memory where there is such a place: what fails is made to, and a real disk only takes longer."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="nth-", dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def base(scratch: Path) -> Path:
    make(scratch / "base")
    return scratch / "base"


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Watched() as worker:
        yield worker


@pytest.mark.parametrize("act", ACTS)
def test_after_any_failed_write_the_vault_is_whole_again(act: str, base: Path, watched: Watched, scratch: Path) -> None:
    root = scratch / act
    shutil.copytree(base, root)
    calls = watched.counted(act, root, scratch / "log")
    assert look(Place(root), act, done=True) == "all"
    every = [(call, number) for call in sorted(calls) for number in range(1, calls[call] + 1)]
    offset = sum(map(ord, act)) % EVERY  # not the same sevenths for each act
    left, failures = set(), 0
    for call, number in every[offset::EVERY]:
        shutil.rmtree(root)
        shutil.copytree(base, root)
        answer = watched.failing(act, root, call, number)
        where = f"{act}: {call} number {number} of {calls[call]} failed, and it was {answer}"
        assert answer in ("done", "refused", "failed"), where
        failures += answer != "done"
        try:
            left.add(look(Place(root), act, done=answer == "done"))
        except AssertionError as error:
            raise AssertionError(where) from error
    assert "nothing" in left and failures > len(every[offset::EVERY]) / 3
