"""Classifiers without a model: they pass the contract tests of the real ones."""

from collections.abc import Sequence

import numpy as np

from pipeline.core.media import AudioWindow, Frame
from pipeline.core.signal import ModelRef, Score


class BrightnessClassifier:
    """Scores "fake.bright": the mean of a picture's values, 0 black to 1 white."""

    ref = ModelRef(name="fake", version="1", sha256="0" * 64)

    def score(self, frames: Sequence[Frame]) -> list[list[Score]]:
        values = [float(frame.pixels.mean()) / 255 for frame in frames]
        return [
            [Score(span=frame.span, label="fake.bright", value=value, model=self.ref)]
            for frame, value in zip(frames, values, strict=True)
        ]


class LoudnessClassifier:
    """Scores "fake.loud": a window's largest sample, 0 silent to 1 (or more) full scale."""

    ref = ModelRef(name="fake", version="1", sha256="0" * 64)

    def score(self, windows: Sequence[AudioWindow]) -> list[list[Score]]:
        values = [min(1.0, float(np.abs(window.samples).max(initial=0.0))) for window in windows]
        return [
            [Score(span=window.span, label="fake.loud", value=value, model=self.ref)]
            for window, value in zip(windows, values, strict=True)
        ]
