"""The sound classifier: a model over one patch of features per window."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.media import AudioWindow
from pipeline.core.ports import SoundClassifier
from pipeline.core.signal import ModelRef, Score
from pipeline.score.entry import ModelEntry, SoundInput
from pipeline.score.features import patch
from pipeline.score.files import Stored
from pipeline.score.labels import Labels
from pipeline.score.params import Provider
from pipeline.score.probe import check_probes
from pipeline.score.session import Session
from pipeline.score.store import ModelStore


class EventClassifier:
    """A SoundClassifier over one session."""

    def __init__(self, entry: ModelEntry, stored: Stored, provider: Provider, keep: frozenset[str] | None) -> None:
        """Raises ModelError if the model is not what its entry says, its probes included."""
        if not isinstance(entry.input, SoundInput):
            raise ValueError(f"{entry.name} is a model for {entry.task}, not for sounds")
        self._input = entry.input
        self._labels = Labels(entry, stored, keep)
        self.ref: ModelRef = self._labels.ref
        self._session = Session(entry, stored, provider)
        check_probes(entry, stored, self._session)

    def score(self, windows: Sequence[AudioWindow]) -> list[list[Score]]:
        """Per window its scores; each exactly as long as the entry says (the sampler pads), at its rate."""
        found = []
        for window in windows:
            if window.rate_hz != self._input.rate_hz:
                raise ValueError(f"a window at {window.rate_hz} Hz; the model takes {self._input.rate_hz} Hz")
            # One patch at a time: batches gain nothing, and a score must not depend on its neighbours.
            (values,) = self._session.run(patch(window.samples, self._input)[None])
            found.append(self._labels.scores(window.span, values))
        return found


def load_sounds(
    entry: ModelEntry, store: ModelStore, *, provider: str = "cpu", keep: frozenset[str] | None = None
) -> SoundClassifier:
    """The classifier of a fetched model; `keep` limits which "<model>.<label>" scores it gives."""
    return EventClassifier(entry, store.read(entry), Provider(provider), keep)
