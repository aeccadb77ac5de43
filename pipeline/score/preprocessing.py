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
    order = slice(None) if want.colour is Colour.RGB else slice(None, None, -1)
    mean, std = np.array(want.mean, np.float32), np.array(want.std, np.float32)
    tensor = np.subtract(rgb[..., order], mean[order], dtype=np.float32)
    if np.any(std != 1):
        tensor /= std[order]
    return tensor if want.layout is Layout.NHWC else np.ascontiguousarray(tensor.transpose(2, 0, 1))
