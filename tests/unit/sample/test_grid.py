"""The grid: which frames are samples."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.media import LINE_NS, NS
from pipeline.sample.grid import Grid
from pipeline.sample.params import Params

Picks = list[tuple[int, int]]


def picked(
    times: list[int], end_ns: int, rate_hz: float | None = 1.0, lines: tuple[int, int | None] = (0, None)
) -> Picks:
    picking = Grid(Params(rate_hz=rate_hz)).over(lines)
    picks = [pick for time in times if not picking.done for pick in picking.see(time)]
    return picks if picking.done else picks + list(picking.end(end_ns))


def by_definition(times: list[int], end_ns: int, rate_hz: float) -> Picks:
    """Every grid time from the first frame to the end, and the frame nearest to it."""
    picks = {(times[0], times[0] // LINE_NS)}
    k = 0
    while (at := int(k * NS / rate_hz)) < end_ns:
        if at > times[0]:
            picks.add((min(times, key=lambda time: (abs(time - at), time)), at // LINE_NS))
        k += 1
    return sorted(picks)


gaps = st.one_of(st.integers(NS // 60, NS // 5), st.integers(1, 200 * NS))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 130 * NS), st.lists(gaps, max_size=40), gaps, st.sampled_from([0.2, 1.0, 2.5]))
def test_the_nearest_frame_of_each_grid_time_is_a_sample_once_a_line(
    first: int, steps: list[int], last: int, rate_hz: float
) -> None:
    times = [first + sum(steps[:i]) for i in range(len(steps) + 1)]
    assert picked(times, times[-1] + last, rate_hz) == by_definition(times, times[-1] + last, rate_hz)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 70 * NS), st.lists(gaps, max_size=40), gaps, st.sampled_from([0.2, 0.7, 1.0, None]))
def test_lines_sampled_apart_give_what_one_pass_gives(
    first: int, steps: list[int], last: int, rate_hz: float | None
) -> None:
    times = [first + sum(steps[:i]) for i in range(len(steps) + 1)]
    end = times[-1] + last
    lines = range(end // LINE_NS + 1)
    apart = [pick for line in lines for pick in picked(times, end, rate_hz, (line, line + 1))]
    assert sorted(apart) == picked(times, end, rate_hz)


def test_a_frame_on_the_wrong_side_of_a_line_is_its_sample_all_the_same() -> None:
    times = [n * 1001 * NS // 30000 for n in range(30 * 62)]
    near_sixty = [
        (time, line)
        for time, line in picked(times, times[-1] + NS // 30)
        if 59 * NS + NS // 2 < time < 61 * NS - NS // 2
    ]
    assert near_sixty == [(1798 * 1001 * NS // 30000, 1)]


def test_constant_rate_samples_lie_within_half_a_frame_of_the_grid() -> None:
    times = [n * 1001 * NS // 24000 for n in range(24 * 125)]
    samples = picked(times, times[-1] + NS // 24)
    assert len(samples) == 126
    assert all(abs(time - k * NS) <= NS // 24 // 2 + 1 for k, (time, _) in enumerate(samples))


def test_a_tie_goes_to_the_earlier_frame() -> None:
    assert (NS // 2, 0) in picked([0, NS // 2, 3 * NS // 2], 2 * NS)
    assert (3 * NS // 2, 0) not in picked([0, NS // 2, 3 * NS // 2], 3 * NS // 2 + 1)


def test_a_stream_shorter_than_the_grid_is_still_seen() -> None:
    assert picked([300_000_000], 400_000_000, 0.2) == [(300_000_000, 0)]


def test_full_rate_gives_every_frame_once() -> None:
    times = [n * NS // 25 for n in range(25 * 61)]
    assert picked(times, 61 * NS, None) == [(time, time // LINE_NS) for time in times]


def test_a_pass_over_some_lines_ends_by_itself() -> None:
    picking = Grid(Params()).over((0, 1))
    seen = 0
    while not picking.done:
        picking.see(seen * NS // 10)
        seen += 1
    assert seen == 591
    assert all(a < b for a, b in pairwise(picked([0, NS, 2 * NS], 3 * NS)))


@pytest.mark.parametrize("rate_hz", [0.0, 0.1, 1000.0])
def test_a_rate_out_of_range_is_refused(rate_hz: float) -> None:
    with pytest.raises(ValueError, match="rate_hz"):
        Params(rate_hz=rate_hz)
