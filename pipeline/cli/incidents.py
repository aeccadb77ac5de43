"""`watchkeep incidents`: what was flagged, in words; never the evidence itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from pipeline.app import incidents
from pipeline.app.home import Home
from pipeline.cli.options import AsOption, AsRequired, HomeOption, JsonOption
from pipeline.cli.out import many, moment, note, plain, say, short, show_asked, show_json, span, table

app = typer.Typer(help="What was flagged.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_incidents(name: AsOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """All incidents, newest first."""
    place = Home.at(home)
    found = incidents.listed(place, name)
    if as_json:
        show_json({"incidents": found})
        return
    rows = [
        (short(i["incident_id"]), i["severity"], span(i["start_s"], i["end_s"]), i["identity"], i["review"],
         i["records"], i["category"])
        for i in found
    ]  # fmt: skip
    table(("incident", "severity", "where", "identity", "review", "records", "category"), rows)
    if not found:
        note(plain(f"no incidents in {place.root}"))


@app.command("show")
def show_incident(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="An incident's id or its first characters.")],
    name: AsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """One incident: its findings, its records, its state."""
    found = incidents.show(Home.at(home), name, incident_id)
    if as_json:
        show_json(found)
        return
    _show_incident(found)
    for finding in found["findings"]:
        _show_finding(finding)
    if found["custody"] in ("key_destroyed", "purged"):
        note(f"its evidence was destroyed: watchkeep explain --incident {short(found['incident_id'])}")
    else:
        _show_evidence(found["evidence"])


@app.command("decide")
def decide(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="An incident's id or its first characters.")],
    outcome: Annotated[str, typer.Option(help="upheld or dismissed.")],
    note_: Annotated[str, typer.Option("--note", help="What was seen, and why; sealed with the evidence.")],
    name: AsRequired,
    category: Annotated[str, typer.Option(help="The category it is upheld as (default: as it was found).")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide an incident. The category sets how long it is kept; dismissing a severe one asks a second person."""
    told = incidents.decide(Home.at(home), name, incident_id, outcome=outcome, category=category, note=note_)
    show_asked(told, as_json=as_json)


def _show_incident(i: Mapping[str, Any]) -> None:
    say(f"incident {i['incident_id']}, revision {i['revision']}, opened {moment(i['opened_at'])}", style="bold")
    lines = {
        "category": f"{i['category']}, severity {i['severity']}, {i['retention_class']}",
        "where": f"{span(i['start_s'], i['end_s'])} of recording {i['recording_id']}",
        "session": i["session"],
        "stream": i["stream"],
        "participant": f"{i['participant']}, identity {i['identity']}",
        "law": f"jurisdiction {i['jurisdiction']}, legal basis {i['legal_basis']}",
        "state": f"review {i['review']}, custody {i['custody']}, {'' if i['restricted'] else 'not '}restricted",
        "action": i["action"],
    }
    for name, words in lines.items():
        say(plain(f"{name:>13}  {words}"))


def _show_finding(f: Mapping[str, Any]) -> None:
    say()
    say(plain(f"finding {f['rule']}, {span(f['start_s'], f['end_s'])}, score {f['score']}"), style="bold")
    for name in ("labels", "models"):
        for i, words in enumerate(f[name]):
            say(plain(f"{'' if i else name:>13}  {words}"))
    for name in ("policy", "revision"):
        say(plain(f"{name:>13}  {f[name]}"))


def _show_evidence(records: Sequence[Mapping[str, Any]]) -> None:
    say()
    say(f"evidence: {many(len(records), 'record')}, sealed", style="bold")
    rows = [
        (short(r["record_id"]), r["kind"], r["party"], span(r["start_s"], r["end_s"]), f"{r['size'] / 1000:.1f}",
         r["media_type"])
        for r in records
    ]  # fmt: skip
    table(("record", "kind", "party", "where", "kB", "type"), rows)
    note("--json has their hashes, classes and times; while setting up: watchkeep evidence open RECORD --reason WHY")
