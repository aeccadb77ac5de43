"""The repeat gate: a frame that shows what a scored frame of the same line showed takes over its scores.

Decided block by block, never over the whole picture: perceptual hashes and mean differences hid every small inserted
patch in measurement. Four statistics of 16 x 16 blocks and three colours must all stay within the bound:

* the mean, which sees every flat patch;
* two textures, the mean difference of neighbours at 1 pixel and at a 120th of the shorter side, and the contrast, the
  mean distance from the block's mean. They see patches whose mean is that of what they cover: text, checkers, noise.
  The blocks' maximum and minimum missed one such patch in eleven on busy ground, and let less of a webcam through.

They are taken over about a hundred pixels a block, at places scattered once and for all, so the cost hardly depends
on the size of the picture. Refuses to know what scoring is.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.core.media import Frame, Span
from pipeline.sample.params import Params

BLOCKS = 16
SAMPLED = (12 * BLOCKS, 9 * BLOCKS)
"""Pixels looked at, columns and rows."""
MOST_REMEMBERED = 60
"""Scored frames that a frame is compared with, the most recent of its line: at a frame a second, all of them."""

_MOST_SIDE = 32_766
_UNIT = 4
_SCALES = np.array([_UNIT, 5, 5, 10], np.int16)[:, None, None, None]
"""Textures (sums of two) and contrast count 1.25 and 2.5 times: measured as the loosest that missed nothing."""

Statistics = NDArray[np.int16]


class RepeatGate:
    """Tells repeats, frame by frame in order of presentation; starts anew at each line of the 60 s grid."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._line = -1
        self._size = (0, 0)
        self._places: list[tuple[NDArray[np.int16], NDArray[np.uint16]]] = []
        self._spans: list[Span] = []
        self._remembered = np.zeros((0, 4, BLOCKS, BLOCKS, 3), np.int16)

    def repeats(self, frame: Frame) -> Span | None:
        """The span of the scored frame that this one repeats; None if it is to be scored, and remembered, itself.

        Of several the latest. Frames of different size are never repeats of each other; one of more than 32,766
        pixels a side never is one.
        """
        height, width = frame.pixels.shape[:2]
        if not self._params.gate or max(height, width) > _MOST_SIDE:
            return None
        if (frame.line, (width, height)) != (self._line, self._size):
            self._begin(frame.line, (width, height))
        found = self._statistics(frame.pixels)
        within = (np.abs(self._remembered - found) <= _UNIT * self._params.gate_bound).all(axis=(1, 2, 3, 4))
        if within.any():
            return self._spans[int(np.flatnonzero(within)[-1])]
        self._spans = [*self._spans, frame.span][-MOST_REMEMBERED:]
        self._remembered = np.concatenate([self._remembered, found[None]])[-MOST_REMEMBERED:]
        return None

    def _begin(self, line: int, size: tuple[int, int]) -> None:
        if size != self._size:
            self._places = _places(*size)
        self._line, self._size, self._spans = line, size, []
        self._remembered = self._remembered[:0]

    def _statistics(self, pixels: NDArray[np.uint8]) -> Statistics:
        """i16[4, 16, 16, 3]: mean, fine and coarse texture, contrast, each times its scale."""
        here, right, below, far_right, far_below = (
            cv2.remap(pixels, *place, cv2.INTER_NEAREST) for place in self._places
        )
        mean = _blocks(here)
        flat = cv2.resize(mean, SAMPLED, interpolation=cv2.INTER_NEAREST)
        fine = _distance(here, right) + _distance(here, below)
        coarse = _distance(here, far_right) + _distance(here, far_below)
        return np.stack([mean.astype(np.int16), fine, coarse, _distance(here, flat)]) * _SCALES


def _distance(sampled: NDArray[np.uint8], other: NDArray[np.uint8]) -> Statistics:
    return _blocks(cv2.absdiff(sampled, other)).astype(np.int16)


def _blocks(sampled: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(sampled, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA), np.uint8)


def _places(width: int, height: int) -> list[tuple[NDArray[np.int16], NDArray[np.uint16]]]:
    """Maps for cv2.remap: one pixel of each cell of an even grid, chosen by a fixed seed (a regular choice could fall
    in step with a texture), and its neighbours at both distances."""
    columns, rows = SAMPLED
    scatter = np.random.default_rng(0).random((2, rows, columns))
    x = ((np.arange(columns) + scatter[0]) * width / columns).astype(np.int64)
    y = ((np.arange(rows)[:, None] + scatter[1]) * height / rows).astype(np.int64)
    far = max(2, min(width, height) // 120)
    maps = []
    for right, down in ((0, 0), (1, 0), (0, 1), (far, 0), (0, far)):
        # At the edge the neighbour on the other side.
        across = np.where(x + right < width, x + right, np.maximum(x - right, 0)).astype(np.float32)
        along = np.where(y + down < height, y + down, np.maximum(y - down, 0)).astype(np.float32)
        maps.append(cv2.convertMaps(across, along, cv2.CV_16SC2, nninterpolation=True))
    return maps
