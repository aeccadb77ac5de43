"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _folder(text: str) -> Path:
    if not text:
        raise typer.BadParameter("the name is empty")
    return Path(text)


HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        parser=_folder,
        help="The installation's folder (default: WATCHKEEP_HOME, or ~/.watchkeep).",
        metavar="DIR",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

AsOption = Annotated[
    str | None,
    typer.Option("--as", help="Who acts: your name (watchkeep users list); asks your passphrase.", metavar="NAME"),
]
AsRequired = Annotated[
    str, typer.Option("--as", help="Who acts: your name (watchkeep users list); asks your passphrase.", metavar="NAME")
]
IncidentOption = Annotated[
    str, typer.Option("--incident", metavar="ID", help="An incident's id or its first characters.")
]
