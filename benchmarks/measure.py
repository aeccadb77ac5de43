"""What a command costs, with all the processes it starts: wall, CPU and memory, read from /proc.

A process that ends between two looks loses what it did since the last one (a tenth of a second at most). CPU seconds
are user and system together; memory is PSS, so that pages which processes share count once.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOOK_S = 0.1
MEMORY_EVERY = 5
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A finished command. `began` and the times of `course` are on the monotonic clock, which all processes share;
    `course` is (time, CPU seconds until then) at every look, `peak_mb` the largest PSS of the tree in 10^6 bytes,
    `others` the share of the machine's cores that was busy with something else meanwhile."""

    began: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    others: float
    course: tuple[tuple[float, float], ...]
    output: str

    def cpu_until(self, at: float) -> float:
        """CPU seconds spent until a time on the monotonic clock."""
        return max((cpu for when, cpu in self.course if when <= at), default=0.0)


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Cost:
    """Run `command` to its end and measure it. Raises RuntimeError with its last words if it fails."""
    began, busy = time.monotonic(), busy_seconds()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
    ) as process:
        watch = _Watch(process.pid)
        watch.start()
        output, errors = process.communicate()
        wall_s = time.monotonic() - began
        watch.stop()
    busy = busy_seconds() - busy
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {process.returncode}: {errors[-2000:]}")
    cpu_s = watch.course[-1][1]
    return Cost(
        began=began,
        wall_s=wall_s,
        cpu_s=cpu_s,
        peak_mb=watch.peak_bytes / 1e6,
        others=max(0.0, busy - cpu_s) / (wall_s * (os.cpu_count() or 1)),
        course=tuple(watch.course),
        output=output,
    )


@dataclass(slots=True)
class _Watch:
    """Looks at a process and its descendants from a thread of its own."""

    pid: int
    course: list[tuple[float, float]] = field(default_factory=list)
    peak_bytes: int = 0
    _spent: dict[tuple[int, int], float] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join()

    def _look_on(self) -> None:
        looks = 0
        while True:
            pids = [self.pid, *descendants(self.pid)]
            for pid in pids:
                if (seen := cpu_seconds(pid)) is not None:
                    self._spent[pid, seen[0]] = seen[1]
            self.course.append((time.monotonic(), sum(self._spent.values())))
            if looks % MEMORY_EVERY == 0:
                self.peak_bytes = max(self.peak_bytes, sum(map(pss_bytes, pids)))
            looks += 1
            if self._over.wait(LOOK_S):
                return


def busy_seconds() -> float:
    """CPU seconds that all cores of this machine were busy since it started."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_S


def descendants(pid: int) -> list[int]:
    """All children of a process, and theirs."""
    found = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in listing.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def cpu_seconds(pid: int) -> tuple[int, float] | None:
    """When a process started (in ticks since boot) and its own CPU seconds; None if it is gone."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): what follows the name, which may hold anything, begins with field 3; utime, stime, starttime: 14, 15, 22.
    fields = line[line.rindex(")") + 2 :].split()
    return int(fields[19]), (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def pss_bytes(pid: int) -> int:
    """Proportional set size of a process; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
