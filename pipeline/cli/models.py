"""`watchkeep models`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.app import models
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import note, plain, say, show_json, table

app = typer.Typer(help="Model weights: which, whence, whole?", no_args_is_help=True, rich_markup_mode=None)
Names = Annotated[list[str] | None, typer.Argument(metavar="MODEL", help="Default: those the settings switch on.")]


@app.command("list")
def list_models(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The registry's models, their licences, and whether they are here."""
    found = models.listing(Home.at(home))
    if as_json:
        show_json({"models": found})
        return
    rows = [(m["name"], m["version"], m["task"], m["enabled"], m["licence"], m["state"].split(":")[0]) for m in found]
    table(("model", "version", "task", "on", "licence", "state"), rows)
    for entry in found:
        for remark in (entry["notice"], entry["state"].partition(": ")[2]):
            if remark:
                note(plain(f"{entry['name']}: {remark}"))


@app.command("fetch")
def fetch(names: Names = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Download, verify, convert and probe model weights."""
    found = models.fetch(Home.at(home), tuple(names or ()), say=note)
    if as_json:
        show_json({"models": found})
    else:
        for entry in found:
            say(f"{entry['name']}: {entry['state']}")


@app.command("verify", short_help="Check every byte of the weights, and probe each model.")
def verify(names: Names = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check every byte of the weights that are here, and probe each model."""
    found = models.verify(Home.at(home), tuple(names or ()), say=note)
    if as_json:
        show_json({"models": found})
    else:
        for entry in found:
            say(f"{entry['name']}: every byte and the probe agree")
