"""Who acts at the command line, until people have accounts: the operating system's word for it."""

from __future__ import annotations

import os
import pwd


def actor() -> str:
    """ "os:name(uid)" of this process's user; the name of an unknown uid is "?"."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name  # not of the environment, where anybody writes any name
    except KeyError:
        name = "?"
    return f"os:{name}({os.getuid()})"
