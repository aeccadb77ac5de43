"""A manifest says what recordings belong to whom: JSON Lines or CSV, refused whole.

What was not given stays unknown; nothing is invented. Whether the media exist and are readable is not asked here.
docs/manifest.md describes every field.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import ConfigError
from pipeline.core.jurisdiction import is_jurisdiction, normal
from pipeline.core.recording import (
    UNKNOWN,
    AgeClass,
    Connection,
    Identity,
    Layout,
    ParentalConsent,
    Part,
    Participant,
    ProvisionMode,
    Recording,
    Region,
)
from pipeline.ingest.manifest_fields import Complaints, Entry, refuse_unknown

_MS = 1_000_000
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NO_OFFSET_BEYOND_MS = 366 * 86_400_000

_RECORDING = """
    uri offset_ms session_id stream_id started_at clock_source clock_uncertainty_ms policy_version jurisdiction
    legal_basis managed chat
"""
_PARTICIPANT = """
    handle account identity ip port device client language jurisdiction jurisdiction_source age_class
    parental_consent policy_version provision_mode purposes
"""
COLUMNS = (*_RECORDING.split(), *(f"participant_{name}" for name in _PARTICIPANT.split()))
"""The columns of a CSV manifest; only `uri` is required."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds where an entry does not say; from the home's settings."""

    policy_version: str = UNKNOWN
    jurisdiction: str = UNKNOWN
    legal_basis: str = UNKNOWN


def read_manifest(path: str | Path, defaults: Defaults) -> list[Recording]:
    """The recordings of the manifest at `path` (.jsonl, .ndjson or .csv), in its order.

    Relative uris start at the manifest's folder. Raises ConfigError with every problem as "file:line field: what".
    """
    file = Path(path)
    readers = {".jsonl": _json_lines, ".ndjson": _json_lines, ".csv": _csv_rows}
    if (reader := readers.get(file.suffix.lower())) is None:
        raise ConfigError(f"{file}: a manifest is JSON Lines or CSV; name it .jsonl or .csv")
    complaints = Complaints(str(file))
    recordings: list[Recording] = []
    streams: dict[tuple[str, str], int] = {}
    nameless: dict[tuple[str, str, tuple[Part, ...]], int] = {}
    try:
        for line, values in reader(file, complaints):
            recording = _recording(Entry(values, line, "", complaints), file.absolute().parent, defaults)
            if recording is None:
                continue
            recordings.append(recording)
            stream = (recording.session_id, recording.stream_id)
            if UNKNOWN not in stream and (first := streams.setdefault(stream, line)) != line:
                complaints.add(
                    line,
                    "stream_id",
                    f"{stream[1]!r} of session {stream[0]!r} is on line {first} already; "
                    "give further files of one stream as parts of one entry",
                )
            again = (*stream, recording.parts)
            if UNKNOWN in stream and (first := nameless.setdefault(again, line)) != line:
                complaints.add(line, "uri", f"{recording.uri!r} is on line {first} already; one recording is one entry")
    except OSError as e:
        raise ConfigError(f"{file}: cannot be read ({e.strerror}); check the path and its permissions") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"{file}: not UTF-8 text; save it as UTF-8") from e
    if problems := complaints.all():
        raise ConfigError(problems)
    return recordings


def _json_lines(file: Path, complaints: Complaints) -> Iterator[tuple[int, dict[str, object]]]:
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            if not raw.strip():
                continue
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                values = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
            except RecursionError:
                complaints.add(number, "", "is nested too deeply")
            except ValueError as e:
                why = f"{e.msg} at column {e.colno}" if isinstance(e, json.JSONDecodeError) else e
                complaints.add(number, "", f"not a JSON object on one line: {why}")
            else:
                if isinstance(values, dict):
                    yield number, values
                else:
                    complaints.add(number, "", 'not a JSON object; an entry is {"uri": ...}')


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError("given twice: " + ", ".join(sorted({n for n in names if names.count(n) > 1})))
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _csv_rows(file: Path, complaints: Complaints) -> Iterator[tuple[int, dict[str, object]]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, strict=True)
        try:
            header = next(rows, [])
            before = len(complaints.found)
            refuse_unknown(header, COLUMNS, lambda name, why: complaints.add(1, name, why))
            for name in sorted({n for n in header if header.count(n) > 1}):
                complaints.add(1, name, "is a column twice")
            if "uri" not in header:
                complaints.add(1, "uri", "is missing; the first line names the columns")
            if len(complaints.found) > before:
                return
            line = rows.line_num + 1
            for row in rows:
                if len(row) == len(header):
                    yield line, _nested(dict(zip(header, row, strict=True)))
                elif row:
                    complaints.add(line, "", f"has {len(row)} cells for {len(header)} columns; quote cells with commas")
                line = rows.line_num + 1
        except csv.Error as e:
            complaints.add(rows.line_num, "", f"not CSV: {e}")


