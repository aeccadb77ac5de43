"""Where tasks run: the seam between the driver and its workers, and the in-process runner.

A pool takes tasks up to its capacity and gives answers in the order in which they finish. It knows nothing of
recordings, and it refuses nothing: a worker that died answers `Failed(fault="died")`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.runtime.tasks import Answer, Failed, Task


class Runs(Protocol):
    """A worker, here or far away."""

    def run(self, task: Task) -> Answer:
        """The answer to `task`; what goes wrong is a Failed, never an exception."""


class Pool(Protocol):
    """Workers somewhere."""

    @property
    def capacity(self) -> int:
        """How many tasks may be in flight."""

    def submit(self, task: Task) -> None:
        """Hand over a task; never blocks. At most `capacity` are in flight."""

    def next(self, timeout_s: float) -> tuple[Task, Answer] | None:
        """The next finished task, or None after `timeout_s`."""

    def close(self) -> None:
        """End the workers without waiting for what they are doing; idempotent."""


class ThreadPool:
    """A thread for each worker. In-process workers share the cores well, because decoders, networks and ciphers release
    the interpreter lock; a thread of a remote worker only waits.

    Each thread makes its own worker, in itself, so that no model or file handle is shared.
    """

    def __init__(self, makers: Sequence[Callable[[], Runs]]) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Task, Answer]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, args=(make,), daemon=True, name=f"worker-{i}")
            for i, make in enumerate(makers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def capacity(self) -> int:
        """One task for each thread."""
        return len(self._threads)

    def submit(self, task: Task) -> None:
        """Queue a task."""
        self._tasks.put(task)

    def next(self, timeout_s: float) -> tuple[Task, Answer] | None:
        """The next finished task, or None after `timeout_s`."""
        try:
            return self._answers.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Threads end after their current task; they are daemons, so leaving the process does not wait for them."""
        for _ in self._threads:
            self._tasks.put(None)

    def _serve(self, make: Callable[[], Runs]) -> None:
        worker: Runs | None = None
        while (task := self._tasks.get()) is not None:
            try:
                worker = worker or make()
                answer = worker.run(task)
            except Exception as error:  # noqa: BLE001 - a thread that cannot go on must answer, or the scan would hang
                answer = Failed(fault="died", reason=str(error))
            self._answers.put((task, answer))
