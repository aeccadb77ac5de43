"""Folders on the memory file system, for what must never reach a disk; those of processes that died are swept.

Refuses to know what lies in them.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a memory file system is the point
_SUFFIX_BYTES = 2


def in_memory(folder: Path = MEMORY_FOLDER) -> bool:
    """True if `folder` is a memory file system of its own."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return False
    return any(line.split()[1:3] == [str(folder), "tmpfs"] for line in mounts.read_text().splitlines())


def fresh(prefix: str) -> Path:
    """A new folder that only we may enter; its name carries this process's id."""
    folder = MEMORY_FOLDER / f"{prefix}{os.getpid()}{secrets.token_hex(_SUFFIX_BYTES)}"
    folder.mkdir(mode=0o700)
    return folder


def sweep(prefix: str) -> None:
    """Remove such folders of processes that are gone."""
    for folder in MEMORY_FOLDER.glob(f"{prefix}*"):
        pid = folder.name.removeprefix(prefix)[: -2 * _SUFFIX_BYTES]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