def _nested(row: dict[str, str]) -> dict[str, object]:
    """A row as the entry it stands for: one part, at most one participant; an empty cell is not given."""
    given = {name: cell for name, cell in row.items() if cell}
    entry: dict[str, object] = {n: c for n, c in given.items() if not n.startswith("participant_")}
    person: dict[str, object] = {n.removeprefix("participant_"): c for n, c in given.items() if n not in entry}
    if isinstance(purposes := person.get("purposes"), str) and purposes != UNKNOWN:
        person["purposes"] = purposes.split()
    if person:
        entry["participants"] = [person]
    return entry


def _recording(entry: Entry, folder: Path, defaults: Defaults) -> Recording | None:
    before = entry.count
    parts = _parts(entry, folder)
    layout = entry.choice("layout", Layout, Layout.SINGLE)
    participants = tuple(_participant(e) for e in entry.entries("participants"))
    regions = tuple(r for e in entry.entries("regions") if (r := _region(e)) is not None)
    _check_people(entry, layout, participants, regions)
    said = {
        "session_id": entry.text("session_id"),
        "stream_id": entry.text("stream_id"),
        "clock_source": entry.text("clock_source"),
        "policy_version": entry.text("policy_version", defaults.policy_version),
        "jurisdiction": _place(entry, defaults.jurisdiction),
        "legal_basis": entry.text("legal_basis", defaults.legal_basis),
    }
    started_at = entry.instant("started_at")
    uncertainty = entry.whole("clock_uncertainty_ms", 0, math.inf, None)
    managed = entry.flag("managed")
    chat = str(folder / _local(entry, "chat")) if entry.has("chat") else ""
    entry.close()
    if entry.count > before:
        return None
    return Recording(
        parts=parts,
        layout=layout,
        regions=regions,
        participants=participants,
        started_at=started_at,
        clock_uncertainty_ms=uncertainty,
        managed=managed,
        chat=chat,
        **said,
    )


def _parts(entry: Entry, folder: Path) -> tuple[Part, ...]:
    nested = entry.entries("parts")
    if nested and (entry.has("uri") or entry.has("offset_ms")):
        entry.problem("parts", "stands in place of uri and offset_ms; give one or the other")
    elif not nested and not entry.has("uri"):
        entry.problem("uri", "is missing; a recording is at least one media file")
    found = []
    for part in nested or [entry]:
        uri = _local(part, "uri")
        if nested and not part.has("uri"):
            part.problem("uri", "is missing")
        offset_ms = part.number("offset_ms", 0, _NO_OFFSET_BEYOND_MS)
        if nested:
            part.close()
        found.append(Part(uri=str(folder / uri), offset_ns=round(offset_ms * _MS)))
    return tuple(found)


def _local(entry: Entry, key: str) -> str:
    uri = entry.text(key)
    if _SCHEME.match(uri):
        entry.problem(key, f"{uri!r} is no local file; write its path")
    return uri


def _participant(entry: Entry) -> Participant:
    account = entry.text("account")
    handle = entry.text("handle", account)
    if handle == UNKNOWN:
        entry.problem("handle", "is missing; a participant has a handle or an account")
    person = Participant(
        handle=handle,
        account=account,
        identity=entry.choice("identity", Identity, Identity.UNKNOWN),
        connection=Connection(
            ip=entry.address("ip"),
            port=entry.whole("port", 0, 65535, 0) or 0,
            device=entry.text("device"),
            client=entry.text("client"),
        ),
        language=entry.text("language"),
        jurisdiction=_place(entry, UNKNOWN),
        jurisdiction_source=entry.text("jurisdiction_source"),
        age_class=entry.choice("age_class", AgeClass, AgeClass.UNKNOWN),
        parental_consent=entry.choice("parental_consent", ParentalConsent, ParentalConsent.UNKNOWN),
        policy_version=entry.text("policy_version"),
        provision_mode=entry.choice("provision_mode", ProvisionMode, ProvisionMode.UNKNOWN),
        purposes=entry.texts("purposes"),
    )
    entry.close()
    return person


def _region(entry: Entry) -> Region | None:
    handle = entry.text("handle")
    x, y, width, height = (entry.number(name, 0, 1, -1) for name in ("x", "y", "width", "height"))
    entry.close()
    try:
        return Region(handle=handle, x=x, y=y, width=width, height=height)
    except ValueError:
        entry.problem("", "is not a handle with x, y, width and height in fractions 0 to 1 of the picture")
        return None


def _place(entry: Entry, default: str) -> str:
    hint = "a jurisdiction such as NL, US-CA, EU or EEA"
    return normal(entry.text("jurisdiction", default, right=lambda t: is_jurisdiction(normal(t)), hint=hint))


def _check_people(
    entry: Entry, layout: Layout, participants: tuple[Participant, ...], regions: tuple[Region, ...]
) -> None:
    handles = [p.handle for p in participants if p.handle != UNKNOWN]
    for name in sorted({h for h in handles if handles.count(h) > 1}):
        entry.problem("participants", f"{name!r} is listed twice")
    for region in regions:
        if region.handle not in handles:
            entry.problem("regions", f"{region.handle!r} is none of the participants")
    if layout is Layout.COMPOSITE and not regions:
        entry.problem("regions", "is missing: of a composite picture it says who is where")
    if layout is Layout.SINGLE and regions:
        entry.problem("regions", "is for layout composite only")
