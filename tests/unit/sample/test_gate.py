"""The repeat gate: what repeats is found, and nothing put into a picture goes unseen."""

from __future__ import annotations

from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.core.media import NS, Frame, Span
from pipeline.sample.gate import RepeatGate
from pipeline.sample.params import Params
from tests.devset import devset

Picture = NDArray[np.uint8]
KINDS = ("flat", "flat red", "shifted", "checker 1", "checker 2", "checker 4", "checker 8", "noise", "text")
PLACES = 5


def frame(pixels: Picture, number: int = 0, line: int = 0) -> Frame:
    return Frame(stream_id="s", span=Span(start_ns=number * NS, end_ns=number * NS + 1), pixels=pixels, line=line)


def patched(picture: Picture, kind: str, rng: np.random.Generator) -> Picture:
    """`picture` with a hundredth of its area replaced; the textures have the mean of what they cover."""
    height, width = picture.shape[:2]
    tall = round((height * width * 0.01 * rng.uniform(0.6, 1.7)) ** 0.5)
    wide = round(height * width * 0.01 / tall)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    ground = picture[top : top + tall, left : left + wide].astype(np.float64)
    mean = ground.mean((0, 1))
    away = np.where(mean < 128, 25, -25)
    if kind == "flat":
        new = np.broadcast_to(mean + away, ground.shape)
    elif kind == "flat red":
        new = np.broadcast_to(mean + away * (1, 0, 0), ground.shape)
    elif kind == "shifted":
        new = ground + away
    else:
        new = np.clip(mean, 25, 230) + _texture(kind, tall, wide, rng)[..., None]
    result = picture.copy()
    result[top : top + tall, left : left + wide] = np.clip(np.round(new), 0, 255)
    return result


def _texture(kind: str, tall: int, wide: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if kind == "noise":
        return rng.choice([-25.0, 25.0], (tall, wide))
    if kind == "text":
        stroke = max(2, tall // 12)
        ink = rng.random((tall // stroke + 1, wide // stroke + 1)) < 0.4
        ink[::3] = False
        page = np.kron(ink, np.ones((stroke, stroke)))[:tall, :wide]
        return (page.mean() - page) * 80
    cell = int(kind.split()[1])
    y, x = np.mgrid[0:tall, 0:wide]
    return np.where((y // cell + x // cell) % 2, 25.0, -25.0)


def grounds() -> Iterator[tuple[str, Picture]]:
    for path in sorted(devset("photos", "negative").iterdir()):
        whole = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        for size in ((320, 240), (640, 480), (1280, 720)):
            yield path.name, np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
    for path in sorted(devset("video", "real").iterdir()):
        with av.open(str(path)) as container:
            yield path.name, next(container.decode(video=0)).to_ndarray(format="rgb24").copy()


def test_no_patch_of_a_hundredth_of_the_area_is_missed() -> None:
    rng = np.random.default_rng(20)
    for name, picture in grounds():
        gate = RepeatGate(Params())
        assert gate.repeats(frame(picture)) is None
        for kind in KINDS:
            for _ in range(PLACES):
                # Found new, the patched frame is remembered too: a later one must differ from all of them.
                assert gate.repeats(frame(patched(picture, kind, rng))) is None, f"{kind} on {name}"


def test_a_still_scene_under_the_noise_of_a_camera_repeats() -> None:
    rng = np.random.default_rng(3)
    for name, picture in grounds():
        if picture.shape[1] > 640:
            continue
        gate = RepeatGate(Params())
        shots = [np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8) for _ in range(3)]
        found = [gate.repeats(frame(shot, number)) for number, shot in enumerate(shots)]
        assert found[0] is None, name
        assert [span and span.start_ns for span in found[1:]] == [0, 0], name


def test_the_gate_starts_anew_at_each_line_whatever_the_time_of_the_frame() -> None:
    gate, grey = RepeatGate(Params()), np.full((48, 64, 3), 90, np.uint8)
    assert gate.repeats(frame(grey, 58)) is None
    assert gate.repeats(frame(grey, 59)) == Span(start_ns=58 * NS, end_ns=58 * NS + 1)
    assert gate.repeats(frame(grey, 59, line=1)) is None
    assert gate.repeats(frame(grey, 60, line=1)) == Span(start_ns=59 * NS, end_ns=59 * NS + 1)


def test_a_repeat_is_no_reference_so_slow_change_is_seen() -> None:
    gate = RepeatGate(Params())
    levels = [gate.repeats(frame(np.full((48, 64, 3), 90 + n, np.uint8), n)) for n in range(20)]
    assert [n for n, span in enumerate(levels) if span is None] == [0, 9, 18]


def test_a_change_of_size_is_no_repeat() -> None:
    gate = RepeatGate(Params())
    assert gate.repeats(frame(np.zeros((48, 64, 3), np.uint8))) is None
    assert gate.repeats(frame(np.zeros((64, 48, 3), np.uint8))) is None


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 3, 3), (2, 40_000, 3)])
def test_odd_shapes_pass(shape: tuple[int, int, int]) -> None:
    gate = RepeatGate(Params())
    assert gate.repeats(frame(np.zeros(shape, np.uint8))) is None


def test_switched_off_it_lets_everything_through() -> None:
    gate, black = RepeatGate(Params(gate=False)), np.zeros((48, 64, 3), np.uint8)
    assert [gate.repeats(frame(black, n)) for n in range(3)] == [None, None, None]
