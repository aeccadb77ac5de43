"""`watchkeep approvals`: what others asked for, and whether it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pipeline.app import approvals
from pipeline.app.home import Home
from pipeline.cli.options import AsRequired, HomeOption, JsonOption
from pipeline.cli.out import moment, note, plain, say, short, show_json, table

app = typer.Typer(
    help="Acts that take more than one person: look at them, approve, refuse.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RequestArgument = Annotated[str, typer.Argument(metavar="ID", help="A request's id or its first characters.")]


@app.command("list")
def list_requests(name: AsRequired, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The requests that you made or may have a say in, newest first."""
    found = approvals.listed(Home.at(home), name)
    if as_json:
        show_json({"requests": found})
        return
    rows = [(short(r["request"]), r["state"], r["asked_by"], moment(r["expires_at"]), r["act"]) for r in found]
    table(("request", "state", "asked by", "expires", "act"), rows)
    if not found:
        note("no requests")


@app.command("show")
def show(request: RequestArgument, name: AsRequired, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """One request: what exactly is asked for, by whom, and who agreed."""
    _show(approvals.show(Home.at(home), name, request), as_json=as_json)


@app.command("approve")
def approve(request: RequestArgument, name: AsRequired, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Agree. The last approval carries the act out at once; if that fails, approve again to try it again."""
    _show(approvals.approve(Home.at(home), name, request), as_json=as_json)


@app.command("refuse")
def refuse(
    request: RequestArgument,
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why not; who asked reads it.")],
    name: AsRequired,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say no, for good. Who asked may withdraw their own request this way."""
    _show(approvals.refuse(Home.at(home), name, request, why), as_json=as_json)


def _show(told: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(told)
        return
    say(plain(f"request {told['request']}: {told['state']}"), style="bold")
    lines = {"act": told["act"], **{name: _words(value) for name, value in told["params"].items()}}
    lines |= {"about": told["about"], "asked by": f"{told['asked_by']}, {moment(told['asked_at'])}"}
    lines |= {"expires": moment(told["expires_at"]), "needed": told["takes"], "refused by": told["refused_by"]}
    lines["because"] = told["reason"]
    for name, words in lines.items():
        if words:
            say(plain(f"{name:>13}  {words}"))
    for vote in told["approved_by"]:
        say(plain(f"     approved  {vote['name']}, {moment(vote['at'])}" + _not(vote["why_not"])))
    for name, value in told.get("done", {}).items():
        say(plain(f"{name:>13}  {_words(value)}"))


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _not(why: str) -> str:
    return f"; counts no more: {why}" if why else ""
