"""`watchkeep vault`: what the vault holds, in numbers."""

from __future__ import annotations

import typer

from pipeline.app import sweep
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import plain, say, show_json

app = typer.Typer(help="What the vault holds.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    pass


@app.command("stats")
def stats(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Incidents by state and class, bytes, conflicts, requests, and the last sweep. Nothing is unsealed."""
    found = sweep.stats(Home.at(home))
    if as_json:
        show_json(found)
        return
    for name, value in found.items():
        words = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        say(plain(f"{name.replace('_', ' '):>22}  {words or 'none'}"))
