"""How the command speaks: JSON or tables on standard output, progress and refusals on standard error.

File names are data: control characters, line breaks and bidi marks are shown as escapes, never obeyed. A reader that
leaves early (`| head`) stops nothing and changes no exit status.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, NoReturn

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pipeline.core.errors import IntegrityError, WatchkeepError

REFUSED = 1
INTEGRITY = 3
INTERRUPTED = 130

ADVICE = {
    errno.ENOSPC: "make room, and give the same command again",
    errno.EDQUOT: "make room, and give the same command again",
    errno.EFBIG: "make room, and give the same command again",
    errno.EACCES: "it needs its owner's rights; check them, or choose another --home",
    errno.EPERM: "it needs its owner's rights; check them, or choose another --home",
    errno.EROFS: "choose a place that can be written",
    errno.ENOTDIR: "a file lies where a folder should be; check the path",
    errno.EISDIR: "a folder lies where a file should be; check the path",
    errno.ENOENT: "check the path",
}


class _Out(Console):
    def on_broken_pipe(self) -> None:
        _forget(self.file)


def _forget(stream: IO[str]) -> None:
    # What is still buffered would fail again at exit.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


stdout = _Out(highlight=False, soft_wrap=True)
stderr = _Out(stderr=True, highlight=False, soft_wrap=True)


def plain(text: str) -> str:
    """`text` with everything that could steer a terminal or hide itself written as an escape."""
    shown = []
    for char in text:
        if "\udc80" <= char <= "\udcff":  # a byte of a file name that is no UTF-8
            shown.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
            shown.append(char.encode("unicode_escape").decode())
        else:
            shown.append(char)
    return "".join(shown)


def show_json(value: Any) -> None:
    """One JSON object on standard output; names are escaped to ASCII, so nothing in them reaches the terminal."""
    put(json.dumps(value, indent=2, ensure_ascii=True) + "\n")


def show_asked(told: Mapping[str, Any], *, as_json: bool) -> None:
    """What came of an act: done at once, or asked of others."""
    if as_json:
        show_json(told)
    elif "request" in told:
        say(plain(f"request {told['request']}: {told['words']}"))
    else:
        say(plain(", ".join(f"{name} {value}" for name, value in told.items())))


def put(text: str) -> None:
    """Text on standard output, as it is."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget(sys.stdout)


def say(text: str = "", *, style: str = "") -> None:
    """A line on standard output."""
    stdout.print(Text(text, style=style))


def note(text: str, *, style: str = "") -> None:
    """A line on standard error."""
    stderr.print(Text(text, style=style))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, under: Sequence[str] = ()) -> None:
    """A table on standard output; on no terminal, tab-separated lines.

    On a terminal only the last column may be longer than the line. `under` names what the rows hold beyond the
    headings: on a terminal these come on lines of their own below their row, elsewhere they are further columns.
    """
    cells = [[plain(str(value)) for value in row] for row in rows]
    if not stdout.is_terminal:
        put("".join("\t".join(line) + "\n" for line in [[*headings, *under], *cells]))
        return
    width = [max(cell_len(line[i]) for line in [headings, *cells]) for i in range(len(headings) - 1)]
    say(_line(headings, width), style="bold")
    for line in cells:
        say(_line(line[: len(headings)], width))
        for words in line[len(headings) :]:
            if words:
                say(f"    {words}")


def _line(cells: Sequence[str], width: Sequence[int]) -> str:
    padded = [cell + " " * (w - cell_len(cell)) for cell, w in zip(cells, width, strict=False)]
    return "  ".join([*padded, cells[-1]])


def short(name: str) -> str:
    """An id: its beginning on a terminal (every command takes that), all of it elsewhere."""
    return name[:12] if stdout.is_terminal else name


def span(start_s: float, end_s: float) -> str:
    """A span of media time for a person, e.g. "1:02:05.4-1:02:11.0"."""
    return f"{clock(start_s)}-{clock(end_s)}"


def clock(seconds: float) -> str:
    """Media time for a person: minutes and seconds, with hours where there are any."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest / 10:04.1f}" if hours else f"{minutes}:{rest / 10:04.1f}"


def moment(utc: str) -> str:
    """A UTC time for a person, to the second."""
    return utc if "T" not in utc else utc.replace("T", " ")[:19] + "Z"


def many(count: int, noun: str) -> str:
    """ "1 recording", "2 recordings"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def leave(status: int) -> NoReturn:
    """End the process at once, with its output flushed.

    For a scan that was stopped or refused: its worker threads are still inside native code, which an ordinary end would
    tear down under them. Nothing is lost by that; every durable write is a transaction.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def refuse(error: WatchkeepError) -> int:
    """Print the sentence; the exit status is 3 for broken integrity, 1 for everything else that was refused."""
    for line in str(error).splitlines():
        note(plain(line), style="bold red" if isinstance(error, IntegrityError) else "")
    return INTEGRITY if isinstance(error, IntegrityError) else REFUSED


def unusable(error: OSError) -> WatchkeepError:
    """What the machine refused, as a sentence."""
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "this machine"
    reason = (error.strerror or str(error)).lower()
    return WatchkeepError(f"{place}: {reason}; {ADVICE.get(error.errno or 0, 'look at it, and try again')}")
