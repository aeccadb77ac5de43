"""What a pass over a clip gives, in a form that compares bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pipeline.core.media import Frame, Span
from pipeline.ingest.params import Params
from pipeline.ingest.video import VideoReader
from pipeline.sample.grid import Grid
from pipeline.sample.params import Params as Sampling

Seen = tuple[Span, int, str]
WHOLE: tuple[int, int | None] = (0, None)


def reader(
    path: str,
    *,
    rate_hz: float | None = 1.0,
    lines: tuple[int, int | None] = WHOLE,
    planned: bool = True,
    offset_ns: int = 0,
    params: Params | None = None,
) -> VideoReader:
    return VideoReader(
        path,
        stream_id="s",
        picker=Grid(Sampling(rate_hz=rate_hz)),
        params=params or Params(),
        lines=lines,
        planned=planned,
        offset_ns=offset_ns,
    )


def seen(frames: Iterable[Frame]) -> list[Seen]:
    return [(f.span, f.line, hashlib.sha256(f.pixels).hexdigest() + str(f.pixels.shape)) for f in frames]
