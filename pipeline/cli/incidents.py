"""`watchkeep incidents`: what was flagged, in words; never the evidence itself."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.app import look
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import say, show_json, table

app = typer.Typer(help="What was flagged.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_incidents(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """All incidents, newest first."""
    found = look.incidents(Home.at(home))
    if as_json:
        show_json({"incidents": found})
        return
    rows = [
        (i["incident_id"], i["category"], i["severity"], f"{i['start_s']:.2f}-{i['end_s']:.2f} s", i["identity"],
         i["review"], i["records"])
        for i in found
    ]  # fmt: skip
    table(("incident", "category", "severity", "where", "identity", "review", "records"), rows)


@app.command("show")
def show_incident(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="An incident's id or its first characters.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """One incident: its findings, its records, its state."""
    found = look.incident(Home.at(home), incident_id)
    if as_json:
        show_json(found)
        return
    for name, value in found.items():
        if not isinstance(value, list):
            say(f"{name:>20}  {value}")
    for title in ("findings", "evidence"):
        say()
        entries = found[title]
        table(tuple(entries[0]), [tuple(e.values()) for e in entries]) if entries else say(f"no {title}")
