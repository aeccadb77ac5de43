"""The platform's own files: noted when a scan sees them, removed when their recording goes and they are managed.

Removes what it noted and nothing else: a file whose content changed is left, no link is followed, no folder removed.
Refuses to know why a file goes.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

NOT_SEEN = -1
GONE = "not there any more: a deletion that was cut off removed it, or somebody else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A file as a scan saw it. `place` is its path with every link of its folders resolved; `size` in bytes, NOT_SEEN
    where no regular file was there; `sha256` is "" where it was not read."""

    uri: str
    place: str
    size: int = NOT_SEEN
    mtime_ns: int = 0
    sha256: str = ""


class Removal(StrEnum):
    """What became of an original that was to be removed."""

    REMOVED = "removed"
    LEFT = "left"
    """It is not, or not surely, what was scanned: for a person."""
    LATER = "later"
    """It cannot be removed now: tried again."""


def absolute(uri: str) -> str:
    """The path that `uri` is here, whatever folder a later command is given in; links stay."""
    return os.path.join(os.getcwd(), uri)  # noqa: PTH118, PTH109  # pathlib would tidy a name, and names are data


def place_of(uri: str) -> str:
    """Where the file lies: the folders' links resolved, the file's own name kept."""
    folder, name = os.path.split(absolute(uri))
    return f"{os.path.realpath(folder).rstrip('/')}/{name}"


def noted(uri: str, sha256: str = "") -> Original:
    """The file as it is now; `sha256` is what was read of it."""
    place = place_of(uri)
    try:
        found = os.lstat(place)
    except (OSError, ValueError):
        return Original(uri=absolute(uri), place=place)
    if not stat.S_ISREG(found.st_mode):
        return Original(uri=absolute(uri), place=place)
    return Original(uri=absolute(uri), place=place, size=found.st_size, mtime_ns=found.st_mtime_ns, sha256=sha256)


def remove(original: Original) -> tuple[Removal, str]:
    """Remove the file if it is what was noted, for good (its folder is synced); why not is the second value."""
    if original.size == NOT_SEEN:
        return Removal.LEFT, "it was no regular file when it was scanned"
    try:
        with _folder(original.place) as folder:
            return _remove(original, original.place.rpartition("/")[2], folder)
    except NotADirectoryError:
        return Removal.LEFT, "its path leads over a link or a file now"
    except FileNotFoundError:
        return Removal.LATER, "its folder is not there: is its disk mounted?"
    except OSError as error:
        return Removal.LATER, (error.strerror or str(error)).lower()


@contextmanager
def _folder(place: str) -> Iterator[int]:
    """A handle on the folder of `place`, reached name by name without following a link."""
    handle = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in place.split("/")[1:-1]:
            below = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _remove(original: Original, name: str, folder: int) -> tuple[Removal, str]:
    # Asked for first: without the right to sync its folder, a removed file could come back with the power.
    listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        try:
            before = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return Removal.LEFT, GONE
        if not stat.S_ISREG(before.st_mode):
            return Removal.LEFT, "it is no regular file any more"
        if not _same(original, name, folder, before):
            return Removal.LEFT, "its content changed since it was scanned"
        after = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if _identity(after) != _identity(before):
            return Removal.LEFT, "it changed while it was looked at"
        os.unlink(name, dir_fd=folder)  # relative to a folder that cannot be swapped
        os.fsync(listing)
        return Removal.REMOVED, ""
    finally:
        os.close(listing)


def _same(original: Original, name: str, folder: int, found: os.stat_result) -> bool:
    """Whether the file holds what was scanned: by its content, or by size and time where it was never read."""
    if found.st_size != original.size:
        return False
    if not original.sha256:
        return found.st_mtime_ns == original.mtime_ns
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as body:
        opened = _identity(os.fstat(body.fileno())) == _identity(found)
        return opened and hashlib.file_digest(body, "sha256").hexdigest() == original.sha256


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
