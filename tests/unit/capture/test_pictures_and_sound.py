"""How frames, derivatives and sound are written."""

from __future__ import annotations

import io

import av
import cv2
import numpy as np
import pytest

from pipeline.capture.moments import Moment
from pipeline.capture.params import Params
from pipeline.capture.picture import blurred, jpeg, nearest
from pipeline.capture.sound import flac
from pipeline.core.media import NS, Frame, Span
from tests.devset import devset


def frame(at: float) -> Frame:
    start = round(at * NS)
    return Frame(stream_id="s", span=Span(start_ns=start, end_ns=start + 1), pixels=np.zeros((2, 2, 3), np.uint8))


def picked(moments: list[tuple[float, str]], times: list[float]) -> list[tuple[float, str]]:
    wanted = [Moment(at_ns=round(at * NS), role=role) for at, role in moments]
    given = nearest(wanted, (frame(t) for t in times), reach_ns=NS)
    return [(f.span.start_ns / NS, m.role) for f, m in given]


def test_the_nearest_real_frame_is_taken_and_each_only_once() -> None:
    times = [0.0, 0.4, 0.8, 1.2, 9.0]
    assert picked([(0.4, "flagged"), (0.6, "after"), (1.1, "after")], times) == [(0.4, "flagged"), (1.2, "after")]
    assert picked([(0.5, "before"), (0.41, "flagged")][::-1], times) == [(0.4, "flagged")]
    assert picked([(5.0, "flagged"), (9.5, "after")], times) == [(9.0, "after")]
    assert picked([(1.0, "flagged")], []) == []


def test_a_frame_is_written_at_full_resolution_and_nearly_as_it_was() -> None:
    photo = cv2.cvtColor(cv2.imread(str(devset("photos", "negative", "scikit-image__chelsea.png"))), cv2.COLOR_BGR2RGB)
    body = jpeg(photo, 92)
    back = cv2.cvtColor(cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert back.shape == photo.shape
    assert np.abs(back.astype(int) - photo).mean() < 2
    assert body == jpeg(photo, 92)


def test_a_derivative_is_small_grey_and_has_no_detail_left() -> None:
    photo = cv2.imread(str(devset("photos", "negative", "scikit-image__astronaut.png")))
    small = blurred(photo, Params())
    assert small.ndim == 2
    assert max(small.shape) <= 160
    # All that is finer than a few of the 16 spots is gone: shrinking to them and back changes next to nothing.
    coarse = cv2.resize(cv2.resize(small, (16, 16), interpolation=cv2.INTER_AREA), small.shape[::-1])
    assert np.abs(coarse.astype(int) - small).mean() < 6
    assert blurred(np.zeros((1, 4000, 3), np.uint8), Params()).shape == (1, 160)
    assert blurred(np.zeros((3, 2, 3), np.uint8), Params()).size > 0


@pytest.mark.parametrize("count", [1, 4096, 100_001])
def test_sound_is_kept_without_loss_and_to_the_byte(count: int) -> None:
    samples = (0.8 * np.sin(np.arange(count) / 5)).astype(np.float32)
    body, gain = flac(samples)
    with av.open(io.BytesIO(body)) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.codec_context.format.name, stream.channels) == (16_000, "s16", 1)
        back = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert np.array_equal(back, np.rint(samples.astype(np.float64) * 32767).astype(np.int16))
    assert gain == 1.0
    assert flac(samples) == (body, gain)
    assert body[26:42] != bytes(16)  # the MD5 of the samples stands in the header


def test_sound_beyond_full_scale_is_scaled_down_and_the_gain_said() -> None:
    body, gain = flac(np.array([0.5, -2.0, 1.0], np.float32))
    with av.open(io.BytesIO(body)) as container:
        back = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert gain == 0.5
    assert back.tolist() == [8192, -32767, 16384]
