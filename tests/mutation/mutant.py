"""What a mutant is."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """`find` is replaced wherever it stands in `file`; `tests` are what pytest is given, separated by spaces."""

    name: str
    file: str
    find: str
    replacement: str
    tests: str
