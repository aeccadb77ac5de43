"""Runs the `watchkeep` command with a stopwatch at the runner's seams, in the driver's process only.

    python benchmarks/traced.py TRACE.json scan FILES... (as for watchkeep)

Writes to TRACE, times on the monotonic clock: `up`, when each seat got its worker of Ray's; `first_frame`, when the
first frame of a recording had its score in this process (Ray's workers only come up later); `tasks`: (act, position,
track, began, ended) of each; `driving`: for how long this process only drove, and its CPU seconds meanwhile.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.runtime.ray_workers import LocalRay, RemoteWorker
from pipeline.runtime.tasks import Act, Answer, Task
from pipeline.runtime.worker import Worker
from pipeline.score.frames import PictureClassifier

TRACE: dict[str, Any] = {"up": [], "first_frame": None, "tasks": [], "driving": [0.0, 0.0]}
_DOING = threading.local()
_HANDED_OVER: list[float] = []


def _timed(run: Callable[..., Answer]) -> Callable[..., Answer]:
    def timed(self: Worker | RemoteWorker, task: Task) -> Answer:
        _DOING.act = task.act
        began = time.monotonic()
        answer = run(self, task)
        if _HANDED_OVER:
            TRACE["driving"] = [time.monotonic() - _HANDED_OVER[0], time.process_time() - _HANDED_OVER[1]]
        track = task.chunk.track if task.chunk else ""
        TRACE["tasks"].append((task.act, task.position, track, began, time.monotonic()))
        return answer

    return timed


def _seen(worker: Callable[..., Any]) -> Callable[..., Any]:
    def seen(self: LocalRay, *, wait: bool) -> Any:
        found = worker(self, wait=wait)
        if found is not None:
            TRACE["up"].append(time.monotonic())
            _HANDED_OVER[:] = time.monotonic(), time.process_time()
        return found

    return seen


def _first(score: Callable[..., Any]) -> Callable[..., Any]:
    def first(self: PictureClassifier, frames: Any) -> Any:
        scores = score(self, frames)
        if TRACE["first_frame"] is None and getattr(_DOING, "act", None) is Act.SCORE:
            TRACE["first_frame"] = time.monotonic()
        return scores

    return first


def main() -> None:
    """Wrap, run, write."""
    trace = Path(sys.argv.pop(1))
    for owner, name, around in (
        (Worker, "run", _timed),
        (RemoteWorker, "run", _timed),
        (LocalRay, "worker", _seen),
        (PictureClassifier, "score", _first),
    ):
        setattr(owner, name, around(getattr(owner, name)))
    from pipeline.__main__ import main as watchkeep

    try:
        watchkeep()
    finally:
        trace.write_text(json.dumps(TRACE))


if __name__ == "__main__":
    main()
