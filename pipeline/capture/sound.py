"""The sound around an incident as FLAC: 16 kHz, mono, 16 bit, reproducible to the byte."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.capture.media import AUDIO_RATE_HZ

_BLOCK = 4096


def flac(samples: NDArray[np.float32]) -> tuple[bytes, float]:
    """`samples` f32[n] mono at 16 kHz -> (FLAC file, gain). The gain is 1.0 unless samples beyond -1..1 needed less."""
    peak = float(np.max(np.abs(samples), initial=0.0))
    gain = 1.0 if peak <= 1.0 else 1.0 / peak
    pcm = np.rint(samples.astype(np.float64) * gain * 32767).astype(np.int16)
    out = io.BytesIO()
    with av.open(out, "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=AUDIO_RATE_HZ, options={"compression_level": "5"})
        stream.codec_context.layout = "mono"
        stream.codec_context.format = "s16"
        stream.codec_context.thread_count = 1
        for start in range(0, len(pcm), _BLOCK):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + _BLOCK], format="s16", layout="mono")
            frame.sample_rate = AUDIO_RATE_HZ
            frame.pts = start
            frame.time_base = Fraction(1, AUDIO_RATE_HZ)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue(), gain
