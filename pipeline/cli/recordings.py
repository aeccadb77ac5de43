"""`watchkeep recordings`: what the platform ordinarily holds, and its ordinary deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pipeline.app import recordings
from pipeline.app.folders import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import REFUSED, many, moment, note, plain, short, show_json, table

app = typer.Typer(help="Ordinary content, and its ordinary deletion.", no_args_is_help=True, rich_markup_mode=None)

Account = Annotated[str, typer.Option(metavar="NAME", help="Recordings that show this account.")]
Participant = Annotated[str, typer.Option(metavar="HANDLE", help="Recordings that show this handle.")]
Stream = Annotated[str, typer.Option(metavar="ID", help="Recordings of this stream.")]
Session = Annotated[str, typer.Option(metavar="ID", help="Recordings of this session.")]
RecordingId = Annotated[str, typer.Option(metavar="ID", help="A recording's id or its first characters.")]
Apply = Annotated[bool, typer.Option("--apply", help="Carry it out; otherwise nothing changes.")]

TELL_EVERY = 1000


@app.command("list", short_help="What is held, until when, and what was told.")
def list_recordings(
    account: Account = "",
    participant: Participant = "",
    stream: Stream = "",
    session: Session = "",
    told: Annotated[
        bool, typer.Option("--told", help="Instead: files of deleted recordings that are yours to delete.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What scans saw, the oldest first, and when its ordinary time is over. What is given must all hold."""
    names = {"account": account, "participant": participant, "stream": stream, "session": session}
    if told and any(names.values()):
        raise typer.BadParameter("--told lists all that was told; give it alone")
    place = Home.at(home)
    found = recordings.told(place) if told else recordings.listed(place, names)
    if as_json:
        show_json(found)
        return
    _show_files(found["told"]) if told else _show_held(found)
    _show_waiting(found)


@app.command("delete", short_help="Forget recordings, and remove managed originals.")
def delete(
    account: Account = "",
    participant: Participant = "",
    stream: Stream = "",
    session: Session = "",
    recording: RecordingId = "",
    older_than: Annotated[
        int | None, typer.Option(metavar="DAYS", min=0, help="Recordings that began this long ago.")
    ] = None,
    apply: Apply = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget recordings with all that was made of them, and remove their files where the manifest said `managed`.

    What is given must all hold. Sealed evidence is not touched, and not asked. Exit 1 if a file could not be removed.
    """
    names = {
        "account": account, "participant": participant, "stream": stream, "session": session, "recording": recording
    }  # fmt: skip
    found = recordings.delete(Home.at(home), names, older_than=older_than, apply=apply, counting=_count)
    _show_deleted(found, as_json)


@app.command("sweep", short_help="Forget what is past its ordinary deadline.")
def sweep(apply: Apply = False, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Forget the recordings that are past their ordinary deadline (recordings.keep_days in config.yaml)."""
    found = recordings.sweep(Home.at(home), apply=apply, counting=_count)
    if found["keep_days"] is None:
        note("recordings have no deadline: set recordings.keep_days in config.yaml")
    _show_deleted(found, as_json)


def _count(done: int, total: int) -> None:
    if done % TELL_EVERY == 0:
        note(f"{done} of {total} recordings forgotten")


def _show_held(found: Mapping[str, Any]) -> None:
    rows = [
        (short(r["recording_id"]), moment(r["counts_from"]), moment(r["deadline"]), "yes" if r["managed"] else "no",
         r["session"], " ".join(p["account"] for p in r["people"]), r["uri"])
        for r in found["recordings"]
    ]  # fmt: skip
    table(("recording", "began", "deadline", "managed", "session", "accounts", "file"), rows)


def _show_deleted(found: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        if found["applied"]:
            files = many(found["removed"], "file")
            yours = f"{len(found['told'])} yours to delete or to look at"
            note(f"{many(found['forgotten'], 'recording')} forgotten, {files} removed, {yours}")
            _show_files(found["told"])
        else:
            rows = [(short(r["recording_id"]), f["why"], f["uri"]) for r in found["recordings"] for f in r["files"]]
            table(("recording", "what becomes of its file", "file"), rows)
            note(f"nothing was changed: --apply forgets {many(len(found['recordings']), 'recording')}")
        if not found["emptied"]:
            note("another command was looking: traces are in the write-ahead log until the next deletion or scan")
    _show_waiting(found)
    raise typer.Exit(REFUSED if found["applied"] and found["waiting"] else 0)


def _show_files(files: list[Mapping[str, str]]) -> None:
    table(("told", "why", "file"), [(moment(f["at"]), f["why"], f["uri"]) for f in files])


def _show_waiting(found: Mapping[str, Any]) -> None:
    for file in found["waiting"]:
        why = file["why"] or "the deletion was cut off"
        note(
            plain(f"{file['uri']} is still to be removed: {why}; the next --apply or scan tries again"),
            style="bold red",
        )
