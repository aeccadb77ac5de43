"""`watchkeep keys`: the recovery kit, without which a lost master folder is the end of the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.app import kit
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import note, plain, say, show_json

app = typer.Typer(help="The recovery kit of the keys.", no_args_is_help=True, rich_markup_mode=None)
KitFile = Annotated[Path, typer.Argument(metavar="FILE", help="A copy of the kit: its lines, typed or scanned.")]


@app.command("kit", short_help="Write the recovery kit, for printing.")
def write(
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new file, e.g. on a stick (default: the master folder).")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the recovery kit of today. It opens every copy of the keys folder made from now on: guard it."""
    found = kit.write_kit(Home.at(home), to)
    if as_json:
        show_json(found)
        return
    say(plain(f"{found['file']}: the kit of epoch {found['epoch']}, the master key {found['master_key']}"))
    note("print it, keep it apart from the keys folder and its backups, and prove it with `watchkeep keys test-kit`")


@app.command("test-kit", short_help="Prove that a kit alone opens this installation's keys.")
def prove(file: KitFile, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Open one living key with the kit alone. Prints no secret; `doctor` stops reminding."""
    found = kit.prove_kit(Home.at(home), file)
    if as_json:
        show_json(found)
    else:
        say(plain(f"{found['file']}: the kit of epoch {found['epoch']} opens the keys folder ({found['keys']})"))


@app.command("restore-kit", short_help="Make a lost master folder anew from a kit.")
def restore(file: KitFile, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Make what is missing in the master folder from the kit, once it proved to open the keys folder."""
    found = kit.restore_kit(Home.at(home), file)
    if as_json:
        show_json(found)
        return
    for name in found["restored"]:
        say(plain(f"restored {name}"))
    say(f"the keys are open, in epoch {found['epoch']}")
