"""`watchkeep backup` and `watchkeep restore`: catalog and vault in a folder of their own, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.app import backup as backups
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import INTEGRITY, note, plain, say, show_json

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The backup's folder.")]


def backup(
    folder: Folder,
    keys: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Copy the keys folder here, too: another place, never the same.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy catalog, vault and accounts as they are into a new folder, while scans and sweeps go on.

    The master key is never copied, and keys only with --keys. Exit 3 names vault files that are not what was sealed.
    """
    taken = backups.backup(Home.at(home), folder, keys=keys, say=note)
    if as_json:
        show_json(taken)
    else:
        for words in taken["problems"]:
            say(plain(words), style="bold red")
        say(plain(f"{taken['files']} files, {taken['size']} bytes, {taken['entries']} audit entries in {folder}"))
        for words in taken["warnings"]:
            note(plain(words))
    raise typer.Exit(INTEGRITY if taken["problems"] else 0)


def restore(
    folder: Folder,
    drill: Annotated[
        bool, typer.Option("--drill", help="Only prove that it could be restored; the home is not touched.")
    ] = False,
    older: Annotated[
        bool, typer.Option("--force-older", help="Also over a home that is whole and has more than the backup.")
    ] = False,
    damaged: Annotated[
        bool, typer.Option("--damaged", help="Also a backup in which something is broken, as it is.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of catalog, vault and accounts; what is there is moved aside, never deleted.

    What was destroyed since stays destroyed, and nothing is destroyed until two people confirmed the holds.
    """
    if drill:
        done = backups.drill(Home.at(home), folder, say=note)
    else:
        done = backups.restore(Home.at(home), folder, older=older, damaged=damaged, say=note)
    if as_json:
        show_json(done)
    else:
        for words in done.get("problems", ()):
            say(plain(words), style="bold red")
        say(plain(done["summary"]))
        if done.get("replaced"):
            note(plain(f"what was there lies in {done['replaced']}: remove it when nobody needs it any more"))
    raise typer.Exit(INTEGRITY if drill and done["problems"] else 0)
