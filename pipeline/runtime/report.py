"""The scan report: a row per recording and the totals, as `scan --json` prints them (docs/scan-report.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from pipeline.core.recording import UNKNOWN

LOST = "conclusion"
"""In `degraded`: the recording was scored but nothing of it could be decided or sealed; the next scan tries again."""


ALREADY = "already scanned under these terms"


class Outcome(StrEnum):
    """What became of a recording; never "clean" for what was not seen."""

    SCANNED = "scanned"
    PARTIAL = "partial"
    UNREADABLE = "unreadable"
    SKIPPED = "skipped"
    NOT_PERMITTED = "not_permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One recording's line. Seconds are media time, but for `seconds`: wall seconds by stage."""

    outcome: Outcome
    uri: str = ""
    recording_id: str = UNKNOWN
    reason: str = ""
    warnings: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    duration_s: float = 0.0
    frames_sampled: int = 0
    frames_scored: int = 0
    frames_repeated: int = 0
    audio_s: float = 0.0
    incidents: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The row as JSON values, without the stage times (the totals have them)."""
        body = asdict(self)
        del body["seconds"]
        body["outcome"] = self.outcome.value
        for name in ("warnings", "degraded", "incidents"):
            body[name] = list(body[name])
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Row:
        """The inverse of `to_json`."""
        tuples = {name: tuple(body[name]) for name in ("warnings", "degraded", "incidents")}
        return cls(**{**body, **tuples, "outcome": Outcome(body["outcome"])})

    def as_skipped(self) -> Row:
        """The same row for a run that found the work already done; what was not seen then is still told."""
        return replace(self, outcome=Outcome.SKIPPED, reason=combine([ALREADY, self.reason]))

    @property
    def whole(self) -> bool:
        """True if all of the recording was seen, now or before."""
        seen = self.outcome is Outcome.SCANNED or (self.outcome is Outcome.SKIPPED and self.reason == ALREADY)
        return seen and not self.degraded


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a scan did. `wall_s` from the command's start of work to its end; `canary` is "ok", or "not run" if it was
    stopped before."""

    run_id: str
    rows: tuple[Row, ...]
    wall_s: float
    first_score_s: float
    canary: str
    complete: bool

    @property
    def scored_nothing(self) -> bool:
        """True if no detector saw or heard anything, now or before under the same terms."""
        return not any(r.frames_scored or r.audio_s for r in self.rows)

    def failed(self, *, strict: bool) -> bool:
        """Whether the command exits 1: nothing was scored, something flagged may not be sealed, or (strict)
        something was not seen."""
        if self.scored_nothing or any(LOST in r.degraded for r in self.rows):
            return True
        return strict and not all(r.whole for r in self.rows)

    def _once(self) -> list[Row]:
        """The rows of this run's own work: the same content under several names counts once, with its stage times."""
        once: dict[str, Row] = {}
        for row in self.rows:
            name = row.uri if row.recording_id == UNKNOWN else row.recording_id
            if row.outcome is not Outcome.SKIPPED and (name not in once or row.seconds):
                once[name] = row
        return list(once.values())

    def totals(self) -> dict[str, Any]:
        """Counts and times over all rows; `seconds` sums the wall time that workers spent in each stage."""
        counts = {o.value: sum(r.outcome is o for r in self.rows) for o in Outcome}
        fresh = self._once()
        stages: dict[str, float] = {}
        for row in fresh:
            for stage, spent in row.seconds.items():
                stages[stage] = round(stages.get(stage, 0.0) + spent, 4)
        video_s = sum(r.duration_s for r in fresh)
        return {
            "run_id": self.run_id,
            "complete": self.complete,
            "recordings": len(self.rows),
            "outcomes": counts,
            "duration_s": round(video_s, 3),
            "frames_sampled": sum(r.frames_sampled for r in fresh),
            "frames_scored": sum(r.frames_scored for r in fresh),
            "frames_repeated": sum(r.frames_repeated for r in fresh),
            "audio_s": round(sum(r.audio_s for r in fresh), 3),
            "incidents": len({i for r in self.rows for i in r.incidents}),
            "degraded": sorted({d for r in fresh for d in r.degraded}),
            "canary": self.canary,
            "wall_s": round(self.wall_s, 3),
            "first_score_s": round(self.first_score_s, 3),
            "x_realtime": round(video_s / self.wall_s, 2) if self.wall_s else 0.0,
            "seconds": dict(sorted(stages.items())),
        }

    def to_json(self) -> dict[str, Any]:
        """The object that `scan --json` ends with."""
        return {"recordings": [r.to_json() for r in self.rows], "totals": self.totals()}


def combine(reasons: Sequence[str]) -> str:
    """Several reasons as one line, each once, in order."""
    return "; ".join(dict.fromkeys(r for r in reasons if r))
