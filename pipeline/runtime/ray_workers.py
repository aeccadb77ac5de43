"""The Ray runner: workers as Ray actors, each the remote end of one driver thread.

Only task names, ids and counts travel. No media, no key and no name of a person or file ever enters an argument or a
result, the session folder lies on a memory file system, and spilling is off; a token is always demanded, because Ray's
ports cannot be bound to the loopback address alone.
"""

from __future__ import annotations

import os
import queue
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.core.errors import ConfigError
from pipeline.ingest.limits import cpu_budget, limit_process
from pipeline.runtime.memory import MEMORY_FOLDER, fresh, in_memory, sweep
from pipeline.runtime.tasks import Act, Answer, Failed, Task
from pipeline.runtime.worker import Worker

SESSION_PREFIX = "wkray"
OBJECT_STORE_BYTES = 80 << 20
ACTOR_MEMORY_BYTES = 16 << 30
"""Address space of one worker; models, decoder and libraries map much more than they touch."""


class LocalRay:
    """A Ray of this process's own, started in the background; ends with `stop` or, after a kill, by itself."""

    def __init__(self, make: Callable[[], Worker], *, workers: int, task_s: float, say: Callable[[str], None]) -> None:
        if not in_memory():
            raise ConfigError(f"{MEMORY_FOLDER} is no memory file system here: run with --ray off")
        self._make = make
        self._workers = workers
        self._task_s = task_s
        self._say = say
        self._actor: Any = None
        self._up: queue.SimpleQueue[RemoteWorker | None] = queue.SimpleQueue()
        sweep(SESSION_PREFIX)
        self.session = fresh(SESSION_PREFIX)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True, name="ray")
        self._thread.start()

    def worker(self, *, wait: bool) -> RemoteWorker | None:
        """The next worker that is up; None if none is (it waits for one, with `wait`) or Ray cannot run."""
        try:
            return self._up.get(block=wait)
        except queue.Empty:
            return None

    def stop(self, *, now: bool = False) -> None:
        """End Ray and forget its session folder. `now`: for a process that is leaving and takes Ray along, without
        waiting for a start that may be under way; the next start sweeps what is left.
        """
        self._over.set()
        if not now:
            self._thread.join()

    def _live(self) -> None:
        # Ray's processes die with the thread that started them (the kernel's parent-death signal goes by thread), so
        # this one stays until the end.
        try:
            self._init()
            self._bring_up()
        except Exception as error:  # noqa: BLE001 - the scan goes on without Ray
            failure = str(error).splitlines()[0] if str(error) else type(error).__name__
            self._say(f"Ray did not start ({failure}): scanning in this process instead")
            for _ in range(self._workers):
                self._up.put(None)
        self._over.wait()
        import ray

        ray.shutdown()
        shutil.rmtree(self.session, ignore_errors=True)

    def _bring_up(self) -> None:
        """Starts all workers at once and hands each on when it has its models; one that died will be replaced."""
        import ray

        coming = {}
        for _ in range(self._workers):
            actor = self._make_actor()
            coming[actor.load.remote()] = actor
        while coming and not self._over.is_set():
            for loaded in ray.wait(list(coming), timeout=0.5)[0]:
                self._up.put(RemoteWorker(self._make_actor, coming.pop(loaded), task_s=self._task_s))

    def _make_actor(self) -> Any:
        return self._actor.remote(self._make, self._task_s, os.environ.get("HOME", ""))

    def _init(self) -> None:
        os.environ.update(
            RAY_USAGE_STATS_ENABLED="0",
            RAY_AUTH_MODE="token",
            RAY_AUTH_TOKEN=secrets.token_hex(32),
            RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0",
            RAY_DEDUP_LOGS="0",
            RAY_enable_metrics_collection="0",
        )
        # Ray opens its own folder to everybody; inside one that only we may enter, that does no harm.
        inner = self.session / "r"
        inner.mkdir()
        import ray

        with _home_of_its_own(inner):
            self._open(ray, inner)
        self._actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Actor)

    def _open(self, ray: Any, inner: Path) -> None:
        ray.init(
            num_cpus=self._workers,
            num_gpus=0,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            object_store_memory=OBJECT_STORE_BYTES,
            _temp_dir=str(inner),
            _system_config={"automatic_object_spilling_enabled": False},
        )


@contextmanager
def _home_of_its_own(folder: Path) -> Iterator[None]:
    """Ray's processes are born with `folder` as their home: they read and write nothing under the user's.

    The empty cluster file there keeps Ray from asking the metadata services of clouds where it runs.
    """
    (folder / "ray_bootstrap_config.yaml").write_text("{}\n", encoding="ascii")
    before = os.environ.get("HOME")
    os.environ["HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = before


class _Actor:
    """The remote end: one worker in a process of its own, with limits on what hostile media can take."""

    def __init__(self, make: Callable[[], Worker], task_s: float, home: str) -> None:
        limit_process(ACTOR_MEMORY_BYTES)
        os.environ["HOME"] = home
        self._task_s = task_s
        self._worker = make()

    def load(self) -> None:
        self._worker.load()

    def run(self, task: Task) -> Answer:
        # A decoder that never comes back is ended by the kernel; the driver then hears that this worker died. A
        # conclusion may cut many incidents out of one recording.
        with cpu_budget(self._task_s * (4 if task.act is Act.CONCLUDE else 1)):
            return self._worker.run(task)


class RemoteWorker:
    """The driver's end of one actor; makes another when it dies."""

    def __init__(self, make_actor: Callable[[], Any], actor: Any, *, task_s: float) -> None:
        self._make_actor = make_actor
        self._task_s = task_s
        self._actor: Any = actor

    def run(self, task: Task) -> Answer:
        """The actor's answer; Failed("died") if it ended, or had to be ended, before it answered."""
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        if self._actor is None:
            self._actor = self._make_actor()
        try:
            answer: Answer = ray.get(self._actor.run.remote(task), timeout=4 * self._task_s + 60)
        except GetTimeoutError:
            ray.kill(self._actor)
            self._actor = None
            return Failed(fault="died", reason="over the time limit")
        except RayError as error:
            self._actor = None
            return Failed(fault="died", reason=type(error).__name__)
        return answer


class Handover:
    """One seat of the pool: a remote worker once one is up. An `early` seat works here meanwhile, and lets its models
    go when it hands over; if Ray cannot start, every seat works here.
    """

    def __init__(self, make: Callable[[], Worker], ray: LocalRay, *, early: bool) -> None:
        self._make = make
        self._ray = ray
        self._early = early
        self._seat: Worker | RemoteWorker | None = None

    def run(self, task: Task) -> Answer:
        """The answer, from here or from there."""
        if not isinstance(self._seat, RemoteWorker):
            if (remote := self._ray.worker(wait=not self._early and self._seat is None)) is not None:
                self._seat = remote
            elif self._seat is None:
                try:
                    self._seat = self._make()
                except Exception as error:  # noqa: BLE001 - the scan would wait for an answer for ever
                    return Failed(fault="died", reason=str(error))
        return self._seat.run(task)
