"""A process with everything imported that makes a fresh one for each act, and waits while that is being watched.

Reads lines "act root" from standard input. For each it prints the pid of a process that has the vault open and waits;
a further line lets that go, and how it ended is printed: "done", "refused" (one of our sentences), "failed" (an error
of the machine), or the traceback of anything else on one line.
"""

from __future__ import annotations

import ctypes
import os
import sys
import traceback
from pathlib import Path

from pipeline.core.errors import WatchkeepError
from tests.faults.acts import ACTS
from tests.unit.vault.conftest import Place

ANSWERS = ("done", "refused", "failed", "broken")
_PR_SET_PTRACER, _ANY = 0x59616D61, -1


def main() -> None:
    for line in sys.stdin:
        act, root = line.rstrip("\n").split(" ", 1)
        go_read, go_write = os.pipe()
        told_read, told_write = os.pipe()
        if (pid := os.fork()) == 0:
            os.close(go_write)
            os.close(told_read)
            os._exit(_child(act, Path(root), go_read, told_write))
        os.close(go_read)
        os.close(told_write)
        os.read(told_read, 1)  # its vault is open
        print(pid, flush=True)  # noqa: T201
        sys.stdin.readline()
        os.write(go_write, b"x")
        _, status = os.waitpid(pid, 0)
        os.close(go_write)
        words = b""
        while piece := os.read(told_read, 1 << 16):
            words += piece
        os.close(told_read)
        code = os.waitstatus_to_exitcode(status)
        print(ANSWERS[code] if 0 <= code < 3 else f"broken {code} {words.decode()!r}", flush=True)  # noqa: T201


def _child(act: str, root: Path, go: int, told: int) -> int:
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_long(_ANY), 0, 0, 0)
    try:
        vault = Place(root).open()
        os.write(told, b"x")
        os.read(go, 1)
        try:
            ACTS[act](vault)
        finally:
            vault.close()
    except WatchkeepError:
        return 1
    except OSError:
        return 2
    except BaseException:  # noqa: BLE001  # told to whoever asked
        os.write(told, traceback.format_exc().encode())
        return 3
    return 0


if __name__ == "__main__":
    main()
