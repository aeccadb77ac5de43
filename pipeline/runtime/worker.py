"""One worker: takes a task, gives an answer, never raises.

What goes wrong becomes a `Failed` that says whose fault it is. A bug's own text is left out: it could quote a name, and
reach a log file of the runner in the clear.
"""

from __future__ import annotations

import traceback

from pipeline.core.errors import (
    FencedError,
    IntegrityError,
    KeyDestroyedError,
    KeyMissingError,
    ModelError,
    SealError,
    SourceError,
    WatchkeepError,
)
from pipeline.runtime.conclude import conclude
from pipeline.runtime.inspect import inspect
from pipeline.runtime.line import Line
from pipeline.runtime.score import score
from pipeline.runtime.tasks import Act, Answer, Concluded, Failed, Task

FAULTS: tuple[tuple[type[WatchkeepError], str], ...] = (
    (SourceError, "source"),
    (ModelError, "model"),
    (FencedError, "fenced"),
    (SealError, "seal"),
    (IntegrityError, "integrity"),
    (KeyMissingError, "integrity"),
    (KeyDestroyedError, "integrity"),
    (WatchkeepError, "other"),
)


class Worker:
    """Runs tasks over one line, one at a time."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def load(self) -> None:
        """Load the models now, and not in the first task that needs them."""
        _ = self._line.detectors.frames, self._line.detectors.sounds

    def run(self, task: Task) -> Answer:
        """The answer to `task`, or Failed."""
        try:
            return self._dispatch(task)
        except WatchkeepError as error:
            fault = next(name for kind, name in FAULTS if isinstance(error, kind))
            return Failed(fault=fault, reason=str(error))
        except MemoryError:
            return Failed(fault="source", reason="over the memory limit")
        except Exception as error:  # noqa: BLE001 - the boundary: a programmer's fault must not lose the other recordings
            return Failed(fault="program", reason=_where(error))

    def _dispatch(self, task: Task) -> Answer:
        match task.act:
            case Act.CANARY:
                return self._line.canary(self._line)
            case Act.INSPECT:
                return inspect(self._line, task.position)
            case Act.SCORE:
                assert task.chunk is not None  # noqa: S101
                return score(self._line, task.position, task.recording_id, task.chunk)
            case Act.CONCLUDE:
                assert task.inspection is not None  # noqa: S101
                return Concluded(row=conclude(self._line, task.inspection))


def _where(error: Exception) -> str:
    """The kind of error and the lines of our code it passed; not its text, which may quote a name or an address."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "pipeline" in f.filename]
    path = " < ".join(f"{f.name}:{f.lineno}" for f in reversed(frames[-4:]))
    return f"{type(error).__name__} in {path}; this is a bug of watchkeep"
