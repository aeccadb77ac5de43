"""One writing command per home: a lock that the kernel frees however its holder ends.

Refuses to guess from pid files: only the kernel's word counts, the text in the file is for people.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.core.clock import utc_text
from pipeline.core.errors import BusyError


class HomeLock:
    """Context manager that holds `path` (a file, made if missing) by flock; `at` is when the command began.

    Raises BusyError naming the holder's pid and since when. Programs started while it is held do not inherit it, and a
    holder that is killed lets go at once.
    """

    def __init__(self, path: Path, *, at: datetime) -> None:
        self._path = path
        self._at = at
        self._handle = -1

    def __enter__(self) -> Self:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode("ascii", "replace").strip() or "a command that is just starting"
            os.close(handle)
            raise BusyError(
                f"{self._path.parent} is in use by {holder}: wait until it ends, or choose another --home"
            ) from None
        except OSError:
            os.close(handle)
            raise
        with suppress(OSError):  # a full disk has no room for the words; the lock holds without them
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} since {utc_text(self._at)}\n".encode(), 0)
        self._handle = handle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The file stays: removing it would let two commands hold two files of one name.
        os.ftruncate(self._handle, 0)
        os.close(self._handle)
        self._handle = -1
