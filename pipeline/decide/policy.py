"""The policy as values: rules over what detectors say, and where automated scanning is permitted.

Thresholds live here and nowhere else. Knows nothing of files; `config.policy_file` reads one into these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.core.decision import Action, PolicyRef, Severity


class Combine(StrEnum):
    """How the labels of a rule become one value on one span."""

    MAX = "max"
    SUM = "sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unless:
    """Look-alikes: a span is no vote where these reach `at_least` and are likelier than what the rule looks for."""

    labels: frozenset[str]
    combine: Combine
    at_least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Votes of one detector that make a finding.

    A span (a frame, a window of sound) is a vote where its `labels` combine to `at_least`. The rule fires where `votes`
    of them begin within `within_ns` of each other, or where one alone reaches `alone_at_least` (None: never alone),
    which is how a still image or a frozen picture can be found at all. A span that repeats an earlier one is no further
    vote unless `repeats_count`. Labels are "<detector>.<label>", values and thresholds 0..1.
    """

    id: str
    category: str
    severity: Severity
    action: Action
    detector: str
    labels: frozenset[str]
    combine: Combine = Combine.MAX
    at_least: float
    alone_at_least: float | None = None
    unless: Unless | None = None
    votes: int = 1
    within_ns: int
    repeats_count: bool = False
    single_frame_ok: bool = False

    def __post_init__(self) -> None:
        if not self.labels or self.votes < 1 or self.within_ns <= 0:
            raise ValueError(f"rule {self.id} needs labels, a vote and a window")
        if self.severe and self.one_frame_decides and not self.single_frame_ok:
            raise ValueError(f"rule {self.id} lets one frame decide a severe action")

    @property
    def severe(self) -> bool:
        """True if what this rule does weighs heavily on a person."""
        return self.severity is Severity.SEVERE or self.action in (Action.ESCALATE, Action.INTERRUPT)

    @property
    def one_frame_decides(self) -> bool:
        """True if a single picture or window of sound can make it fire."""
        return self.votes < 2 or self.alone_at_least is not None or self.repeats_count


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRule:
    """Whether people of these jurisdictions may be scanned automatically, and under which citation.

    `jurisdictions` are ISO 3166 codes ("NL", "US-CA") or the groups "EU" and "EEA"; a participant must have agreed to
    all of `needs_purposes`.
    """

    id: str
    jurisdictions: frozenset[str]
    permitted: bool
    needs_purposes: frozenset[str]
    citation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanning:
    """`otherwise` holds for people whom no rule covers; its `jurisdictions` are not looked at."""

    rules: tuple[ScanRule, ...]
    otherwise: ScanRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy file: `ref.sha256` is of its bytes. Findings closer than `merge_gap_s` seconds are one incident."""

    ref: PolicyRef
    rules: tuple[Rule, ...]
    scanning: Scanning
    merge_gap_s: float

    @property
    def labels(self) -> frozenset[str]:
        """All labels that any rule looks at: no other score needs to be kept."""
        found = [r.labels | (r.unless.labels if r.unless else frozenset()) for r in self.rules]
        return frozenset().union(*found)

    @property
    def detectors(self) -> frozenset[str]:
        """All detectors that any rule asks."""
        return frozenset(r.detector for r in self.rules)
