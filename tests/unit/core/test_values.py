"""A value is right from birth, never changes, and survives the way to another process."""

import pickle
from datetime import datetime

import numpy as np
import pytest

from pipeline.core.ids import content_mac, keyed_id
from pipeline.core.media import AudioWindow, Frame, Span
from pipeline.core.recording import Layout, Part, Recording


def test_a_span_is_half_open_and_never_empty() -> None:
    with pytest.raises(ValueError):
        Span(start_ns=5, end_ns=5)
    first, second = Span(start_ns=0, end_ns=10), Span(start_ns=10, end_ns=20)
    assert not first.overlaps(second)
    assert first.overlaps(second, gap_ns=1)
    assert first.hull(second) == Span(start_ns=0, end_ns=20)


def test_pixels_and_samples_stay_read_only_through_pickle() -> None:
    frame = Frame(stream_id="s", span=Span(start_ns=0, end_ns=1), pixels=np.zeros((2, 3, 3), np.uint8))
    window = AudioWindow(
        stream_id="s", span=Span(start_ns=0, end_ns=1), samples=np.zeros(4, np.float32), rate_hz=16_000
    )
    for value, array in ((frame, "pixels"), (window, "samples")):
        again = pickle.loads(pickle.dumps(value))  # noqa: S301
        for one in (value, again):
            with pytest.raises(ValueError, match="read-only"):
                getattr(one, array)[0] = 1


def test_a_frame_of_another_shape_or_type_cannot_exist() -> None:
    for pixels in (np.zeros((2, 3), np.uint8), np.zeros((2, 3, 3), np.float32)):
        with pytest.raises(ValueError, match="a frame is"):
            Frame(stream_id="s", span=Span(start_ns=0, end_ns=1), pixels=pixels)


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Recording(parts=(Part(uri="a"),), started_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_composite_recording_names_its_regions() -> None:
    with pytest.raises(ValueError, match="regions"):
        Recording(parts=(Part(uri="a"),), layout=Layout.COMPOSITE)


def test_ids_do_not_run_together_and_depend_on_the_key() -> None:
    key = b"k" * 32
    assert keyed_id(key, "x", "ab", "c") != keyed_id(key, "x", "a", "bc")
    assert keyed_id(key, "x", "a") != keyed_id(b"l" * 32, "x", "a")
    assert content_mac(key, b"body") != content_mac(b"l" * 32, b"body")


def test_file_names_that_are_no_text_have_ids_too() -> None:
    assert keyed_id(b"k" * 32, "x", "caf\udce9")
