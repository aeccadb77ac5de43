"""Signals of a chunk as bytes and back, exactly: what the ledger keeps (sealed) until the recording is concluded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.media import Span
from pipeline.core.signal import Match, ModelRef, Score, Signal
from pipeline.runtime.tasks import ChunkDone, Tally

FORMAT = "1"
"""Changes with what `pack` writes, so that results of an older program are never read as ours."""

Views = Mapping[str, Sequence[Signal]]
"""Signals by what they are of: "" for the whole picture or the sound, a handle for that person's region."""


def pack(done: ChunkDone, views: Views) -> bytes:
    """JSON with a table of models and labels; floats keep every bit (shortest round-trip form)."""
    models: dict[ModelRef, int] = {}
    labels: dict[str, int] = {}
    t = done.tally
    body = {
        "views": {view: [_row(s, models, labels) for s in signals] for view, signals in views.items()},
        "models": [[m.name, m.version, m.sha256] for m in models],
        "labels": list(labels),
        "tally": [t.frames_sampled, t.frames_scored, t.frames_repeated, t.audio_windows, t.audio_ns, t.end_ns],
        "seconds": t.seconds,
        "warnings": done.warnings,
        "broken": done.broken,
        "degraded": done.degraded,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _row(s: Signal, models: dict[ModelRef, int], labels: dict[str, int]) -> list[Any]:
    label = labels.setdefault(s.label, len(labels))
    start, end = s.span.start_ns, s.span.end_ns
    if isinstance(s, Score):
        model = models.setdefault(s.model, len(models))
        return [start, end, label, model, s.value, *((s.repeats.start_ns, s.repeats.end_ns) if s.repeats else ())]
    return [start, end, label, s.bank, s.entry, s.algorithm, s.distance, s.threshold]


def unpack(blob: bytes) -> tuple[ChunkDone, Views]:
    """The inverse of `pack`."""
    body = json.loads(blob)
    models = [ModelRef(name=n, version=v, sha256=d) for n, v, d in body["models"]]
    labels: list[str] = body["labels"]
    views = {view: [_signal(row, models, labels) for row in rows] for view, rows in body["views"].items()}
    sampled, scored, repeated, windows, audio_ns, end_ns = body["tally"]
    tally = Tally(
        frames_sampled=sampled,
        frames_scored=scored,
        frames_repeated=repeated,
        audio_windows=windows,
        audio_ns=audio_ns,
        end_ns=end_ns,
        seconds=body["seconds"],
    )
    done = ChunkDone(
        tally=tally, warnings=tuple(body["warnings"]), broken=body["broken"], degraded=tuple(body["degraded"])
    )
    return done, views


def _signal(row: list[Any], models: list[ModelRef], labels: list[str]) -> Signal:
    start, end, label, *rest = row
    span = Span(start_ns=start, end_ns=end)
    if isinstance(rest[0], int):
        model, value, *repeat = rest
        return Score(
            span=span,
            label=labels[label],
            value=value,
            model=models[model],
            repeats=Span(start_ns=repeat[0], end_ns=repeat[1]) if repeat else None,
        )
    bank, entry, algorithm, distance, threshold = rest
    return Match(
        span=span,
        label=labels[label],
        bank=bank,
        entry=entry,
        algorithm=algorithm,
        distance=distance,
        threshold=threshold,
    )
