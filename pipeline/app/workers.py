"""A pool of workers for one run: threads here for a small job, Ray processes for a large one.

The maker of a worker is a plain value (paths, ids, digests): it travels to another process and builds everything there.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from pipeline.app.compose import Installation, compose_line
from pipeline.app.home import Home
from pipeline.core.errors import ConfigError
from pipeline.runtime.pool import ThreadPool
from pipeline.runtime.ray_workers import Handover, LocalRay
from pipeline.runtime.worker import Worker

SMALL_JOB_BYTES = 64 << 20
"""Below this a job ends in the time that Ray takes to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeWorker:
    """Opens an installation and builds its line; refuses if the policy or a model changed since the run began."""

    home: Home
    policy: Path | None
    run_id: str
    terms: str

    def __call__(self) -> Worker:
        """A worker of this process."""
        line = compose_line(Installation.open(self.home, policy=self.policy), self.run_id)
        if line.terms.fingerprint != self.terms:
            raise ConfigError("the policy, the settings or a model changed while the scan was running: scan again")
        return Worker(line)


class Workers:
    """Context manager: a pool of `count` workers, ended on leaving."""

    def __init__(self, make: MakeWorker, *, count: int, task_s: float, ray: bool, say: Callable[[str], None]) -> None:
        self._make = make
        self._count = count
        self._task_s = task_s
        self._wants_ray = ray
        self._say = say
        self.leaving = False
        """Set when the process will end at once: nothing is waited for."""
        self._ray: LocalRay | None = None
        # Ray prints about workers that died on standard output, where only the report belongs; the driver hears it too.
        self._hush = redirect_stdout(_Nowhere())

    def __enter__(self) -> Self:
        if self._wants_ray:
            self._hush.__enter__()
            ray = self._ray = LocalRay(self._make, workers=self._count, task_s=self._task_s, say=self._say)
            seats: list[Callable[[], Worker | Handover]] = [
                partial(Handover, self._make, ray, early=i == 0) for i in range(self._count)
            ]
        else:
            seats = [self._make] * self._count
        self.pool = ThreadPool(seats)
        return self

    def __exit__(self, *exception: object) -> None:
        self.pool.close()
        if self._ray is not None:
            self._ray.stop(now=self.leaving)
            self._hush.__exit__(None, None, None)


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def wants_ray(where: str, media_bytes: int) -> bool:
    """Whether `--ray where` means Ray for a job of this size; ConfigError for what this version cannot do."""
    if where == "off":
        return False
    if where == "local":
        return True
    if where == "auto":
        return media_bytes >= SMALL_JOB_BYTES
    raise ConfigError(
        f"--ray {where}: a cluster needs a catalog and a vault that all its machines reach, and this home's are files; "
        "use --ray auto, local or off"
    )
