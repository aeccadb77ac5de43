"""From signals to a decision: a pure function, and the same for every order and every cut of the signals.

Sees no media and no people, and does nothing about what it decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.core.decision import Decision, Finding
from pipeline.core.media import Span
from pipeline.core.signal import ModelRef, Score, Signal
from pipeline.decide.policy import Combine, Policy, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vote:
    span: Span
    value: float
    scores: tuple[Score, ...]
    repeats: Span | None


def decide(signals: Iterable[Signal], policy: Policy, *, stream_id: str, degraded: tuple[str, ...] = ()) -> Decision:
    """What `policy` makes of all signals of one stream.

    A signal given twice (same span, label and model) counts once. `degraded` names detectors that failed on some of
    the stream: what they did say still counts, and the decision carries their names, so it is never taken for "clean".
    """
    scores = _once(s for s in signals if isinstance(s, Score))
    by_label: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by_label[score.label].append(score)
    findings = [f for rule in policy.rules for f in _findings(rule, by_label)]
    return Decision(
        stream_id=stream_id,
        findings=tuple(sorted(findings, key=lambda f: (f.span, f.rule))),
        policy=policy.ref,
        degraded=tuple(sorted(set(degraded))),
    )


def matters(scores: Sequence[Score], policy: Policy) -> bool:
    """Whether the scores of one frame or window can be a vote of any rule; if not, no decision changes without them.

    That holds for a span that is scored once. One that comes a second time as a repeat of another is known by its own
    scores alone, so these must be kept.
    """
    return any(_combined(r.combine, [s for s in scores if s.label in r.labels]) >= r.at_least for r in policy.rules)


def _once(scores: Iterable[Score]) -> list[Score]:
    kept: dict[tuple[Span, str, ModelRef], Score] = {}
    for score in scores:
        key = (score.span, score.label, score.model)
        if key not in kept or _rank(score) > _rank(kept[key]):
            kept[key] = score
    return [kept[key] for key in sorted(kept)]


def _rank(score: Score) -> tuple[bool, float, int]:
    # A frame at a line of the grid is sampled on both sides of it: what was scored itself speaks before a repeat.
    return (score.repeats is None, score.value, -score.repeats.start_ns if score.repeats else 0)


def _findings(rule: Rule, by_label: dict[str, list[Score]]) -> list[Finding]:
    votes = _votes(rule, by_label)
    counted = [v for v in votes if v.repeats is None or rule.repeats_count]
    repeats: dict[Span, list[Span]] = defaultdict(list)
    for vote in votes:
        if vote.repeats is not None:
            repeats[vote.repeats].append(vote.span)
    return [_finding(rule, run, repeats) for run in _runs(_fired(rule, counted), rule.within_ns)]


def _votes(rule: Rule, by_label: dict[str, list[Score]]) -> list[_Vote]:
    wanted = _by_place(rule.labels, by_label)
    lookalikes = _by_place(rule.unless.labels, by_label) if rule.unless else {}
    votes: dict[Span, _Vote] = {}
    for place in sorted(wanted):
        scores = wanted[place]
        value = _combined(rule.combine, scores)
        if value < rule.at_least:
            continue
        if rule.unless:
            doubt = _combined(rule.unless.combine, lookalikes.get(place, ()))
            if doubt >= rule.unless.at_least and doubt > value:
                continue
        span = place[0]
        if span not in votes or value > votes[span].value:
            votes[span] = _Vote(span=span, value=value, scores=tuple(scores), repeats=scores[0].repeats)
    return [votes[span] for span in sorted(votes)]


def _by_place(labels: frozenset[str], by_label: dict[str, list[Score]]) -> dict[tuple[Span, ModelRef], list[Score]]:
    found: dict[tuple[Span, ModelRef], list[Score]] = defaultdict(list)
    for label in sorted(labels):
        for score in by_label.get(label, ()):
            found[score.span, score.model].append(score)
    return found


def _combined(combine: Combine, scores: Sequence[Score]) -> float:
    values = [s.value for s in scores]
    return sum(values) if combine is Combine.SUM else max(values, default=0.0)


def _fired(rule: Rule, votes: list[_Vote]) -> list[_Vote]:
    """The votes that stand alone or in a window with enough others; `votes` are in order of media time."""
    fired = {i for i, v in enumerate(votes) if rule.alone_at_least is not None and v.value >= rule.alone_at_least}
    for first in range(len(votes) - rule.votes + 1):
        last = first + rule.votes - 1
        if votes[last].span.start_ns - votes[first].span.start_ns <= rule.within_ns:
            fired.update(range(first, last + 1))
    return [votes[i] for i in sorted(fired)]


def _runs(votes: list[_Vote], within_ns: int) -> list[list[_Vote]]:
    runs: list[list[_Vote]] = []
    for vote in votes:
        if runs and vote.span.start_ns - runs[-1][-1].span.start_ns <= within_ns:
            runs[-1].append(vote)
        else:
            runs.append([vote])
    return runs


def _finding(rule: Rule, run: list[_Vote], repeats: dict[Span, list[Span]]) -> Finding:
    # A picture that stood still is no further vote, but it was still to be seen: the finding lasts as long as it did.
    spans = [v.span for v in run] + [again for v in run for again in repeats.get(v.span, ())]
    return Finding(
        rule=rule.id,
        category=rule.category,
        severity=rule.severity,
        action=rule.action,
        span=Span(start_ns=min(s.start_ns for s in spans), end_ns=max(s.end_ns for s in spans)),
        signals=tuple(score for vote in run for score in vote.scores),
    )
