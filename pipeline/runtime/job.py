"""What one run is to do, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.recording import Recording
from pipeline.runtime.report import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one run is to do. By position: `recordings` as enlisted, `sizes` in bytes (for longest first), and `closed`
    rows of those that are decided before any decoding. `terms` and `chunk_terms` are fingerprints (runtime.line).
    """

    run_id: str
    recordings: Sequence[Recording]
    sizes: Sequence[int]
    closed: Mapping[int, Row]
    terms: str
    chunk_terms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the scan is; media seconds count when their chunk is scored."""

    recordings: int
    finished: int
    media_s: float
    known_s: float
    flagged: int
    wall_s: float
