"""`watchkeep retention`: the rules of keeping, checked, shown and compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.app import retention
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import many, moment, note, plain, say, show_json, table

app = typer.Typer(help="The rules of keeping.", no_args_is_help=True, rich_markup_mode=None)

RULES_HELP = "A rule file, or `current`: the rules in force."


@app.command("check", short_help="Read a rule file; name every error.")
def check(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Instead of the configured rule file.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a rule file whole; all errors at once, each with file and line, and how much of it nobody verified."""
    found = retention.check(Home.at(home), file)
    if as_json:
        show_json(found)
    elif not found["problems"]:
        _show_checked(found)
    for problem in found["problems"]:
        note(plain(problem))
    raise typer.Exit(1 if found["problems"] else 0)


@app.command("show")
def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """The rules in force: how long, counted from what, whose law, and who verified it."""
    found = retention.show(Home.at(home))
    if as_json:
        show_json(found)
        return
    say(plain(f"{found['name']} {found['sha256'][:12]}: {_state(found)}"), style="bold")
    rows = [(r["kind"], r["name"], r["verified"] or "unverified", r["says"], r["cite"]) for r in found["rules"]]
    table(("rule", "name", "verified", "says"), rows, under=("source",))


@app.command("diff", short_help="What other rules change, and what they would do to the vault.")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=RULES_HELP)],
    new: Annotated[str, typer.Argument(metavar="NEW", help=RULES_HELP)],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What NEW changes against OLD, in words, and simulated on the incidents there are; nothing takes effect."""
    found = retention.diff(Home.at(home), old, new)
    if as_json:
        show_json(found)
        return
    rows = [(c["what"], c["old"] or "-", c["new"] or "-", c["effect"]) for c in found["changes"]]
    table(("what", "old", "new"), rows, under=("effect",))
    _show_simulation(found["simulation"])


def _show_checked(found: Mapping[str, Any]) -> None:
    say(plain(f"{found['file']}: rules {found['name']}, {found['sha256'][:12]}"))
    rules = ", ".join(f"{kind} {count}" for kind, count in found["rules"].items())
    say(plain(f"rules read: {rules}"))
    if found["unverified"]:
        missing = ", ".join(f"{kind} {count}" for kind, count in found["unverified"].items())
        note(plain(f"unverified: {missing}; in production such a floor keeps, and such a ceiling destroys nothing"))


def _state(found: Mapping[str, Any]) -> str:
    if found["file"]:
        return f"configured ({found['file']}), in force once the vault first needs rules"
    by = f"two people agreed to them, {found['approval_id']}" if found["approval_id"] else "the first ones"
    return f"in force since {moment(found['taken_at'])}, {by}"


def _show_simulation(found: Mapping[str, Any]) -> None:
    say()
    say(f"simulated on {many(found['incidents'], 'incident')} as they are now", style="bold")
    for v in found["verdicts"]:
        say(plain(f"{many(v['incidents'], 'incident')}: {v['old']} would become {v['new']}"))
    for words in ("earlier", "later"):
        for name, count in found[words].items():
            say(plain(f"{many(count, 'incident')} of class {name} would end {words}"))
    if found["going"]:
        going = ", ".join(found["going"])
        say(plain(f"would be destroyed by the next sweep unless something keeps it: {going}"))
    if found["incidents"] and not found["verdicts"] and not found["earlier"] and not found["later"]:
        say("nothing would change for them today")
