"""Durable files: what returns from here survives a crash, and nothing half-written ever bears its final name.

Files are made with mode 0600 and folders with 0700, whatever the umask. Refuses to know what the bytes mean.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

PART = ".part"
"""Suffix of a file that was never finished."""
_STEP = 1 << 20


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


def sync_file(path: Path) -> None:
    """Make the bytes of `path` durable."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_new(source: BinaryIO, path: Path) -> tuple[str, int]:
    """A new file with the bytes of `source`, as `write_new` leaves it; their sha256 (hex) and how many they are."""
    digest, size = sha256(), 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while piece := source.read(_STEP):
            digest.update(piece)
            write_at(handle, size, piece)
            size += len(piece)
        os.fsync(handle)
    finally:
        os.close(handle)
    return digest.hexdigest(), size


def write_once(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """A new durable file with what `write` writes. Raises FileExistsError, and then `path` is as it was."""
    part = _part(path, write)
    try:
        os.link(part, path)  # refuses a name that exists, unlike rename
    finally:
        part.unlink()
    sync_folder(path.parent)


def write_new(path: Path, body: bytes) -> None:
    """A new file, whole on the disk but for its name: for many in a folder that nobody reads yet, synced at the end."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_at(handle, 0, body)
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(path: Path, body: bytes) -> None:
    """`path` holds `body` or what it held before, never anything between."""
    _part(path, writing(body)).replace(path)
    sync_folder(path.parent)


def supersede(path: Path, body: bytes) -> None:
    """As `replace`, and the bytes that `path` held before are overwritten on the disk; see `superseded` for crashes."""
    part, old = _part(path, writing(body)), _old(path)
    os.link(path, old)  # a second name, or the old bytes could not be reached any more
    part.replace(path)
    sync_folder(path.parent)
    shred(old)
    sync_folder(path.parent)


def superseded(path: Path) -> None:
    """Finish what a crash left of `supersede` or of any other writing of `path`, while nobody else writes it."""
    leftovers = [*path.parent.glob(f".{path.name}.*{PART}"), *path.parent.glob(_old(path).name)]
    for leftover in leftovers:
        if path.exists() and leftover.samefile(path):
            leftover.unlink()  # another name of the bytes that count
        else:
            shred(leftover)
    if leftovers:
        sync_folder(path.parent)


def _old(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def shred(path: Path) -> None:
    """Overwrite a file with random bytes, durably, then remove it; its folder is the caller's to sync."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        for start in range(0, size, _STEP):
            write_at(handle, start, secrets.token_bytes(min(_STEP, size - start)))
        os.fsync(handle)
    finally:
        os.close(handle)
    os.unlink(path)  # noqa: PTH108  # after its bytes, never before


def write_at(handle: int, offset: int, body: bytes) -> None:
    """All of `body` at `offset` of an open file; OSError if it does not fit."""
    view = memoryview(body)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


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
