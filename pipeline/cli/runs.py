"""`watchkeep runs`: what scans did."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.app import look
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import say, show_json, table

app = typer.Typer(help="What scans did.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_runs(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """All runs, newest first."""
    found = look.runs(Home.at(home))
    if as_json:
        show_json({"runs": found})
        return
    rows = [(r["run_id"], r["started_at"], r["state"], r["recordings"], r["incidents"], r["actor"]) for r in found]
    table(("run", "started", "state", "recordings", "incidents", "by"), rows)


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or `last`.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """One run with its recordings."""
    found = look.run(Home.at(home), run_id)
    if as_json:
        show_json(found)
        return
    say(f"run {found['run_id']}, {found['state']}, started {found['started_at']} by {found['actor']}")
    rows = [
        (r["uri"], r["outcome"], r["frames_sampled"], len(r["incidents"]), r["reason"]) for r in found["recordings"]
    ]
    table(("recording", "outcome", "frames", "incidents", "reason"), rows)
