"""The plan, from packet times alone: packets are numbers here, nothing is decoded."""

from __future__ import annotations

import pytest

from pipeline.core.media import NS
from pipeline.ingest.video_plan import Act, Entry, Planner, UnplannableError
from pipeline.sample.grid import Grid
from pipeline.sample.params import Params

FRAME = NS // 10


def planner(*, first_line: int = 0, **changed: int | bool) -> Planner[int]:
    bounds = {"reorder": 2, "reorders": False, "most_bytes": 1 << 20, "most_ns": 10 * NS, "landed": False}
    return Planner(Grid(Params()).over((first_line, None)), **{**bounds, **changed})  # type: ignore[arg-type]


def plan(shown: list[int], keys: set[int], **changed: int | bool) -> list[str]:
    """Steps for packets in order of decoding that show frame numbers `shown` at ten frames a second."""
    made = planner(**changed)
    steps = []
    for number in shown:
        steps += made.add(Entry(number, number * FRAME, number in keys, 100))
    steps += made.finish((max(shown) + 1) * FRAME)
    return [act.value if entry is None else f"{act.value} {entry.packet}" for act, entry in steps]


def decoded(steps: list[str]) -> list[int]:
    return [int(step.split()[1]) for step in steps if step.startswith(Act.DECODE.value)]


def test_the_tail_of_a_group_is_dropped_and_the_next_begins_anew() -> None:
    assert plan(list(range(30)), {0, 15}) == [
        "decode 0",
        *(f"skim {n}" for n in range(1, 10)),
        "decode 10",
        "restart",
        *(f"skim {n}" for n in range(15, 20)),
        "decode 20",
        "restart",
    ]


def test_a_group_without_samples_is_never_touched() -> None:
    assert plan(list(range(20)), {0, 2, 4, 6, 8, 10, 12}) == ["decode 0", "restart", "decode 10", "restart"]


def test_a_group_is_kept_whole_for_a_wanted_frame_that_leads_the_next_key() -> None:
    # Key packet 12 is coded before frames 10 and 11, which refer back to 9.
    shown = [*range(10), 12, 10, 11, 13, 14, 15, 16, 17, 18]
    steps = plan(shown, {0, 12})
    assert steps[:10] == ["decode 0", *(f"skim {n}" for n in range(1, 10))]
    assert steps[10:13] == ["skim 12", "decode 10", "restart"]


def test_leading_frames_nobody_wants_are_left_out_after_a_restart() -> None:
    # Frames 13 and 14 lead key packet 15; the group before it ended at its last sample, 10.
    shown = [*range(13), 15, 13, 14, *range(16, 22)]
    steps = plan(shown, {0, 15})
    assert steps[10:] == ["decode 10", "restart", *(f"skim {n}" for n in range(15, 20)), "decode 20", "restart"]


def test_a_group_longer_than_the_look_ahead_is_passed_on_as_it_comes() -> None:
    steps = plan(list(range(400)), {0})
    assert len(decoded(steps)) == 40
    assert steps[-2:] == ["decode 390", "restart"]


@pytest.mark.parametrize("bound", [{"most_bytes": 1500}, {"most_ns": 2 * NS}])
def test_the_look_ahead_is_bounded(bound: dict[str, int]) -> None:
    made, waiting = planner(**bound), 0
    for number in range(300):
        waiting += 1
        waiting -= sum(1 for _ in made.add(Entry(number, number * FRAME, number == 0, 100)))
        assert waiting <= 25


def test_a_packet_that_shows_nothing_is_decoded_but_never_a_sample() -> None:
    made = planner(reorder=0)
    entries = [Entry(n, -1 if n == 10 else n * FRAME, n == 0, 100) for n in range(13)]
    steps = [step for entry in entries for step in made.add(entry)] + list(made.finish(13 * FRAME))
    wanted = [entry.packet for act, entry in steps if act is Act.DECODE and entry]
    assert wanted == [0, 9]


def test_a_pass_that_lands_in_the_middle_begins_at_a_key_packet() -> None:
    steps = plan([598, 596, 597, *range(599, 612)], {598}, landed=True, first_line=1)
    assert steps[:3] == ["skim 598", "skim 599", "decode 600"]
    with pytest.raises(UnplannableError, match="no key packet"):
        plan(list(range(598, 612)), {605}, landed=True, first_line=1)


@pytest.mark.parametrize("shown", [[0, 1, 2, 2, 3, 4, 5, 6], [0, 1, 2, 3, 9, 10, 11, 4, 5, 6]])
def test_times_that_do_not_advance_have_no_plan(shown: list[int]) -> None:
    with pytest.raises(UnplannableError, match="do not advance"):
        plan(shown, {0})


def test_reordered_frames_need_reordered_times() -> None:
    with pytest.raises(UnplannableError, match="times of decoding"):
        plan(list(range(30)), {0}, reorders=True)
    assert decoded(plan([0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11], {0}, reorders=True)) == [0, 10]
