"""The command tree, and the one place where an error becomes a sentence and an exit status."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli import config, demo, doctor, evidence, incidents, models, runs, scan
from pipeline.cli.out import refuse, stderr
from pipeline.core.errors import WatchkeepError

app = typer.Typer(
    name="watchkeep",
    help="Scan recorded video chat for illegal or abusive content, and keep the evidence sealed.",
    epilog="Exit status: 0 done, 1 refused (one sentence says what to do), 2 wrong usage, 3 integrity broken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("scan")(scan.scan)
app.add_typer(runs.app, name="runs")
app.add_typer(incidents.app, name="incidents")
app.add_typer(evidence.app, name="evidence")
app.add_typer(models.app, name="models")
app.add_typer(config.app, name="config")
app.command("doctor")(doctor.doctor)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"watchkeep {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run the command; every refusal of ours is one sentence on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(standalone_mode=True)
    except WatchkeepError as error:
        try:
            refuse(error)
        except typer.Exit as left:
            sys.exit(left.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    except KeyboardInterrupt:
        stderr.print("stopped")
        sys.exit(130)
