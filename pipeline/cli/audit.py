"""`watchkeep audit`: is the log whole, a checkpoint at a second place, an export, and the key to check them with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.app import audit
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, HomeOption, JsonOption
from pipeline.cli.out import INTEGRITY, plain, put, say, show_json

app = typer.Typer(help="The audit log.", no_args_is_help=True, rich_markup_mode=None)


@app.command("verify", short_help="Prove that no entry was changed, removed or put in.")
def verify(
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Check an export, with --key.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Check a certificate, with --key.")
    ] = None,
    key: Annotated[str, typer.Option(metavar="HEX", help="The public key of the log (watchkeep audit key).")] = "",
    checkpoints: Annotated[
        Path | None,
        typer.Option(metavar="DIR", exists=True, file_okay=False, help="A folder of checkpoints to hold it against."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk the chain, and hold it against its signed head and every checkpoint at the second place.

    With --export or --certificate: check that file alone, by the public key. Exit 3 names what is wrong.
    """
    file = export or certificate
    if (export and certificate) or bool(file) != bool(key):
        raise typer.BadParameter("give --key with one of --export and --certificate, or none of them")
    if file:
        found = audit.verify_file(file, key, certificate=certificate is not None, checkpoints=checkpoints)
    else:
        found = audit.verify(Home.at(home), checkpoints=checkpoints)
    if as_json:
        show_json(found)
    else:
        _tell(found)
    raise typer.Exit(INTEGRITY if found["problems"] else 0)


def _tell(found: dict[str, Any]) -> None:
    for problem in found["problems"]:
        say(plain(problem), style="bold red")
    for words in found.get("lost", ()):
        say(plain(words))
    say(plain(found["summary"]))


@app.command("checkpoint", short_help="Sign the log as it is, and keep that at a second place.")
def checkpoint(
    to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The second place (default: audit.checkpoint_to of the settings)."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign how long the log is and which entries it has. Without a second place the text is printed: publish it."""
    signed = audit.checkpoint(Home.at(home), to=to)
    if as_json:
        show_json(signed)
    elif signed["file"]:
        say(plain(f"{signed['entries']} entries signed in {signed['file']}"))
        say(f"public key {signed['key']}")
    else:
        put(signed["note"])


@app.command("export", short_help="Write the whole log for somebody outside.")
def export_log(
    to: Annotated[Path, typer.Option(metavar="FILE", help="A new file.")],
    name: AsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write every entry and a signed checkpoint. It is checked with the public key alone (audit verify --export)."""
    written = audit.export(Home.at(home), to=to, name=name)
    if as_json:
        show_json(written)
    else:
        say(plain(f"{written['entries']} entries in {written['file']}"))
        say(f"public key {written['key']}")


@app.command("key", short_help="Print the public key that checkpoints are signed with.")
def key(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Print the public key: who has it can check exports, certificates and checkpoints."""
    found = audit.key(Home.at(home))
    if as_json:
        show_json(found)
    else:
        put(found["key"] + "\n")
