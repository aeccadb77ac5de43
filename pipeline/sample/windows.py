"""Sound as overlapping windows of equal length. Refuses to know where the sound came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.core.media import NS, AudioWindow, Span
from pipeline.sample.params import Params


def windows(
    blocks: Iterable[tuple[int, NDArray[np.float32]]], *, stream_id: str, offset_ns: int, params: Params
) -> Iterator[AudioWindow]:
    """Windows of `window_samples`, one every `hop_samples`, of the sound in `blocks`.

    `blocks` are (index of the first sample in file time, f32 mono at `audio_rate_hz`), each beginning where the one
    before ended; ValueError if one does not. Windows begin at multiples of the hop from the first sample. Short
    input, and a last window with samples that no earlier one covered, are padded with silence; the span is the real
    sound of the window in recording time. Memory is constant.
    """
    length, hop = params.window_samples, params.hop_samples
    held = np.zeros(0, np.float32)
    begin = covered = -1
    for index, block in blocks:
        if begin < 0:
            begin = covered = index
        if index != begin + held.size:
            raise ValueError(f"a block of sound begins at {index}, the one before ended at {begin + held.size}")
        held = np.concatenate([held, block])
        while held.size >= length:
            yield _window(held[:length], begin, stream_id, offset_ns, params)
            covered = begin + length
            held, begin = held[hop:], begin + hop
    if begin + held.size > covered:
        yield _window(held, begin, stream_id, offset_ns, params)


def _window(samples: NDArray[np.float32], begin: int, stream_id: str, offset_ns: int, params: Params) -> AudioWindow:
    rate = params.audio_rate_hz
    span = Span(start_ns=offset_ns + begin * NS // rate, end_ns=offset_ns + (begin + samples.size) * NS // rate)
    whole = np.zeros(params.window_samples, np.float32)
    whole[: samples.size] = samples
    return AudioWindow(stream_id=stream_id, span=span, samples=whole, rate_hz=rate)
