"""The command tree, and the one place where an error becomes a sentence and an exit status."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli import (
    approvals,
    audit,
    backup,
    certificate,
    config,
    demo,
    doctor,
    event,
    evidence,
    explain,
    hold,
    incidents,
    keys,
    models,
    recordings,
    requests,
    retention,
    retention_acts,
    runs,
    scan,
    sweep,
    users,
    vault,
)
from pipeline.cli.out import leave, refuse, unusable
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
app.command("demo", short_help="Scan the shipped samples and show what was found.")(demo.demo)
app.command("scan", short_help="Scan recordings, and seal what is flagged.")(scan.scan)
app.add_typer(runs.app, name="runs")
app.add_typer(incidents.app, name="incidents")
app.add_typer(evidence.app, name="evidence")
app.command("explain", short_help="Why something is still here, until when, or why it went.")(explain.explain)
app.add_typer(hold.app, name="hold")
app.add_typer(event.app, name="event")
app.command("sweep", short_help="What is due goes; what stays is told why.")(sweep.sweep)
app.add_typer(requests.app, name="requests")
app.command("erase", short_help="Act on an accepted request.")(requests.erase)
app.add_typer(retention.app, name="retention")
retention.app.command("change")(retention_acts.change)
retention.app.command("override")(retention_acts.override)
retention.app.command("destroy")(retention_acts.destroy)
app.add_typer(recordings.app, name="recordings")
app.add_typer(vault.app, name="vault")
app.add_typer(audit.app, name="audit")
app.command("certificate", short_help="Certify that an incident was destroyed.")(certificate.certificate)
app.add_typer(keys.app, name="keys")
app.command("backup", short_help="Copy catalog and vault while work goes on.")(backup.backup)
app.command("restore", short_help="Put a backup back, or prove that it could be.")(backup.restore)
app.add_typer(users.app, name="users")
app.add_typer(approvals.app, name="approvals")
app.add_typer(models.app, name="models")
app.add_typer(config.app, name="config")
app.command("doctor", short_help="Look the installation over.")(doctor.doctor)


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
    """Run the command and leave; every refusal of ours, and of the machine, is one sentence on standard error."""
    _standard_streams()
    status = obey()
    if threading.active_count() > 1:
        leave(status)
    sys.exit(status)


def obey(args: Sequence[str] | None = None) -> int:
    """Run one command (the process's own unless given); its exit status."""
    try:
        app(args, prog_name="watchkeep", standalone_mode=True)
    except WatchkeepError as error:
        return refuse(error)
    except OSError as error:
        return refuse(unusable(error))
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    return 0


def _standard_streams() -> None:
    """A stream that the caller closed becomes /dev/null, so that no file of ours ever gets its number."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))
        getattr(sys, name).reconfigure(errors="backslashreplace")
