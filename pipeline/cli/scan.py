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
from pipeline.cli.out import REFUSED, note, plain, say, show_json, table
from pipeline.cli.progress import ScanMeter
from pipeline.runtime.report import Report


def scan(
    recordings: Annotated[
        list[str] | None,
        typer.Argument(help="Media files, still images, and folders of them.", metavar="RECORDINGS..."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="JSON Lines or CSV that describes recordings (docs/manifest.md).", metavar="FILE"),
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file (default: the home's).", metavar="FILE")] = None,
    home: HomeOption = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes (default: one per core).")] = None,
    ray: Annotated[
        str,
        typer.Option(help="auto: Ray unless the job is small; local: always; off: in this process.", metavar="WHERE"),
    ] = "auto",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if any recording was not scanned whole.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Scan recordings: score, decide, and seal what is flagged. The same command goes on where it was stopped."""
    request = Request(
        paths=tuple(recordings or ()),
        manifest=manifest,
        policy=policy,
        workers=workers,
        ray=ray,
        command=tuple(sys.argv[1:]),
    )
    with ScanMeter() as meter:
        report = scan_recordings(Home.at(home), request, progress=meter.tell, say=meter.say)
    if as_json:
        show_json(report.to_json())
    else:
        show(report)
    if not report.complete:
        note("stopped; nothing is lost: the same command goes on where this one was")
        raise typer.Exit(130)
    raise typer.Exit(REFUSED if report.failed(strict=strict) else 0)


def show(report: Report) -> None:
    """The report for a person."""
    rows = [
        (r.uri, r.outcome.value, f"{r.duration_s:.1f}", r.frames_sampled, len(r.incidents), r.reason)
        for r in report.rows
    ]
    table(("recording", "outcome", "seconds", "frames", "incidents", "reason"), rows)
    for row in report.rows:
        for warning in row.warnings:
            note(plain(f"warning: {row.uri}: {warning}"))
        if row.degraded:
            note(plain(f"degraded: {row.uri}: {', '.join(row.degraded)} did not speak; the next scan tries again"))
    totals = report.totals()
    say(
        f"{totals['recordings']} recordings, {totals['duration_s']:.0f} s of media in {totals['wall_s']:.1f} s "
        f"({totals['x_realtime']:.0f}x real time), {totals['incidents']} incidents; canary {totals['canary']}"
    )
