"""The benchmark measures what it says: whole process trees, and recordings that are what their recipe says."""

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest

from benchmarks import measure, media
from benchmarks.rounds import Scanned

CHILD = "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass\n"


def test_the_work_of_children_is_counted_and_their_memory_with_them() -> None:
    parent = f"import subprocess, sys; held = bytearray(80 << 20); subprocess.run([sys.executable, '-c', {CHILD!r}])"
    cost = measure.run([sys.executable, "-c", parent])
    assert 0.4 < cost.cpu_s < 3
    assert cost.peak_mb > 80
    assert cost.cpu_until(cost.began) == 0


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="ended with 3: no such luck"):
        measure.run([sys.executable, "-c", "import sys; sys.stderr.write('no such luck'); sys.exit(3)"])


def test_a_clip_is_its_minute_over_and_over_and_no_two_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "MINUTE_S", 2)
    small = replace(media.LONG, name="small", size=(64, 48), fps=10)
    first, second = media.clips([(small, 3), (small, 3)], tmp_path)
    assert first.path.read_bytes() != second.path.read_bytes()
    with av.open(str(first.path)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert len(times) == 60
    assert all(later - earlier == times[1] for earlier, later in pairwise(times))
    with av.open(str(first.path)) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0)) / media.RATE_HZ
    assert heard == pytest.approx(6, abs=0.2)


def test_work_before_the_workers_were_up_is_not_counted_as_theirs() -> None:
    cost = measure.Cost(began=0, wall_s=20, cpu_s=20, peak_mb=1, others=0, course=(), output="")
    tasks = [("score", 0, "video", 2.0, 10.0), ("score", 0, "audio", 10.0, 12.0), ("conclude", 0, "", 12.0, 13.0)]
    scanned = Scanned(cost=cost, report={}, trace={"up": [4.0], "tasks": tasks}, clips=())
    least = [{"decode": 5.0, "score": 3.0, "audio": 1.0, "score_audio": 1.0}]
    assert scanned.split(least) == (4.0, pytest.approx((8 * 6 / 8 + 2) / 10))
    assert scanned.ended == 13.0


def test_where_ray_came_up_at_the_very_end_all_the_work_counts() -> None:
    cost = measure.Cost(began=0, wall_s=20, cpu_s=20, peak_mb=1, others=0, course=(), output="")
    tasks = [("score", 0, "video", 2.0, 10.0), ("conclude", 0, "", 12.0, 13.0)]
    scanned = Scanned(cost=cost, report={}, trace={"up": [9.9, 12.0], "tasks": tasks}, clips=())
    assert scanned.split([{"decode": 5.0, "score": 3.0, "audio": 0.0, "score_audio": 0.0}]) == (2.0, 1.0)
