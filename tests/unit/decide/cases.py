"""Small policies and signals for the tests of decide and incident."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipeline.core.decision import Action, PolicyRef, Severity
from pipeline.core.media import NS, Span
from pipeline.core.signal import ModelRef, Score
from pipeline.decide.policy import Policy, Rule, Scanning, ScanRule

EYE = ModelRef(name="eye", version="1", sha256="e" * 64)
EAR = ModelRef(name="ear", version="1", sha256="a" * 64)
EVERYWHERE = Scanning(
    rules=(),
    otherwise=ScanRule(
        id="otherwise", jurisdictions=frozenset(), permitted=True, needs_purposes=frozenset(), citation="c"
    ),
)


def rule(**changes: Any) -> Rule:
    given: dict[str, Any] = {
        "id": "r",
        "category": "nudity",
        "severity": Severity.MEDIUM,
        "action": Action.REVIEW,
        "detector": "eye",
        "labels": frozenset({"eye.bare"}),
        "at_least": 0.8,
        "votes": 2,
        "within_ns": 10 * NS,
    }
    return Rule(**given | changes)


def policy(*rules: Rule, scanning: Scanning = EVERYWHERE) -> Policy:
    ref = PolicyRef(name="p", version="1", sha256="0" * 64)
    return Policy(ref=ref, rules=rules or (rule(),), scanning=scanning, merge_gap_s=30.0)


def second(at: float, long: float = 1.0) -> Span:
    return Span(start_ns=round(at * NS), end_ns=round((at + long) * NS))


def seen(at: float, value: float = 0.9, label: str = "eye.bare", *, repeats: float | None = None) -> Score:
    again = None if repeats is None else second(repeats)
    return Score(span=second(at), label=label, value=value, model=EYE, repeats=again)


def heard(at: float, label: str, value: float) -> Score:
    return Score(span=second(at, 0.975), label=label, value=value, model=EAR)


@st.composite
def signals(draw: st.DrawFn) -> list[Score]:
    """A stream's scores: frames, some repeating an earlier one, and windows of sound with several labels."""
    found = []
    values = st.sampled_from([0.0, 0.3, 0.5, 0.79, 0.8, 0.95, 1.0])
    for at in sorted(draw(st.sets(st.integers(0, 120), max_size=25))):
        earlier = [s for s in found if s.repeats is None]
        if earlier and draw(st.booleans()):
            model = draw(st.sampled_from(earlier))
            found.append(seen(at, model.value, repeats=model.span.start_ns / NS))
        else:
            found.append(seen(at, draw(values)))
    sounds = []
    for at in draw(st.sets(st.integers(0, 40), max_size=10)):
        sounds += [heard(at * 0.48, f"ear.{label}", draw(values)) for label in ("shot", "blast", "rocket")]
    return found + sounds
