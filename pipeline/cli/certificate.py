"""`watchkeep certificate`: the proof that an incident was destroyed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.app.certificate import certificate as issue
from pipeline.app.certificate import words
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, HomeOption, IncidentOption, JsonOption
from pipeline.cli.out import note, plain, say, show_json


def certificate(
    incident: IncidentOption,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the certificate here (a new file).")] = None,
    name: AsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Certify that an incident, or one party in it, was destroyed: what, how, when, by whom, why, how verified."""
    document = issue(Home.at(home), incident, to=to, name=name)
    if as_json:
        show_json(document)
        return
    for line in words(document):
        say(plain(line))
    note(plain(f"certificate in {to}") if to else "write it with --to FILE: audit verify --certificate checks it")
