"""The files of one model's folder, read and checked.

    model.onnx   what runs
    labels.csv   the label map, where the entry has one
    source       the carrier's file, where model.onnx was converted from it
    made.json    how it was converted: tools, sha256, and what it was accepted by

Every file but a converted model is pinned by the registry itself. A converted model is pinned too where the recorded
tools made it; other tool versions make other bytes, and then made.json records them ("accepted": "probe").

What a forged made.json can do: whoever may write this folder can put another model there together with a made.json
that agrees. Loading would then still demand the numeric probe, every score would still carry that model's true sha256
(which is not the registry's), and `verify`, which converts the pinned source again and compares, names it. Damage
without intent cannot agree with itself and is refused at once.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core.errors import ModelError
from pipeline.score.entry import Conversion, LabelMap, Member, ModelEntry

MODEL, LABELS, SOURCE, MADE = "model.onnx", "labels.csv", "source", "made.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A model as read: its bytes, their sha256, and its labels in the order of the output."""

    body: bytes
    sha256: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a conversion made of which source with which tools, and whether its sha256 or its probe was accepted."""

    conversion: str
    source_sha256: str
    sha256: str
    accepted: str
    tools: dict[str, str]


def read_model(entry: ModelEntry, folder: Path) -> Stored:
    """Bytes and labels, hashed as they were read; ModelError names the file that is missing or altered."""
    if entry.conversion is None:
        body = _pinned(folder / MODEL, entry.model)
    else:
        made = _made(folder / MADE, entry.conversion, entry.model)
        _pinned(folder / SOURCE, entry.model)
        body = _pinned(folder / MODEL, Member(sha256=made.sha256))
    labels = entry.labels
    if isinstance(labels, LabelMap):
        labels = _column(_pinned(folder / LABELS, labels.member), labels.column, folder / LABELS)
    return Stored(body=body, sha256=hashlib.sha256(body).hexdigest(), labels=labels)


def write_made(folder: Path, conversion: Conversion, source: Member, body: bytes, tools: dict[str, str]) -> None:
    """Write `body`, made from `source`, and the record of how."""
    digest = hashlib.sha256(body).hexdigest()
    accepted = "sha256" if digest == conversion.sha256 else "probe"
    made = Made(conversion=conversion.name, source_sha256=source.sha256, sha256=digest, accepted=accepted, tools=tools)
    (folder / MODEL).write_bytes(body)
    (folder / MADE).write_text(json.dumps(asdict(made), indent=2, sort_keys=True) + "\n", encoding="utf-8")


def altered(path: Path, why: str) -> ModelError:
    """The refusal of one file, and what to do about it."""
    return ModelError(f"{path} was altered: {why}; remove {path.parent} and run 'watchkeep models fetch'")


def _pinned(path: Path, member: Member) -> bytes:
    try:
        if member.size is not None and path.stat().st_size != member.size:
            raise altered(path, f"it has {path.stat().st_size} bytes, recorded are {member.size}")
        body = path.read_bytes()
    except OSError as e:
        raise altered(path, f"it cannot be read ({e.strerror})") from e
    if (found := hashlib.sha256(body).hexdigest()) != member.sha256:
        raise altered(path, f"its sha256 is {found}, recorded is {member.sha256}")
    return body


def _made(path: Path, conversion: Conversion, source: Member) -> Made:
    try:
        made = Made(**json.loads(path.read_bytes()))
    except OSError as e:
        raise altered(path, f"it cannot be read ({e.strerror})") from e
    except (ValueError, TypeError) as e:
        raise altered(path, f"it is no record of a conversion ({e})") from e
    if (made.conversion, made.source_sha256) != (conversion.name, source.sha256):
        raise altered(path, f"it tells of another conversion than {conversion.name} of {source.sha256}")
    pinned = made.sha256 == conversion.sha256
    if made.accepted != ("sha256" if pinned else "probe"):
        raise altered(path, f"{made.sha256!r} cannot have been accepted by {made.accepted!r}")
    return made


def _column(body: bytes, column: str, path: Path) -> tuple[str, ...]:
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8"), newline="")))
    if not rows or column not in rows[0]:
        raise ModelError(f"{path} has no column {column!r}; correct 'column' in the registry")
    return tuple(row[column] for row in rows)
