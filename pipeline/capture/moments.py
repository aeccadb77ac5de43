"""Which moments of a stream become frames of evidence. Pure: times in, times out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.capture.params import Params
from pipeline.core.decision import Finding
from pipeline.core.media import NS, Span
from pipeline.core.signal import Score, Signal


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Moment:
    """A wanted instant; the nearest real frame is taken. `role` is flagged, before, after or counterpart."""

    at_ns: int
    role: str


def strength(signal: Signal) -> float:
    """0..1: a score's value, or how far within its threshold a match lies."""
    return signal.value if isinstance(signal, Score) else 1.0 - signal.distance / (signal.threshold + 1)


def flagged_moments(findings: Sequence[Finding], params: Params) -> tuple[list[Moment], int]:
    """The moments of all signals with neighbours before and after each run of them, thinned to `params.max_frames`.

    Returns them in order, and how many there were before thinning.
    """
    times = sorted({signal.span.start_ns for finding in findings for signal in finding.signals})
    strongest = {
        max(finding.signals, key=lambda s: (strength(s), -s.span.start_ns)).span.start_ns for finding in findings
    }
    moments = [Moment(at_ns=at, role="flagged") for at in times] + list(_neighbours(times, params))
    moments.sort()
    must = {i for i, m in enumerate(moments) if m.role == "flagged" and m.at_ns in {times[0], times[-1], *strongest}}
    return _thinned(moments, must, params.max_frames), len(moments)


def regular_moments(span: Span, params: Params) -> list[Moment]:
    """The counterpart's moments: at its rate from the start of `span`, thinned to its bound."""
    step = round(NS / params.counterpart_rate_hz)
    moments = [Moment(at_ns=at, role="counterpart") for at in range(span.start_ns, span.end_ns, step)]
    return _thinned(moments, {0, len(moments) - 1}, params.counterpart_max_frames)


def _neighbours(times: Sequence[int], params: Params) -> Iterator[Moment]:
    step = round(params.neighbour_step_s * NS)
    apart = step * (params.before + params.after + 1)
    for i, at in enumerate(times):
        if i == 0 or at - times[i - 1] > apart:
            yield from (
                Moment(at_ns=at - k * step, role="before") for k in range(1, params.before + 1) if at >= k * step
            )
        if i == len(times) - 1 or times[i + 1] - at > apart:
            yield from (Moment(at_ns=at + k * step, role="after") for k in range(1, params.after + 1))


def _thinned(moments: list[Moment], must: set[int], bound: int) -> list[Moment]:
    if len(moments) <= bound:
        return moments
    kept = set(sorted(must)[:bound])
    room = bound - len(kept)
    rest = [i for i in range(len(moments)) if i not in kept]
    kept.update(rest[k * len(rest) // room] for k in range(room))
    return [moments[i] for i in sorted(kept)]


def windows(moments: Iterable[Moment], params: Params) -> Iterator[tuple[Span, list[Moment]]]:
    """The stretches to decode, with the moments (in order) that each serves; stretches do not overlap."""
    reach = round(params.search_s * NS)
    group: list[Moment] = []
    for moment in sorted(moments):
        if group and moment.at_ns - group[-1].at_ns > 2 * reach:
            yield _stretch(group, reach), group
            group = []
        group.append(moment)
    if group:
        yield _stretch(group, reach), group


def _stretch(group: list[Moment], reach: int) -> Span:
    return Span(start_ns=max(0, group[0].at_ns - reach), end_ns=group[-1].at_ns + reach)
