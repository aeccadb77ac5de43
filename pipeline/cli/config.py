"""`watchkeep config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.app import configuration
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import note, plain, say, show_json, table

app = typer.Typer(help="Settings, policy, taxonomy and model registry.", no_args_is_help=True, rich_markup_mode=None)


@app.command("check", short_help="Read every configuration file; name every error.")
def check(
    policy: Annotated[Path | None, typer.Option(help="A policy file instead of the home's.", metavar="FILE")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every configuration file whole; all errors at once, each with file and line."""
    found = configuration.check(Home.at(home), policy)
    if as_json:
        show_json(found)
    for line in () if as_json else found["files"]:
        say(plain(line))
    for problem in found["problems"]:
        note(plain(problem))
    raise typer.Exit(1 if found["problems"] else 0)


@app.command("show")
def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Every setting, its value, and where it was set."""
    found = configuration.show(Home.at(home))
    if as_json:
        show_json({"settings": found})
    else:
        table(("setting", "value", "from"), [(s["name"], s["value"], s["source"]) for s in found])
