"""A disk that stops at a chosen step, and what is on it then.

Steps are the system calls that change a disk; the system's own functions are watched, none of ours. A process that is
killed leaves every change it made; a power cut leaves only what was synced: bytes by the file's fsync, names by the
folder's.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

STEPS = (
    *("fsync", "pwrite", "ftruncate", "posix_fallocate"),
    *("link", "unlink", "rename", "replace", "mkdir", "rmdir"),
)


class PowerCutError(BaseException):
    """The machine stopped: nothing after it happens, and no handler of ours is to take it for an error."""


class Disk:
    """Watches the files under `root` while it is in use; `cut_at` counts from 1."""

    def __init__(self, root: Path, *, cut_at: int | None = None, fail_at: int | None = None) -> None:
        self.root = root
        self.steps = 0
        self._cut_at = cut_at
        self._fail_at = fail_at
        self._held: list[int] = []
        self._bodies: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        for folder in (root, *(p for p in root.rglob("*") if p.is_dir())):
            self._synced(os.open(folder, os.O_RDONLY))
            for path in folder.iterdir():
                if path.is_file():
                    self._synced(os.open(path, os.O_RDONLY))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """From here on steps count; ends quietly at the cut."""
        patches = [patch.object(os, name, self._watched(getattr(os, name))) for name in STEPS]
        for each in patches:
            each.start()
        try:
            yield
        except PowerCutError:
            pass
        finally:
            for each in patches:
                each.stop()
            for handle in self._held:
                os.close(handle)
            self._held.clear()

    @property
    def cut(self) -> bool:
        """True if the work did not come to its end."""
        return self._cut_at is not None and self.steps >= self._cut_at

    @property
    def failed(self) -> bool:
        return self._fail_at is not None and self.steps >= self._fail_at

    def synced_only(self, to: Path) -> None:
        """Make `to` what is under `root` after a power cut."""
        self._rebuild(self.root.stat().st_ino, to)

    def _rebuild(self, folder: int, to: Path) -> None:
        to.mkdir(mode=0o700)
        for name, inode in self._names.get(folder, {}).items():
            if inode in self._bodies:
                (to / name).write_bytes(self._bodies[inode])
                (to / name).chmod(0o600)
            else:
                self._rebuild(inode, to / name)

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            self.steps += 1
            if self._cut_at is not None and self.steps >= self._cut_at:
                raise PowerCutError
            if self.steps == self._fail_at:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            done = real(*args, **kwargs)
            if real.__name__ == "fsync":
                self._synced(os.open(f"/proc/self/fd/{args[0]}", os.O_RDONLY))
            return done

        return step

    def _synced(self, handle: int) -> None:
        self._held.append(handle)  # so that no other file gets its inode
        about = os.fstat(handle)
        if stat.S_ISDIR(about.st_mode):
            path = Path(f"/proc/self/fd/{handle}").readlink()
            self._names[about.st_ino] = {entry.name: self._seen(entry) for entry in path.iterdir()}
        else:
            self._bodies[about.st_ino] = os.pread(handle, about.st_size, 0)

    def _seen(self, path: Path) -> int:
        handle = os.open(path, os.O_RDONLY)
        self._held.append(handle)
        about = os.fstat(handle)
        if stat.S_ISREG(about.st_mode):
            self._bodies.setdefault(about.st_ino, b"")
        return about.st_ino


def every_cut(base: Path, scratch: Path, work: Callable[[Path], object]) -> Iterator[tuple[Path, bool]]:
    """`work` done on copies of `base`, cut at its first step, its second and so on, and at last not at all.

    Gives what is on the disk after each, twice: after a kill and after a power cut; and whether the work came to its
    end. Every copy is at the same path.
    """
    number, cut, place = 0, True, scratch / "place"
    while cut:
        number += 1
        shutil.copytree(base, place)
        disk = Disk(place, cut_at=number)
        with disk.in_use():
            work(place)
        cut = disk.cut
        disk.synced_only(scratch / "synced")
        yield place, not cut
        shutil.rmtree(place)
        (scratch / "synced").rename(place)
        yield place, not cut
        shutil.rmtree(place)
    assert number > 3, "no step was seen"


def every_failure(base: Path, scratch: Path, work: Callable[[Path], object]) -> Iterator[tuple[Path, OSError | None]]:
    """`work` done on copies of `base` while one step fails, the first, the second and so on, and at last none.

    Gives the place and what came out of it, if it was an error of the machine or was caused by one.
    """
    number, failed, place = 0, True, scratch / "place"
    while failed:
        number += 1
        shutil.copytree(base, place)
        disk, caught = Disk(place, fail_at=number), None
        with disk.in_use():
            try:
                work(place)
            except OSError as error:
                caught = error
        failed = disk.failed
        yield place, caught
        shutil.rmtree(place)
    assert number > 3, "no step was seen"
