"""`watchkeep scan`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.app.home import Home
from pipeline.app.scan import Request
from pipeline.app.scan import scan as scan_recordings
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import REFUSED, note, plain, show_json
from pipeline.cli.progress import ScanMeter
from pipeline.cli.report import show_recordings, show_totals
from pipeline.runtime.report import Report


def scan(
    recordings: Annotated[
        list[str] | None,
        typer.Argument(help="Media files, still images, and folders of them.", metavar="RECORDINGS"),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="JSON Lines or CSV that describes recordings (docs/manifest.md).", metavar="FILE"),
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file (default: the home's).", metavar="FILE")] = None,
    home: HomeOption = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=4096, metavar="N", help="Workers (default: one per core).")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="auto: Ray unless the job is small; local: always; off: in this process (default: the settings', "
            "else auto).",
            metavar="WHERE",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if any recording was not scanned whole.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Scan recordings: score, decide, and seal what is flagged. The same command goes on where it was stopped."""
    if not recordings and manifest is None:
        raise typer.BadParameter("nothing to scan: name media files or folders, or give a --manifest")
    place = Home.at(home)
    request = Request(
        paths=tuple(recordings or ()),
        manifest=manifest,
        policy=policy,
        workers=workers,
        ray=ray,
        command=tuple(sys.argv[1:]),
    )
    with ScanMeter() as meter:
        report = scan_recordings(place, request, progress=meter.tell, say=meter.say)
    if as_json:
        show_json(report.to_json())
    else:
        show(report, place)
    if not report.complete:
        note("stopped; nothing is lost: the same command goes on where this one was")
        raise typer.Exit(130)
    raise typer.Exit(REFUSED if report.failed(strict=strict) else 0)


def show(report: Report, home: Home) -> None:
    """The report for a person, and what to do next."""
    found = report.to_json()
    show_recordings(found["recordings"])
    show_totals(found["totals"])
    if found["totals"]["incidents"]:
        note(plain(f"what was flagged: watchkeep incidents list{home.option}"))
