"""Pictures as a model wants them: resize, centre crop, channel order, normalisation, layout.

One recipe per model, pinned in its entry: resizers differ enough to move scores across a threshold.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.score.entry import Colour, Interpolation, Layout, PictureInput, Resize

_CV2 = {
    Interpolation.BILINEAR: cv2.INTER_LINEAR,
    Interpolation.AREA: cv2.INTER_AREA,
    Interpolation.BICUBIC: cv2.INTER_CUBIC,
}


def prepare(pixels: NDArray[np.uint8], want: PictureInput) -> NDArray[np.float32]:
    """f32[side, side, 3] or f32[3, side, side] of a picture u8[h, w, 3] RGB of any size."""
    height, width = pixels.shape[:2]
    to_width = to_height = want.resize_to
    if want.resize is Resize.SHORTER_SIDE:
        shorter = min(height, width)
        to_width, to_height = round(width * to_width / shorter), round(height * to_height / shorter)
    # Everything after the resize works on a small picture; the crop is a view, and floats are made once.
    small = cv2.resize(pixels, (to_width, to_height), interpolation=_CV2[want.interpolation])
    top, left = (to_height - want.side) // 2, (to_width - want.side) // 2
    return normalise(small[top : top + want.side, left : left + want.side], want)


def normalise(rgb: NDArray[np.uint8] | NDArray[np.float32], want: PictureInput) -> NDArray[np.float32]:
    """The tensor of one RGB picture [side, side, 3] in 0..255 that needs no resizing any more."""
    mean, std = np.array(want.mean, np.float32), np.array(want.std, np.float32)
    if want.colour is Colour.BGR:
        rgb, mean, std = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), mean[::-1], std[::-1]
    # Long inner loops: numpy takes ten times as long to subtract three numbers from every pixel.
    if want.layout is Layout.NCHW:
        flat = np.ascontiguousarray(rgb.transpose(2, 0, 1))
        mean, std = mean[:, None, None], std[:, None, None]
    else:
        flat = rgb.reshape(want.side, -1)
        mean, std = np.tile(mean, want.side), np.tile(std, want.side)
    tensor: NDArray[np.float32] = np.subtract(flat, mean, dtype=np.float32)
    if np.any(std != 1):
        tensor /= std
    return tensor if want.layout is Layout.NCHW else tensor.reshape(want.side, want.side, 3)
