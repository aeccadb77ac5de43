"""One round: the scan on Ray, the scan in one process, the ideal and the plain script, one after the other on the same
recordings, each a process tree of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, run
from benchmarks.media import Clip

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
VIDEO, AUDIO = ("decode", "score"), ("audio", "score_audio")
LEAST_SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A scan of `clips`. Times on the monotonic clock."""

    cost: Cost
    report: dict[str, Any]
    trace: dict[str, Any]
    clips: Sequence[Clip]

    @property
    def ended(self) -> float:
        """When the last recording was concluded."""
        return max(ended for *_, ended in self.trace["tasks"])

    def scored(self) -> list[dict[str, Any]]:
        """What the ideal must do to have done the same."""
        return [{"path": row["uri"], "scored": row["frames_scored"]} for row in self.report["recordings"]]

    def split(self, ideal: Sequence[dict[str, Any]]) -> tuple[float, float]:
        """When start-up was over, and the share of the ideal's work that was done afterwards.

        Over when the last seat got its worker of Ray's; if next to nothing was left to do by then (few recordings, a
        busy machine), when the first one did; without Ray, when work began.
        """
        began = min(began for *_, began, _ in self.trace["tasks"])
        for up in (*sorted(self.trace["up"], reverse=True), began):
            if (share := self._share_after(up, ideal)) >= LEAST_SHARE:
                break
        return up, share

    def _share_after(self, up: float, ideal: Sequence[dict[str, Any]]) -> float:
        """A chunk under way at `up` counts by its times."""
        after = whole = 0.0
        for act, position, track, began, ended in self.trace["tasks"]:
            if act == "score":
                work = sum(ideal[position][stage] for stage in (VIDEO if track == "video" else AUDIO))
                whole += work
                after += work * min(1.0, max(0.0, (ended - up) / (ended - began)))
        return after / whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A run of the plain script over `video_s` of video, which took `video_cpu_s`, and more with start and loading."""

    cost: Cost
    video_s: float
    video_cpu_s: float

    @property
    def rate(self) -> float:
        """CPU seconds for a second of video, start and loading left out."""
        return self.video_cpu_s / self.video_s

    def all_in(self, video_s: float) -> float:
        """CPU seconds with start and loading for so much video."""
        return self.cost.cpu_s - self.video_cpu_s + self.rate * video_s


@contextmanager
def home(models: Path) -> Iterator[Path]:
    """A fresh installation with fetched models, forgotten afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="watchkeep-bench-home-"))
    try:
        (folder / "home").mkdir()
        (folder / "home" / "models").symlink_to(models)
        yield folder / "home"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _python(script: str, *arguments: str) -> Cost:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return run([sys.executable, str(BENCHMARKS / script), *arguments], environment={"PYTHONPATH": path})


def scan(clips: Sequence[Clip], models: Path, *, ray: bool) -> Scanned:
    """`watchkeep scan` of the clips in a home of its own."""
    with home(models) as at:
        trace = at.parent / "trace.json"
        paths = [str(clip.path) for clip in clips]
        where = "local" if ray else "off"
        cost = _python("traced.py", str(trace), "scan", *paths, "--ray", where, "--json", "--home", str(at))
        report = json.loads(cost.output)
        strange = [row for row in report["recordings"] if row["outcome"] != "scanned" or row["degraded"]]
        assert not strange, strange
        return Scanned(cost=cost, report=report, trace=json.loads(trace.read_text()), clips=clips)


def ideal(scanned: Scanned, models: Path, cores: int) -> list[dict[str, Any]]:
    """The CPU seconds of each recording's plain loops, with every core at it as in the scan."""
    plan = scanned.scored()
    with home(models) as at, ThreadPoolExecutor(cores) as threads:
        shares = []
        for core in range(cores):
            share = at.parent / f"plan{core}.json"
            share.write_text(json.dumps(plan[core::cores]))
            shares.append(threads.submit(_python, "ideal.py", str(at), str(share)))
        found = {row["path"]: row for share in shares for row in json.loads(share.result().output)}
    return [found[row["path"]] for row in plan]


def script(clips: Sequence[Clip], model: Path) -> Script:
    """The plain script over all clips."""
    cost = _python("plain_script.py", str(model), *(str(clip.path) for clip in clips))
    spent = sum(row["cpu_s"] for row in json.loads(cost.output))
    return Script(cost=cost, video_s=sum(clip.seconds for clip in clips), video_cpu_s=spent)
