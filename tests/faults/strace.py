"""A system call that fails: strace watches a waiting process and lets its n-th call of a kind fail.

Nothing of ours is replaced: the error comes from where the kernel's would, for Python and for SQLite alike.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Self

ROOM = ("write", "pwrite64", "writev", "pwritev", "link", "linkat", "rename", "renameat", "renameat2", "mkdir",
        "mkdirat", "ftruncate", "fallocate")  # fmt: skip
"""Calls that a full disk refuses."""
DURABLE = ("fsync", "fdatasync", "unlink", "unlinkat", "rmdir")
"""Calls that a dying disk refuses."""
_CALL = re.compile(rf"^\d+ +({'|'.join(ROOM + DURABLE)})\(", re.MULTILINE)


def usable() -> str:
    """Why strace cannot watch a process here, or ""."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"strace may not watch here: {tried.stderr.strip()[:80]}"


def error_of(call: str) -> str:
    """What the call fails with."""
    return "ENOSPC" if call in ROOM else "EIO"


class Watched:
    """The worker, whose processes are watched one at a time."""

    def __init__(self) -> None:
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._worker.stdin
        self._worker.stdin.close()
        self._worker.wait()
        assert self._worker.stdout
        self._worker.stdout.close()

    def counted(self, act: str, root: Path, log: Path) -> Counter[str]:
        """How many calls of each kind the act makes."""
        assert self._run(act, root, "-o", str(log)) == "done"
        return Counter(_CALL.findall(log.read_text()))

    def failing(self, act: str, root: Path, call: str, number: int) -> str:
        """How the act ended whose call of that kind with that number failed."""
        return self._run(act, root, "-o", os.devnull, "-e", f"inject={call}:error={error_of(call)}:when={number}")

    def _run(self, act: str, root: Path, *options: str) -> str:
        stdin, stdout = self._worker.stdin, self._worker.stdout
        assert stdin and stdout
        stdin.write(f"{act} {root}\n")
        stdin.flush()
        pid = stdout.readline().strip()
        calls = ",".join(f"?{call}" for call in (*ROOM, *DURABLE))
        command = ["strace", "-f", "-p", pid, "-e", f"trace={calls}", "-e", "signal=none", *options]
        watcher = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert watcher.stderr
        said = watcher.stderr.readline()
        assert "attached" in said, said
        stdin.write("go\n")
        stdin.flush()
        answer = stdout.readline().strip()
        watcher.wait()
        watcher.stderr.close()
        return answer
