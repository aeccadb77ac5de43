"""The frame classifier: any picture model that its registry entry describes completely."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.core.media import Frame
from pipeline.core.ports import FrameClassifier
from pipeline.core.signal import ModelRef, Score
from pipeline.score.entry import ModelEntry, PictureInput
from pipeline.score.files import Stored
from pipeline.score.labels import Labels
from pipeline.score.params import Provider
from pipeline.score.preprocessing import prepare
from pipeline.score.probe import check_probes
from pipeline.score.session import Session
from pipeline.score.store import ModelStore

# On a CPU thread batches gain nothing, and a score must not depend on its neighbours in a batch, to the last bit.
_BATCH = {Provider.CPU: 1, Provider.CUDA: 16}


class PictureClassifier:
    """A FrameClassifier over one session."""

    def __init__(self, entry: ModelEntry, stored: Stored, provider: Provider, keep: frozenset[str] | None) -> None:
        """Raises ModelError if the model is not what its entry says, its probes included."""
        if not isinstance(entry.input, PictureInput):
            raise ValueError(f"{entry.name} is a model for {entry.task}, not for frames")
        self._input = entry.input
        self._labels = Labels(entry, stored, keep)
        self.ref: ModelRef = self._labels.ref
        self._session = Session(entry, stored, provider)
        self._batch = min(_BATCH[provider], self._session.max_batch or _BATCH[provider])
        check_probes(entry, stored, self._session)

    def score(self, frames: Sequence[Frame]) -> list[list[Score]]:
        """Per frame its scores; frames of any size."""
        found = []
        for first in range(0, len(frames), self._batch):
            group = frames[first : first + self._batch]
            values = self._session.run(np.stack([prepare(frame.pixels, self._input) for frame in group]))
            found += [self._labels.scores(frame.span, row) for frame, row in zip(group, values, strict=True)]
        return found


def load_frames(
    entry: ModelEntry, store: ModelStore, *, provider: str = "cpu", keep: frozenset[str] | None = None
) -> FrameClassifier:
    """The classifier of a fetched model; `keep` limits which "<model>.<label>" scores it gives."""
    cv2.setNumThreads(0)  # a worker is one process per core; OpenCV's own threads would only fight over them
    return PictureClassifier(entry, store.read(entry), Provider(provider), keep)
