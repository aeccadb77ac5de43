"""`watchkeep users`: who works with this home, and what they are appointed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pipeline.app import users
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, HomeOption, JsonOption
from pipeline.cli.out import moment, note, plain, say, show_json, table
from pipeline.core.person import Role

app = typer.Typer(
    help="People: accounts and roles. Passphrases are asked on the terminal, or come in WATCHKEEP_PASSPHRASE (of who "
    "acts) and WATCHKEEP_NEW_PASSPHRASE (the new one).",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose account.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What they are called, for ever.")],
    role: Annotated[list[Role] | None, typer.Option(help="What they are appointed to; may be repeated.")] = None,
    by: AsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a person, who types a passphrase of their own.

    Until two people are legal or privacy officers, whoever owns the home adds anybody. Then an administrator does,
    and the roles legal, privacy_officer and severe_reviewer take the approval of two officers.
    """
    _show(users.add(Home.at(home), name, role or [], by=by), as_json=as_json)


@app.command("list")
def list_users(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Everybody with an account."""
    place = Home.at(home)
    found = users.listed(place)
    if as_json:
        show_json({"users": found})
        return
    rows = [(u["name"], u["state"], moment(u["renewed_at"]), " ".join(u["roles"]) or "none") for u in found]
    table(("name", "state", "since", "roles"), rows)
    if not found:
        note(plain(f"nobody has an account in {place.root}"))


@app.command("role")
def role(
    name: NameArgument,
    grant: Annotated[Role | None, typer.Option(help="A role that they get.")] = None,
    revoke: Annotated[Role | None, typer.Option(help="A role that they lose.")] = None,
    by: AsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grant or revoke a role."""
    if (grant is None) == (revoke is None):
        raise typer.BadParameter("name one role, with --grant or with --revoke")
    place = Home.at(home)
    if grant is not None:
        _show(users.grant(place, name, grant, by=by), as_json=as_json)
    elif revoke is not None:
        _show(users.revoke(place, name, revoke, by=by), as_json=as_json)


@app.command("disable")
def disable(name: NameArgument, by: AsOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Let nobody log in under this name any more. What they approved, and was not carried out yet, counts no more."""
    _show(users.disable(Home.at(home), name, by=by), as_json=as_json)


@app.command("enable")
def enable(name: NameArgument, by: AsOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Let a disabled person log in again."""
    _show(users.enable(Home.at(home), name, by=by), as_json=as_json)


@app.command("reset")
def reset(name: NameArgument, by: AsOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Give somebody a new passphrase; everybody may change their own. For a while they approve nothing."""
    _show(users.reset(Home.at(home), name, by=by), as_json=as_json)


def _show(told: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(told)
        return
    if told["done"]:
        say(plain(f"{told['name']}: {told['done']}"))
    for request in told["requests"]:
        say(plain(f"request {request['request']}: {request['words']}"))
