"""From a decoded picture of any pixel format to upright RGB, by one pinned conversion.

Refuses to know times and streams.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from pipeline.core.errors import SourceError


class Upright:
    """Converts the pictures of one stream; size and format may change between them."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def rgb(self, picture: VideoFrame) -> NDArray[np.uint8]:
        """u8[h, w, 3] RGB as a viewer would see it; alpha is dropped.

        Raises SourceError where libswscale knows no way from the picture's format.
        """
        try:
            # One thread: swscale would otherwise start a pool of its own beside every worker.
            flat = self._reformatter.reformat(picture, format="rgb24", interpolation="BICUBIC", threads=1)
        except (ValueError, OSError) as error:
            raise SourceError(f"no decodable stream: pixel format {picture.format.name} has no RGB ({error})") from None
        return _turned(cast("NDArray[np.uint8]", flat.to_ndarray()), _matrix(picture))


def _matrix(picture: VideoFrame) -> tuple[int, int, int, int] | None:
    """The signs-and-swaps part (a, b, c, d) of the display matrix, or None if there is none."""
    side: Any = picture.side_data
    found = side.get(Type.DISPLAYMATRIX)
    if found is None:
        return None
    a, b, _, c, d = (int(v) for v in np.frombuffer(found, dtype=np.int32, count=5))
    return a, b, c, d


def _turned(pixels: NDArray[np.uint8], matrix: tuple[int, int, int, int] | None) -> NDArray[np.uint8]:
    """Applies the quarter turns and mirrors of a display matrix: x' = a x + c y, y' = b x + d y.

    Angles between quarter turns go to the nearest one; a degenerate matrix turns nothing.
    """
    if matrix is None:
        return pixels
    a, b, c, d = matrix
    if a * d == b * c:
        return pixels
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    if a < 0:
        pixels = pixels[:, ::-1]
    if d < 0:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
