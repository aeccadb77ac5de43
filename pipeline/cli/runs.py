"""`watchkeep runs`: what scans did."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.app import look
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import moment, note, plain, say, show_json, table
from pipeline.cli.report import show_recordings, show_totals

app = typer.Typer(help="What scans did.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_runs(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """All runs, newest first."""
    place = Home.at(home)
    found = look.runs(place)
    if as_json:
        show_json({"runs": found})
        return
    rows = [
        (r["run_id"], moment(r["started_at"]), r["recordings"], r["incidents"], r["state"], r["actor"]) for r in found
    ]
    table(("run", "started", "recordings", "incidents", "state", "by"), rows)
    if not found:
        note(plain(f"no runs in {place.root} yet: watchkeep scan RECORDINGS{place.option}"))


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or `last`.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """One run with its recordings."""
    found = look.run(Home.at(home), run_id)
    if as_json:
        show_json(found)
        return
    say(plain(f"run {found['run_id']}, {found['state']}, started {moment(found['started_at'])} by {found['actor']}"))
    say(plain(f"watchkeep {found['command']}"))
    show_recordings(found["recordings"])
    if found["totals"]:
        show_totals(found["totals"])
