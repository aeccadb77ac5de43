"""Where the video of a file may be cut into chunks at little cost.

A chunk begins at the key packet before its first line; where none is near, every chunk would decode what its neighbours
decode, and a long recording would cost the square of its length. Refuses to read more than a packet or two a line.
"""

from __future__ import annotations

from collections.abc import Sequence

import av

from pipeline.core.media import LINE_NS
from pipeline.ingest.opener import open_media, video_stream
from pipeline.ingest.params import Params
from pipeline.ingest.video_codecs import CodecFacts
from pipeline.ingest.video_pass import Pass
from pipeline.ingest.video_planned import SEEKABLE

PASSED_OVER = frozenset({"mpegts", "mpeg", "ogg"})
"""Containers without an index whose packets carry times of presentation: passing over packets costs next to nothing."""
NEAR_NS = LINE_NS
"""How far before its first line a chunk may have to begin decoding."""


def cuts(path: str, lines: Sequence[int], *, params: Params, offset_ns: int = 0) -> tuple[int, ...]:
    """Those of `lines` (of the 60 s grid in recording time, ascending) at which a chunk may begin.

    Raises SourceError as `open_media` does; what cannot be told is no cut.
    """
    if not lines:
        return ()
    with open_media(path, params) as container:
        stream = video_stream(container)
        if stream is None or not (facts := CodecFacts(stream)).is_planned:
            return ()
        name = container.format.name.split(",")[0]
        if name in PASSED_OVER:
            return tuple(lines)
        if name not in SEEKABLE:
            return ()
        run = Pass(container, stream, params=params, offset_ns=offset_ns, deadline=None)
        return tuple(line for line in lines if _near(run, facts, line * LINE_NS))


def _near(run: Pass, facts: CodecFacts, start_ns: int) -> bool:
    """Whether the index leads to a key packet at most NEAR_NS before `start_ns`."""
    try:
        run.container.seek(run.clock.ticks(start_ns) - 1, stream=run.stream)
        first = next(iter(run.packets), None)
    except (av.error.FFmpegError, OverflowError):
        return False
    if first is None or first.pts is None or not facts.begins(first):
        return False
    return abs(start_ns - run.clock.at(first.pts)) <= NEAR_NS
