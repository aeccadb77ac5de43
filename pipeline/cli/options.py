"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="The installation's folder (default: WATCHKEEP_HOME, or ~/.watchkeep).", metavar="DIR"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
