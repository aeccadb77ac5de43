"""`watchkeep sweep`: what is due goes, what stays is told why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from pipeline.app import sweep as sweeps
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, HomeOption, JsonOption
from pipeline.cli.out import REFUSED, many, moment, note, plain, say, short, show_json, table


def sweep(
    apply: Annotated[bool, typer.Option("--apply", help="Carry it out; otherwise nothing changes.")] = False,
    as_of: Annotated[str, typer.Option(metavar="DATE", help="Simulate this day to come; never with --apply.")] = "",
    name: AsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What would go, what stays and why. Exit 1 if --apply destroyed nothing because something stands in the way.

    With --apply and --as, two people are asked to agree to what stands in the way.
    """
    told = sweeps.sweep(Home.at(home), apply=apply, as_of=as_of, name=name)
    if as_json:
        show_json(told)
    else:
        _show(told)
    raise typer.Exit(REFUSED if apply and told["pauses"] else 0)


def _show(told: Mapping[str, Any]) -> None:
    counts = told["counts"]
    say(f"as of {moment(told['as_of'])}", style="bold")
    _list("goes" if not told["applied"] else "was due", told["going"])
    _list("is due, and held", told["held"])
    _list("is in conflict", told["conflicts"])
    for alarm in told["alarms"]:
        say(plain(f"alarm: {short(alarm['incident_id'])} {alarm['words']}"), style="yellow")
    for passed in told["passed_by"]:
        say(plain(f"passed by: {short(passed['incident_id'])} {passed['words']}"))
    words = ", ".join(f"{counts[name]} {word}" for name, word in WORDS.items())
    say(f"{words}")
    if told["applied"]:
        say(f"{many(len(told['destroyed']), 'incident')} destroyed ({told['unreviewed']} unreviewed), "
            f"{many(told['files'], 'file')} removed")  # fmt: skip
    for pause in told["pauses"]:
        asked = f"; asked as request {pause['request']}: watchkeep approvals approve" if pause["request"] else ""
        note(plain(f"nothing is destroyed: {pause['words']}{asked}"), style="bold red")
    if told["going"] and not told["applied"] and not told["pauses"]:
        note("nothing was changed: --apply carries it out")


WORDS = {"keep": "kept", "held": "held", "conflict": "in conflict", "destroy": "due to go"}


def _list(heading: str, dispositions: Sequence[Mapping[str, Any]]) -> None:
    if dispositions:
        rows = [(short(d["incident_id"]), moment(d["due_at"]), d["reason"]) for d in dispositions]
        say(f"{heading}: {len(dispositions)}", style="bold")
        table(("incident", "due", "why"), rows)
