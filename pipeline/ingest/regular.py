"""The door to local files: opens a regular file and nothing else, and never blocks.

A name is data. It is handed to the kernel as it is and to nobody else: no library sees it, so no pattern, scheme or
option inside a name can mean anything. Refuses to know what the bytes are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.core.errors import SourceError, UnreachableError

_SPECIAL = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFDIR: "folder",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@contextmanager
def regular_file(path: str) -> Iterator[int]:
    """A read-only descriptor of the non-empty regular file at `path`, closed at the end.

    Raises SourceError: "not a regular file: ...", "zero bytes"; UnreachableError: "permission denied: ...",
    "not there: ...", "cannot be opened: ...", and "cannot be read: ..." where the disk gives up while it is used.
    """
    descriptor = _open(path)
    try:
        _check(os.fstat(descriptor))
        yield descriptor
    except OSError as error:
        raise UnreachableError(f"cannot be read: {error.strerror or error}") from None
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    try:
        # Looked at first: opening a device can act on it. The flags hold if the name changes meanwhile.
        _check(os.lstat(path))
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise UnreachableError("not there: no file has this name now") from None
    except PermissionError:
        raise UnreachableError("permission denied: this user may not read the file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreachableError(f"cannot be opened: {reason}") from None


def _check(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(f"not a regular file: {_SPECIAL.get(stat.S_IFMT(found.st_mode), 'of unknown kind')}")
    if found.st_size == 0:
        raise SourceError("zero bytes")
