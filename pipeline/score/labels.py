"""From a model's output to scores: which labels are wanted, and how they are called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import ModelError
from pipeline.core.media import Span
from pipeline.core.signal import ModelRef, Score
from pipeline.score.entry import ModelEntry
from pipeline.score.files import Stored


class Labels:
    """The labels of one model that somebody wants, as "<model>.<label>"."""

    def __init__(self, entry: ModelEntry, stored: Stored, keep: frozenset[str] | None) -> None:
        """`keep` holds full labels of any models, None all; one that names this model but no label is a ModelError."""
        names = [f"{entry.name}.{label}" for label in stored.labels]
        if strange := sorted(k for k in keep or () if k.startswith(f"{entry.name}.") and k not in names):
            raise ModelError(f"{entry.name} has no label {strange[0]!r}; correct the policy, or the model's labels")
        self._wanted = [(i, name) for i, name in enumerate(names) if keep is None or name in keep]
        self._ref = ModelRef(name=entry.name, version=entry.version, sha256=stored.sha256)

    @property
    def ref(self) -> ModelRef:
        """The model whose scores these are."""
        return self._ref

    def scores(self, span: Span, values: NDArray[np.float32]) -> list[Score]:
        """The wanted scores of one row of output, in the order of the model's labels."""
        return [Score(span=span, label=name, value=float(values[i]), model=self._ref) for i, name in self._wanted]
