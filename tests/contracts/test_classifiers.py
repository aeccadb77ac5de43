"""What every FrameClassifier and SoundClassifier promises, the fakes included."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.media import AudioWindow, Frame, Span
from pipeline.core.ports import FrameClassifier, SoundClassifier
from pipeline.score.frames import load_frames
from pipeline.score.sounds import load_sounds
from pipeline.score.store import ModelStore
from tests.fakes.classifiers import BrightnessClassifier, LoudnessClassifier
from tests.models import entries, fetched_models
from tests.own_model import own_model


def _own(folder: Path) -> FrameClassifier:
    entry, store = own_model(folder), ModelStore(folder / "models")
    store.fetch(entry, print)
    return load_frames(entry, store)


FRAMES: dict[str, Callable[[Path], FrameClassifier]] = {
    "fake": lambda _: BrightnessClassifier(),
    "own": _own,
    "opennsfw": lambda _: load_frames(entries()["opennsfw"], fetched_models()),
}
SOUNDS: dict[str, Callable[[Path], SoundClassifier]] = {
    "fake": lambda _: LoudnessClassifier(),
    "yamnet": lambda _: load_sounds(entries()["yamnet"], fetched_models()),
}


def _frame(seed: int, height: int, width: int) -> Frame:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return Frame(stream_id="s", span=Span(start_ns=seed, end_ns=seed + 1), pixels=pixels)


def _window(seed: int) -> AudioWindow:
    samples = np.random.default_rng(seed).normal(0, 0.1, 15_600).astype(np.float32)
    return AudioWindow(stream_id="s", span=Span(start_ns=seed, end_ns=seed + 1), samples=samples, rate_hz=16_000)


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_are_scored_in_order_and_by_themselves(kind: str, tmp_path: Path) -> None:
    classifier = FRAMES[kind](tmp_path)
    frames = [_frame(1, 48, 64), _frame(2, 300, 30), _frame(3, 7, 9)]
    together = classifier.score(frames)
    assert together == [classifier.score([frame])[0] for frame in frames]
    assert [{score.span for score in scores} for scores in together] == [{frame.span} for frame in frames]
    assert all(score.model == classifier.ref for scores in together for score in scores)
    assert all(score.label.startswith(f"{classifier.ref.name}.") for scores in together for score in scores)
    assert classifier.score([]) == []


@pytest.mark.parametrize("kind", SOUNDS)
def test_windows_are_scored_in_order_and_by_themselves(kind: str, tmp_path: Path) -> None:
    classifier = SOUNDS[kind](tmp_path)
    windows = [_window(1), _window(2), _window(3)]
    together = classifier.score(windows)
    assert together == [classifier.score([window])[0] for window in windows]
    assert [{score.span for score in scores} for scores in together] == [{window.span} for window in windows]
    assert all(score.model == classifier.ref for scores in together for score in scores)
    assert classifier.score([]) == []
