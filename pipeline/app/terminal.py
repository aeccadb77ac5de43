"""Passphrases as they come in: from the environment, or from the terminal without echo; never as an argument."""

from __future__ import annotations

import getpass
import os
import sys

from pipeline.core.errors import ConfigError


def passphrase_of(name: str) -> str:
    """The passphrase of who acts: WATCHKEEP_PASSPHRASE, else asked. ConfigError where nobody can be asked."""
    if given := os.environ.get("WATCHKEEP_PASSPHRASE"):
        return given
    return _asked(f"Passphrase of {name!r}: ", "WATCHKEEP_PASSPHRASE")


def new_passphrase_of(name: str) -> str:
    """The passphrase that somebody is to have: WATCHKEEP_NEW_PASSPHRASE, else asked twice.

    Raises ConfigError where nobody can be asked, or if the two differ.
    """
    if given := os.environ.get("WATCHKEEP_NEW_PASSPHRASE"):
        return given
    first = _asked(f"New passphrase, to be typed by {name!r}: ", "WATCHKEEP_NEW_PASSPHRASE")
    if first != _asked("Once more: ", "WATCHKEEP_NEW_PASSPHRASE"):
        raise ConfigError("the two passphrases differ: nothing was changed, give the command again")
    return first


def _asked(prompt: str, variable: str) -> str:
    if not sys.stdin.isatty():
        raise ConfigError(f"there is no terminal to ask for a passphrase on: give it as {variable}")
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise ConfigError("no passphrase was given") from None
