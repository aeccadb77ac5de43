"""kill -9 in the middle of a deletion: no managed file is kept unnoticed, none is lost track of, and it goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.recordings.held import Wanted
from pipeline.recordings.ledger import Ledger
from pipeline.recordings.originals import GONE
from tests.unit.recordings.conftest import AT, KEY
from tests.unit.recordings.shelf import Shelf

DELETER = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from pipeline.recordings import ordinary, originals
from pipeline.recordings.held import Wanted
from pipeline.recordings.ordinary import Ordinary
folder, moment, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
real, seen = os.unlink, 0
def unlink(*args, **kwargs):
    global seen
    seen += 1
    if seen == count and moment == "before": os.kill(os.getpid(), signal.SIGKILL)
    real(*args, **kwargs)
    if seen == count and moment == "after": os.kill(os.getpid(), signal.SIGKILL)
originals.os.unlink = unlink
ordinary.BATCH = 2
def progress(done, total):
    if moment == "rows" and done == count: os.kill(os.getpid(), signal.SIGKILL)
now = datetime(2026, 11, 22, tzinfo=UTC)
Ordinary.open(folder, bytes(range(32))).delete(Wanted(account="ann"), now=now, progress=progress)
"""


@pytest.mark.parametrize(("moment", "count"), [("rows", 2), ("rows", 4), ("before", 1), ("before", 4), ("after", 2)])
def test_a_deletion_that_was_killed_is_finished_by_the_next(
    ledger: Ledger, folder: Path, tmp_path: Path, moment: str, count: int
) -> None:
    shelf = Shelf(ledger, tmp_path / "media")
    files = [shelf.file(f"{i}.mp4") for i in range(5)]
    for path in files:
        shelf.scan(shelf.recording(path))
    bystander = shelf.file("ben.mp4")
    shelf.scan(shelf.recording(bystander, account="ben"))
    killed = subprocess.run([sys.executable, "-c", DELETER, str(folder), moment, str(count)], check=False)
    assert killed.returncode == -signal.SIGKILL
    again = Ledger.open(folder, KEY).ordinary
    known = {h.recording.uri for h in again.list(Wanted(account="ann"))} | {w.uri for w in again.waiting()}
    assert {str(p) for p in files if p.exists()} <= known, "a file that nobody knows of any more"
    done = again.delete(Wanted(account="ann"), now=AT)
    assert not any(p.exists() for p in files) and bystander.exists()
    assert (done.waiting, again.waiting(), shelf.held()) == ((), (), ["ben.mp4"])
    assert [t.why for t in done.told] == [GONE] * {"before": (count - 1) % 2, "after": count}.get(moment, 0)
    again.close()
