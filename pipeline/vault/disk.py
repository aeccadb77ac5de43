"""Durable files: what returns from here survives a crash, and nothing half-written ever bears its final name.

Files are made with mode 0600 and folders with 0700, whatever the umask. Refuses to know what the bytes mean.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PART = ".part"
"""Suffix of a file that was never finished."""


def make_folder(path: Path) -> None:
    """Make `path` and its missing parents, durably."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in `path` durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_once(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """A new durable file with what `write` writes. Raises FileExistsError, and then `path` is as it was."""
    part = _part(path, write)
    try:
        os.link(part, path)  # refuses a name that exists, unlike rename
    finally:
        part.unlink()
    sync_folder(path.parent)


def replace(path: Path, body: bytes) -> None:
    """`path` holds `body` or what it held before, never anything between."""
    _part(path, writing(body)).replace(path)
    sync_folder(path.parent)


def writing(body: bytes) -> Callable[[BinaryIO], None]:
    """What to hand to `write_once` for bytes that are at hand."""

    def write(out: BinaryIO) -> None:
        out.write(body)

    return write


def _part(path: Path, write: Callable[[BinaryIO], None]) -> Path:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            write(out)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        part.unlink()
        raise
    return part


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds `path` (made if missing) alone among processes and threads; the kernel frees it however its holder ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
