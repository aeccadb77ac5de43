"""Killed and crowded writers: nothing that was committed is lost, nothing is doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from pipeline.recordings.ledger import Ledger
from tests.unit.recordings.conftest import AT, KEY

WRITER = """
import itertools, sys
from pathlib import Path
from pipeline.recordings.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]), bytes(range(32)))
for i in itertools.islice(itertools.count(), int(sys.argv[3])):
    ledger.mark(sys.argv[2], str(i), "f", b"result %d" % i, degraded=False, run_id="run-1")
    print(i, flush=True)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_loses_nothing_it_had_committed(ledger: Ledger, folder: Path) -> None:
    with writer(folder, "rec", 10**9) as child:
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(60)]
        child.send_signal(signal.SIGKILL)
        said += [int(line) for line in child.stdout.read().splitlines() if line]
    again = Ledger.open(folder, KEY)
    assert [again.done("rec", str(i), "f", run_id="run-1") for i in said] == [b"result %d" % i for i in said]
    again.begin_run("run-2", at=AT, actor="a", command="the same again")
    again.conclude("rec", "f", {}, degraded=False, run_id="run-2")
    again.close()


def test_processes_that_write_at_once_wait_for_each_other(ledger: Ledger, folder: Path) -> None:
    children = [writer(folder, name, 40) for name in ("a", "b", "c")]
    for i in range(40):
        ledger.mark("driver", str(i), "f", b"d", degraded=False, run_id="run-1")
    for child in children:
        child.communicate()
        assert child.returncode == 0
    for name in ("a", "b", "c", "driver"):
        assert all(ledger.done(name, str(i), "f", run_id="run-1") for i in range(40))


def test_a_fresh_folder_may_be_opened_by_several_processes_at_once(folder: Path) -> None:
    children = [writer(folder, "rec", 0) for _ in range(3)]
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0, 0, 0]
