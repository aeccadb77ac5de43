"""Signals: what detectors say. Small values, no pixels and no sound."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.media import Span


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ModelRef:
    """A model by name, version and the sha256 of the very bytes that ran."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Score:
    """A classifier's value 0..1 for one label on one span of a stream.

    `repeats` is the span of the frame this one repeats (the repeat gate), or None if this frame was scored itself.
    """

    span: Span
    label: str
    value: float
    model: ModelRef
    repeats: Span | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.value <= 1.0:
            raise ValueError(f"{self.label}: {self.value} is not in 0..1")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Match:
    """A hash match within its threshold, with the bank and the entry named."""

    span: Span
    label: str
    bank: str
    entry: str
    algorithm: str
    distance: int
    threshold: int

    def __post_init__(self) -> None:
        if not 0 <= self.distance <= self.threshold:
            raise ValueError(f"{self.bank}/{self.entry}: distance {self.distance} is beyond {self.threshold}")


Signal = Score | Match
