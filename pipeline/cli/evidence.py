"""`watchkeep evidence`: prove that what is sealed is whole; open one item under a development grant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.app import evidence
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import INTEGRITY, note, plain, say, show_json

app = typer.Typer(help="Sealed evidence.", no_args_is_help=True, rich_markup_mode=None)


@app.command("verify", short_help="Prove that everything sealed is whole.")
def verify(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Walk the whole vault: every key, file, record, catalog row and audit entry. Exit 3 names what is wrong."""
    found = evidence.verify(Home.at(home), say=note)
    if as_json:
        show_json(found)
    else:
        for problem in found["problems"]:
            say(plain(problem), style="bold red")
        for words in found["lost"]:
            say(plain(words))
        say(found["summary"])
    raise typer.Exit(INTEGRITY if found["problems"] else 0)


@app.command("open", short_help="Development mode only: open one record.")
def open_record(
    record_id: Annotated[str, typer.Argument(metavar="RECORD", help="A record's id or its first characters.")],
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why it must be seen; goes into the audit log.")],
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write here (a new file) instead of standard output.")
    ] = None,
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --to: print one JSON object about it.")] = False,
) -> None:
    """Development mode only: open one record of an incident that is not severe. The look is audited first."""
    if to is None and (as_json or sys.stdout.isatty()):
        raise typer.BadParameter("a record is bytes: name a new file with --to, or pipe them into a program")
    body = evidence.open_record(Home.at(home), record_id, reason=reason, to=to)
    if to is None:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
    elif as_json:
        show_json({"file": str(to), "size": len(body)})
    else:
        note(plain(f"{len(body)} bytes in {to}: plaintext evidence, yours to remove"))
