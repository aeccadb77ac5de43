"""`watchkeep explain`: why something is still here, until when, or why and when it went."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.app import explain as explanations
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, HomeOption, JsonOption
from pipeline.cli.out import many, moment, note, plain, say, show_json


def explain(
    incident: Annotated[str, typer.Option(metavar="ID", help="An incident.")] = "",
    account: Annotated[str, typer.Option(help="Everything held on an account, in the vault and ordinarily.")] = "",
    record: Annotated[str, typer.Option(metavar="RECORD", help="One record of evidence.")] = "",
    name: AsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every floor, ceiling, hold and event in words. With --as, what that role may see; confidential holds: legal."""
    if sum(map(bool, (incident, account, record))) != 1:
        raise typer.BadParameter("explain one thing: --incident, --account or --record")
    place = Home.at(home)
    told = explanations.explain(place, name, incident=incident, account=account, record=record)
    if as_json:
        show_json(told)
        return
    for found in told["incidents"]:
        say(plain(f"incident {found['incident_id']}{': ' + found['about'] if found['about'] else ''}"), style="bold")
        for sentence in found["words"]:
            say(plain(f"  {sentence}"))
    for ordinary in told["recordings"]:
        say(plain(f"recording {ordinary['recording_id']}, stored ordinarily: {ordinary['uri']}"), style="bold")
        say(f"  registered {moment(ordinary['registered_at'])}; goes ordinarily: {moment(ordinary['deadline'])}")
    if account:
        counts = f"{many(len(told['incidents']), 'incident')}, {many(len(told['recordings']), 'ordinary recording')}"
        note(f"{counts}")
