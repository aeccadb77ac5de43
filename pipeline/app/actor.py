"""Who acts at the command line, until people have accounts: the operating system's word for it."""

from __future__ import annotations

import getpass
import os


def actor() -> str:
    """ "os:name(uid)" of this process's user; the name of an unknown uid is "?"."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "?"
    return f"os:{name}({os.getuid()})"
