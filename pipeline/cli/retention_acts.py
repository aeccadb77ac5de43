"""The verbs of `watchkeep retention` that take two people: other rules, a floor moved, destruction by order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.app import incidents, rules
from pipeline.app.home import Home
from pipeline.cli.options import AsRequired, HomeOption, IncidentOption, JsonOption
from pipeline.cli.out import show_asked


def change(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The rule file that is to come into force.")],
    name: AsRequired,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for other rules. See first what they change: watchkeep retention diff OLD NEW."""
    show_asked(rules.change(Home.at(home), name, file), as_json=as_json)


def override(
    incident: IncidentOption,
    rule: Annotated[str, typer.Option(help="The floor's rule, as explain names it.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="Where the floor goes.")],
    ground: Annotated[str, typer.Option(help="The law, and why it applies; the two who approve read it.")],
    name: AsRequired,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a floor of one incident to move. Floors never move down in any other way."""
    told = incidents.override_floor(Home.at(home), name, incident, rule=rule, until=until, ground=ground)
    show_asked(told, as_json=as_json)


def destroy(
    incident: Annotated[list[str], typer.Option(metavar="ID", help="An incident; may be repeated.")],
    authority: Annotated[str, typer.Option(help="Who demands it.")],
    reference: Annotated[str, typer.Option(help="The demand's reference.")],
    name: AsRequired,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for destruction by an authority's order (18 USC 2258B(c)): it waives floors, and never a hold."""
    told = incidents.order_destruction(Home.at(home), name, incident, authority=authority, reference=reference)
    show_asked(told, as_json=as_json)
