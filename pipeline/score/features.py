"""Sound as a model wants it: one log-mel patch per window, by YAMNet's published recipe.

16 kHz mono, periodic Hann windows of 400 samples every 160, magnitudes of a 512-point Fourier transform, 64 mel bands
from 125 to 7500 Hz, ln(mel + 0.001): 15,600 samples give the 96 frames of one patch. The offset is part of the
contract: with a smaller one bangs lose most of their gunshot score.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.score.entry import SoundInput

YAMNET = "yamnet-log-mel"
RATE_HZ, PATCH_SAMPLES = 16_000, 15_600
_WINDOW, _HOP, _FFT, _BANDS = 400, 160, 512, 64
_LOW_HZ, _HIGH_HZ, _OFFSET = 125.0, 7500.0, np.float32(1e-3)
_FRAMES = 1 + (PATCH_SAMPLES - _WINDOW) // _HOP

FEATURE_SHAPES: Mapping[str, tuple[int, ...]] = {YAMNET: (1, _FRAMES, _BANDS)}


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(hertz / 700.0)


def _mel_weights() -> NDArray[np.float32]:
    """f32[257, 64]: triangles that rise and fall linearly in mel, each peaking where its neighbours begin and end."""
    bins = _mel(np.linspace(0.0, RATE_HZ / 2, _FFT // 2 + 1))[:, None]
    low, high = _mel(np.array([_LOW_HZ, _HIGH_HZ]))
    corners = np.linspace(low, high, _BANDS + 2)
    left, peak, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (bins - left) / (peak - left), (right - bins) / (right - peak)
    return np.asarray(np.maximum(np.minimum(rising, falling), 0.0), np.float32)


# Band by band, the bins under its triangle, seven of 257 on average. A matrix product would compute with all of them,
# and wake a pool of BLAS threads that spins beside every worker for longer than the product takes.
_MEL = _mel_weights()
_BAND_OF, _BINS = np.nonzero(_MEL.T)
_WEIGHTS = _MEL[_BINS, _BAND_OF]
_FIRST_OF_BAND = np.searchsorted(_BAND_OF, np.arange(_BANDS))
_HANN = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


def patch(samples: NDArray[np.float32], want: SoundInput) -> NDArray[np.float32]:
    """f32[1, 96, 64] of f32[15600] mono in -1..1."""
    if samples.shape != (want.window_samples,):
        raise ValueError(f"a window has {want.window_samples} samples, not {list(samples.shape)}")
    frames = sliding_window_view(samples, _WINDOW)[::_HOP] * _HANN
    magnitudes = np.abs(np.fft.rfft(frames, _FFT)).astype(np.float32)
    mel = np.add.reduceat(magnitudes[:, _BINS] * _WEIGHTS, _FIRST_OF_BAND, axis=1)
    return np.asarray(np.log(mel + _OFFSET)[None], np.float32)
