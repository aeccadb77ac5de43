"""Bounds on the process that parses hostile media, and a quiet libav.

A parser that is talked into something dies alone: no core file, no more memory or CPU than it was given.
"""

from __future__ import annotations

import ctypes
import logging
import math
import re
import resource
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import av.logging

_PR_SET_DUMPABLE = 4
_OVERSIZED = re.compile(r"Picture size ([1-9]\d*x[1-9]\d*) (?:exceeds|is invalid)")


def limit_process(memory_bytes: int | None = None) -> None:
    """For worker processes, once at birth: no core file, not dumpable, at most `memory_bytes` of address space.

    Address space, not memory in use: models, arenas and shared mappings count whole. None leaves it unbounded. Where
    the kernel knows no dumpable flag the core limit stands alone.
    """
    limit_core()
    if memory_bytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        bound = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
    # A core pattern that pipes to a collector ignores the core limit; the flag also keeps other processes of the
    # same user from reading this one's memory.
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def limit_core() -> None:
    """No core file: it would hold media, keys and names in the clear."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def cpu_budget(seconds: float) -> Iterator[None]:
    """The process may use `seconds` more of CPU time inside, then the kernel ends it (SIGXCPU).

    For worker processes whose death is retried and reported: a decoder that spins cannot be stopped in any gentler
    way. `opener.Deadline` is the gentle bound that comes first.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    bound = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
    if hard != resource.RLIM_INFINITY:
        bound = min(bound, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (bound, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


class Messages(Counter[str]):
    """libav's messages by level ("warning", "error", "critical")."""

    oversized: str = ""
    """WxH of a picture that a decoder refused for its size: it is told in words only."""


class _Counts(logging.Handler):
    """Counts libav's messages for whoever listens in the thread that they are made in; prints none."""

    def __init__(self) -> None:
        super().__init__()
        self._of_thread = threading.local()

    def listeners(self) -> list[Messages]:
        """The counters of this thread."""
        if not hasattr(self._of_thread, "listeners"):
            self._of_thread.listeners = []
        listeners: list[Messages] = self._of_thread.listeners
        return listeners

    @property
    def errors(self) -> int:
        """How many errors this thread heard of so far."""
        found: int = getattr(self._of_thread, "errors", 0)
        return found

    def emit(self, record: logging.LogRecord) -> None:
        self._of_thread.errors = self.errors + (record.levelno == logging.ERROR)
        refused = _OVERSIZED.search(record.getMessage())
        for messages in self.listeners():
            messages[record.levelname.lower()] += 1
            if refused:
                messages.oversized = refused[1]


_counts = _Counts()


def errors_spoken() -> int:
    """Errors that libav has spoken of in this thread, whatever other threads read, once `quiet_libav` listens."""
    return _counts.errors


@contextmanager
def quiet_libav() -> Iterator[Messages]:
    """Counts libav's messages of this thread while inside, and prints none.

    Safe only with single-threaded decoders, as `opener` makes them: libav's own
    threads would need Python's lock to speak while we hold it to end them.
    """
    logger = logging.getLogger("libav")
    if _counts not in logger.handlers:
        logger.addHandler(_counts)
        logger.propagate = False
    if av.logging.get_level() != av.logging.WARNING:
        av.logging.set_level(av.logging.WARNING)
        # What counts as equal would be told across threads: one file's message would hide another file's.
        av.logging.set_skip_repeated(False)
    messages = Messages()
    listeners = _counts.listeners()
    listeners.append(messages)
    try:
        yield messages
    finally:
        listeners[:] = [other for other in listeners if other is not messages]
