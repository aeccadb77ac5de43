"""One writing command per home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.errors import BusyError
from pipeline.recordings.lock import HomeLock
from tests.unit.recordings.conftest import AT

HOLDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from pipeline.recordings.lock import HomeLock
with HomeLock(Path(sys.argv[1]), at=datetime.now(UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_start_is_refused_naming_who_holds_the_home_and_since_when(tmp_path: Path) -> None:
    path = tmp_path / "home" / "lock"
    with HomeLock(path, at=AT), pytest.raises(BusyError) as refusal, HomeLock(path, at=AT):
        pass
    assert f"process {os.getpid()} since 2026-11-22T12:00:00" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    with HomeLock(path, at=AT):
        pass


def test_a_killed_holder_lets_go_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=f"process {child.pid} "), HomeLock(path, at=AT):
            pass
        child.kill()
    with HomeLock(path, at=AT):
        pass


def test_a_program_started_under_the_lock_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with HomeLock(path, at=AT):
        program = subprocess.Popen(["/bin/sleep", "30"])
    with program, HomeLock(path, at=AT):
        program.kill()
