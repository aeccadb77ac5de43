"""Windows of sound."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.media import NS, AudioWindow
from pipeline.sample.params import Params
from pipeline.sample.windows import windows


def cut(samples: int, sizes: list[int], offset_ns: int = 0) -> list[AudioWindow]:
    sound = np.arange(1, samples + 1, dtype=np.float32)
    edges = [0, *(min(sum(sizes[: i + 1]), samples) for i in range(len(sizes))), samples]
    blocks = [(a, sound[a:b]) for a, b in itertools.pairwise(edges) if b > a]
    return list(windows(iter(blocks), stream_id="s", offset_ns=offset_ns, params=Params()))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60_000), st.lists(st.integers(1, 30_000), max_size=8))
def test_every_sample_is_in_a_window_however_the_sound_arrives(samples: int, sizes: list[int]) -> None:
    found = cut(samples, sizes)
    sound = np.concatenate([np.arange(1, samples + 1, dtype=np.float32), np.zeros(15_600, np.float32)])
    for number, window in enumerate(found):
        begin = number * 7_680
        assert np.array_equal(window.samples, sound[begin : begin + 15_600])
        assert window.span.start_ns == begin * NS // 16_000
        assert window.span.end_ns == min(begin + 15_600, samples) * NS // 16_000
    assert found[-1].span.end_ns == samples * NS // 16_000
    assert len(found) == 1 + max(0, -(-(samples - 15_600) // 7_680))


def test_short_sound_is_padded_with_silence() -> None:
    (window,) = cut(800, [])
    assert window.samples.shape == (15_600,)
    assert not window.samples[800:].any()
    assert window.span.end_ns == NS // 20


def test_spans_count_in_recording_time() -> None:
    assert [w.span.start_ns for w in cut(23_280, [], offset_ns=5 * NS)] == [5 * NS, 5 * NS + 480_000_000]


def test_no_sound_gives_no_window() -> None:
    assert cut(0, []) == []


def test_a_hole_between_blocks_is_refused() -> None:
    blocks = [(0, np.zeros(10, np.float32)), (11, np.zeros(10, np.float32))]
    with pytest.raises(ValueError, match="a block of sound begins at 11"):
        list(windows(blocks, stream_id="s", offset_ns=0, params=Params()))
