"""`watchkeep event`: what happened to an incident and starts a legal clock."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.app import incidents
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, AsRequired, HomeOption, IncidentOption, JsonOption
from pipeline.cli.out import moment, note, plain, say, short, show_asked, show_json, table

app = typer.Typer(help="Events that start legal clocks.", no_args_is_help=True, rich_markup_mode=None)


@app.command("record")
def record(
    kind: Annotated[str, typer.Argument(help="ncmec_submitted, nca_reported, notified, appeal_received, ...")],
    incident: IncidentOption,
    at: Annotated[str, typer.Option(metavar="TIME", help="When it happened, with its zone.")],
    name: AsRequired,
    reference: Annotated[str, typer.Option(help="The other side's reference; a receipt needs it.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record an event, and the floors that it starts."""
    told = incidents.record(Home.at(home), name, incident, kind, at=at, reference=reference)
    if as_json:
        show_json(told)
    else:
        say(plain(f"{told['kind']} recorded for {short(told['incident_id'])}; latest floor {moment(told['floor_at'])}"))


@app.command("list")
def list_events(
    incident: IncidentOption, name: AsOption = None, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """The events of an incident in the order in which they were written down."""
    found = incidents.recorded(Home.at(home), name, incident)
    if as_json:
        show_json({"events": found})
        return
    rows = [(moment(e["at"]), e["kind"], e["reference"], moment(e["recorded_at"]), e["recorded_by"]) for e in found]
    table(("at", "event", "reference", "recorded", "by"), rows)
    if not found:
        note("no events")


@app.command("close-report")
def close_report(
    incident: IncidentOption,
    ground: Annotated[str, typer.Option(help="Why there is nothing to report; the two who approve read it.")],
    name: AsRequired,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for the end of an unfiled report: it ends when two other people approved."""
    show_asked(incidents.close_report(Home.at(home), name, incident, ground=ground), as_json=as_json)
