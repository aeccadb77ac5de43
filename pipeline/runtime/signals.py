"""Signals of a chunk as bytes and back, exactly: what the ledger keeps (sealed) until the recording is concluded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pipeline.core.media import Span
from pipeline.core.signal import Match, ModelRef, Score, Signal
from pipeline.runtime.tasks import ChunkDone, Tally


def pack(done: ChunkDone, signals: Iterable[Signal]) -> bytes:
    """JSON with a table of models and labels; floats keep every bit (shortest round-trip form)."""
    models: dict[ModelRef, int] = {}
    labels: dict[str, int] = {}
    scores: list[list[Any]] = []
    matches: list[list[Any]] = []
    for s in signals:
        label = labels.setdefault(s.label, len(labels))
        if isinstance(s, Score):
            model = models.setdefault(s.model, len(models))
            repeat = [s.repeats.start_ns, s.repeats.end_ns] if s.repeats else []
            scores.append([s.span.start_ns, s.span.end_ns, label, model, s.value, *repeat])
        else:
            row = [s.span.start_ns, s.span.end_ns, label, s.bank, s.entry, s.algorithm, s.distance, s.threshold]
            matches.append(row)
    t = done.tally
    body = {
        "models": [[m.name, m.version, m.sha256] for m in models],
        "labels": list(labels),
        "scores": scores,
        "matches": matches,
        "tally": [t.frames_sampled, t.frames_scored, t.frames_repeated, t.audio_windows, t.audio_ns, t.end_ns],
        "seconds": t.seconds,
        "warnings": done.warnings,
        "broken": done.broken,
        "degraded": done.degraded,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def unpack(blob: bytes) -> tuple[ChunkDone, list[Signal]]:
    """The inverse of `pack`."""
    body = json.loads(blob)
    models = [ModelRef(name=n, version=v, sha256=d) for n, v, d in body["models"]]
    labels: list[str] = body["labels"]
    signals: list[Signal] = []
    for start, end, label, model, value, *repeat in body["scores"]:
        signals.append(
            Score(
                span=Span(start_ns=start, end_ns=end),
                label=labels[label],
                value=value,
                model=models[model],
                repeats=Span(start_ns=repeat[0], end_ns=repeat[1]) if repeat else None,
            )
        )
    for start, end, label, bank, entry, algorithm, distance, threshold in body["matches"]:
        signals.append(
            Match(
                span=Span(start_ns=start, end_ns=end),
                label=labels[label],
                bank=bank,
                entry=entry,
                algorithm=algorithm,
                distance=distance,
                threshold=threshold,
            )
        )
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
    return done, signals
