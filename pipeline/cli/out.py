"""How the command speaks: JSON or tables on standard output, progress and refusals on standard error.

File names are data: control characters, line breaks and bidi marks are shown as escapes, never obeyed.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.core.errors import IntegrityError, WatchkeepError

REFUSED = 1
USAGE = 2
INTEGRITY = 3

stdout = Console(highlight=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def plain(text: str) -> str:
    """`text` with everything that could steer a terminal or hide itself written as an escape."""
    shown = []
    for char in text:
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
            shown.append(char.encode("unicode_escape").decode() if char not in "\n\t" else repr(char)[1:-1])
        else:
            shown.append(char)
    return "".join(shown)


def show_json(value: Any) -> None:
    """One JSON object on standard output; names are escaped to ASCII, so nothing in them reaches the terminal."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def say(text: str = "", *, style: str = "") -> None:
    """A line on standard output."""
    stdout.print(Text(text, style=style))


def note(text: str, *, style: str = "") -> None:
    """A line on standard error."""
    stderr.print(Text(text, style=style))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output; on no terminal, tab-separated lines."""
    cells = [[plain(str(value)) for value in row] for row in rows]
    if not stdout.is_terminal:
        for line in [list(headings), *cells]:
            sys.stdout.write("\t".join(line) + "\n")
        return
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for line in cells:
        drawn.add_row(*(Text(cell) for cell in line))
    stdout.print(drawn)


def refuse(error: WatchkeepError) -> NoReturn:
    """Print the sentence and leave: 3 for broken integrity, 1 for everything else that was refused."""
    for line in str(error).splitlines():
        note(plain(line), style="bold red" if isinstance(error, IntegrityError) else "")
    raise typer.Exit(INTEGRITY if isinstance(error, IntegrityError) else REFUSED)
