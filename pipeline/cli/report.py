"""What a scan says of its recordings, for a person: the same for `scan`, `demo` and `runs show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.cli.out import many, note, plain, say, stdout, table


def show_recordings(rows: Sequence[Mapping[str, Any]]) -> None:
    """A line a recording, with what is to be said about it."""
    lines = [
        (
            row["outcome"],
            f"{row['duration_s']:.1f}",
            row["frames_sampled"],
            len(row["incidents"]),
            row["uri"],
            row["reason"],
            "; ".join(remarks(row)),
        )
        for row in rows
    ]
    table(("outcome", "seconds", "frames", "incidents", "recording"), lines, under=("reason", "remarks"))
    if not stdout.is_terminal:
        for row in rows:
            for remark in remarks(row):
                note(plain(f"{row['uri']}: {remark}"))


def remarks(row: Mapping[str, Any]) -> list[str]:
    """Warnings, and detectors that did not speak."""
    said = [f"warning: {warning}" for warning in row["warnings"]]
    if row["degraded"]:
        said.append(f"degraded: {', '.join(row['degraded'])} did not speak on all of it")
    return said


def show_totals(totals: Mapping[str, Any]) -> None:
    """The run in one line."""
    outcomes = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in totals["outcomes"].items() if n)
    speed = f", {totals['x_realtime']:.0f}x real time" if totals["duration_s"] else ""
    say(
        f"{many(totals['recordings'], 'recording')} ({outcomes or 'none'}), {totals['duration_s']:.0f} s of media "
        f"in {totals['wall_s']:.1f} s{speed}; {many(totals['incidents'], 'incident')}; canary {totals['canary']}"
    )
