"""`watchkeep hold`: orders that forbid destruction, on incidents or on people by name."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.app import holds
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, AsRequired, HomeOption, JsonOption
from pipeline.cli.out import REFUSED, many, moment, note, plain, say, short, show_asked, show_json, table

app = typer.Typer(help="Holds: what must not be destroyed.", no_args_is_help=True, rich_markup_mode=None)

Kind = Annotated[str, typer.Option(help="The kind of hold, as the rules name it (watchkeep retention show).")]
HoldArgument = Annotated[str, typer.Argument(metavar="HOLD", help="A hold's id or its first characters.")]


@app.command("place")
def place(
    kind: Kind,
    authority: Annotated[str, typer.Option(help="Who demands it.")],
    reason: Annotated[str, typer.Option(help="Why, for those who read it later.")],
    name: AsRequired,
    incident: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Hold this incident; may be repeated.")
    ] = None,
    account: Annotated[str, typer.Option(help="Hold and preserve all there is of this account.")] = "",
    participant: Annotated[str, typer.Option(help="The same for a participant's handle.")] = "",
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="Recordings from this day on.")] = "",
    to: Annotated[str, typer.Option(metavar="DATE", help="Recordings up to this day.")] = "",
    reference: Annotated[str, typer.Option(help="The authority's reference.")] = "",
    received: Annotated[str, typer.Option(metavar="TIME", help="When it was received (default: now).")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Its end, where the rules leave it open.")] = "",
    confidential: Annotated[bool, typer.Option("--confidential", help="Only the legal role may see it.")] = False,
    again: Annotated[str, typer.Option("--hold", metavar="HOLD", help="Go on with what a hold could not copy.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Place a hold. A named person's recordings, chat logs and connection records are copied into the vault first.

    Exit 1 if something in scope could not be copied: the hold is in force, and --hold goes on with what is missing.
    """
    letter = {"kind": kind, "authority": authority, "reference": reference, "reason": reason, "received": received,
              "until": until, "confidential": "yes" if confidential else ""}  # fmt: skip
    scope = {"account": account, "participant": participant, "from": start, "to": to, "hold": again}
    if bool(incident) == bool(account or participant):
        raise typer.BadParameter("name incidents with --incident, or one person with --account or --participant")
    if incident and (start or to or again):
        raise typer.BadParameter("--from, --to and --hold go with a person, not with --incident")
    place_ = Home.at(home)
    told = holds.place(place_, name, letter, incident) if incident else holds.preserve(place_, name, letter, scope)
    if as_json:
        show_json(told)
    else:
        say(plain(f"hold {told['hold_id']} until {moment(told['until'])}: {many(len(told['incidents']), 'incident')}, "
                  f"{many(len(told['preserved']), 'recording')} preserved"))  # fmt: skip
        for gone in told["gone"]:
            note(plain(f"incident {gone} was destroyed before: nothing of it can be held"))
        for missing in told["missing"]:
            note(plain(f"not copied: {missing}"), style="bold red")
    raise typer.Exit(REFUSED if told["missing"] else 0)


@app.command("renew")
def renew(
    hold: HoldArgument,
    reference: Annotated[str, typer.Option(help="The renewed order's reference.")],
    name: AsRequired,
    until: Annotated[str, typer.Option(metavar="DATE", help="Its new end (default: as the rules renew).")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move a hold's end to a later time."""
    told = holds.renew(Home.at(home), name, hold, until=until, reference=reference)
    if as_json:
        show_json(told)
    else:
        say(plain(f"hold {told['hold_id']} until {moment(told['until'])}"))


@app.command("release")
def release(
    hold: HoldArgument,
    reason: Annotated[str, typer.Option(help="Why; the two who approve read it.")],
    name: AsRequired,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a hold's release: it ends when two other people approved."""
    show_asked(holds.release(Home.at(home), name, hold, reason=reason), as_json=as_json)


@app.command("list")
def list_holds(name: AsOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """All holds, oldest first. Confidential ones show to the legal role alone (--as)."""
    found = holds.listed(Home.at(home), name)
    if as_json:
        show_json({"holds": found})
        return
    rows = [
        (short(h["hold_id"]), h["state"], h["kind"] + (", confidential" if h["confidential"] else ""),
         moment(h["until"]), len(h["incidents"]), f"{h['authority']} {h['reference']}")
        for h in found
    ]  # fmt: skip
    table(("hold", "state", "kind", "until", "incidents", "by"), rows)
    if not found:
        note("no holds")
