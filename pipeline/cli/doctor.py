"""`watchkeep doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.app import doctor as clinic
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import REFUSED, plain, say, show_json


def doctor(
    home: HomeOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove orphan files and keys of runs that were cut off.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look the installation over: folders, keys, models, disk, orphans, unknowns. Exit 1 if something is wrong."""
    found = clinic.examine(Home.at(home), repair=repair)
    if as_json:
        show_json({"checks": found})
    else:
        for check in found:
            style = {"wrong": "bold red", "note": "yellow"}.get(check["state"], "")
            say(plain(f"{check['state']:>6}  {check['what']}: {check['words']}"), style=style)
    raise typer.Exit(REFUSED if any(c["state"] == "wrong" for c in found) else 0)
