"""Frames of evidence and their blurred derivatives, as JPEG. Deterministic: pinned encoder settings, no threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.capture.moments import Moment
from pipeline.capture.params import Params
from pipeline.core.errors import SourceError
from pipeline.core.media import Frame


def nearest(moments: Sequence[Moment], frames: Iterable[Frame], *, reach_ns: int) -> Iterator[tuple[Frame, Moment]]:
    """For each moment the nearest frame within `reach_ns` (the earlier on a tie), each frame once.

    `moments` and `frames` are in order of time; at most two frames are held. A frame that serves several moments is
    given with the flagged one.
    """
    waiting = deque(moments)
    earlier: Frame | None = None
    chosen: tuple[Frame, Moment] | None = None
    for frame in chain[Frame | None](frames, (None,)):
        while waiting and (frame is None or frame.span.start_ns >= waiting[0].at_ns):
            moment = waiting.popleft()
            near = [
                (abs(f.span.start_ns - moment.at_ns), f.span.start_ns, f) for f in (earlier, frame) if f is not None
            ]
            distance, _, pick = min(near, key=lambda n: n[:2], default=(reach_ns + 1, 0, None))
            if pick is None or distance > reach_ns:
                continue
            if chosen is not None and chosen[0] is not pick:
                yield chosen
                chosen = None
            if chosen is None or moment.role == "flagged":
                chosen = pick, moment
        if not waiting:
            break
        earlier = frame
    if chosen is not None:
        yield chosen


def jpeg(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """`pixels` (u8[h, w, 3] RGB, or u8[h, w] grey) as baseline JPEG without chroma subsampling."""
    settings = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(cv2.IMWRITE_JPEG_OPTIMIZE, 0),
        *(cv2.IMWRITE_JPEG_PROGRESSIVE, 0),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ]
    picture = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    try:
        done, body = cv2.imencode(".jpg", picture, settings)
    except cv2.error as why:
        raise SourceError(f"a picture cannot be written as JPEG: {why.err}") from why
    if not done:
        raise SourceError(f"a picture of {pixels.shape[1]}x{pixels.shape[0]} cannot be written as JPEG")
    return body.tobytes()


def blurred(pixels: NDArray[np.uint8], params: Params) -> NDArray[np.uint8]:
    """A small grey picture (u8[h, w]) in which nobody can be recognised; the detail is averaged away, not hidden.

    The longer side is first averaged into `derivative_spots` spots, so no later sharpening can bring a face back.
    """
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    spots = cv2.resize(grey, _fitted(width, height, params.derivative_spots), interpolation=cv2.INTER_AREA)
    side = min(params.derivative_side_px, max(width, height, params.derivative_spots))
    small = cv2.resize(spots, _fitted(width, height, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), side / params.derivative_spots / 2), dtype=np.uint8)


def _fitted(width: int, height: int, side: int) -> tuple[int, int]:
    longer = max(width, height)
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))
