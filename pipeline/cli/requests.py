"""`watchkeep requests` and `watchkeep erase`: what platform users ask about their own data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from pipeline.app import requests
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, AsRequired, HomeOption, JsonOption
from pipeline.cli.out import REFUSED, many, moment, note, plain, say, short, show_json, table

app = typer.Typer(help="Requests of users about their own data.", no_args_is_help=True, rich_markup_mode=None)

RequestArgument = Annotated[str, typer.Argument(metavar="REQUEST", help="A request's id or its first characters.")]


@app.command("add")
def add(
    kind: Annotated[str, typer.Argument(help="withdrawal, erasure, under-13, access or restriction.")],
    account: Annotated[str, typer.Option(help="Whose data: kept sealed, and forgotten when it is closed.")],
    name: AsRequired,
    received: Annotated[str, typer.Option(metavar="TIME", help="When it was received (default: now).")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a request in. When it is due follows from the rules in force."""
    _show(requests.add(Home.at(home), name, kind=kind, account=account, received=received), as_json=as_json)


@app.command("verify")
def verify(request: RequestArgument, name: AsRequired, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say that whoever asks was shown to be who they are."""
    _show(requests.verify(Home.at(home), name, request), as_json=as_json)


@app.command("decide")
def decide(
    request: RequestArgument,
    decision: Annotated[str, typer.Option(help="accepted or refused.")],
    ground: Annotated[str, typer.Option(help="The law, and why it applies.")],
    name: AsRequired,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept or refuse a request, once. `watchkeep erase` then acts on an accepted one."""
    _show(requests.decide(Home.at(home), name, request, decision=decision, ground=ground), as_json=as_json)


@app.command("list")
def list_requests(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """All requests, oldest first; nobody is named."""
    found = requests.listed(Home.at(home))
    if as_json:
        show_json({"requests": found})
        return
    rows = [
        (short(r["request_id"]), r["kind"], moment(r["received_at"]), moment(r["due_at"]),
         f"{r['state']} {r['decision']}{', OVERDUE' if r['overdue'] else ''}")
        for r in found
    ]  # fmt: skip
    table(("request", "kind", "received", "due", "state"), rows)
    if not found:
        note("no requests")


@app.command("show")
def show_request(
    request: RequestArgument, name: AsOption = None, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """One request: what became of each incident, or would become of it now."""
    found = requests.show(Home.at(home), name, request)
    _show(found, as_json=as_json)
    if not as_json:
        _items("done", found["items"])
        _items("would be", found["planned"])


def erase(
    request: Annotated[str, typer.Option("--request", metavar="REQUEST", help="An accepted request.")],
    apply: Annotated[bool, typer.Option("--apply", help="Carry it out; otherwise nothing changes.")] = False,
    name: AsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Act on an accepted request: what is erased now, what is restricted or refused, and on which legal ground.

    Exit 1 if something that may go could not go yet; the same command goes on.
    """
    told = requests.erase(Home.at(home), name, request, apply=apply)
    if as_json:
        show_json(told)
    else:
        _items("evidence", told["items"])
        ordinary = told["ordinary"]["recordings"]
        say(f"ordinary content: {many(len(ordinary), 'recording')} {'deleted' if apply else 'would be deleted'}")
        for passed in told.get("passed_by", ()):
            say(plain(f"not yet: {short(passed['incident_id'])} {passed['words']}"))
        if not apply:
            note("nothing was changed: --apply carries it out")
    raise typer.Exit(REFUSED if told.get("passed_by") else 0)


def _show(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    state = " ".join(w for w in (found["state"], found["decision"]) if w)
    say(plain(f"request {found['request_id']}: {found['kind']}, {state}, due {moment(found['due_at'])}"))
    if found["ground"]:
        say(plain(f"ground: {found['ground']}"))


def _items(heading: str, items: Sequence[Mapping[str, Any]]) -> None:
    if items:
        say(f"{heading}: {many(len(items), 'item')}", style="bold")
        rows = [(short(i["incident_id"]), i["party"], i["outcome"], i["ground"]) for i in items]
        table(("incident", "party", "outcome", "ground"), rows)
