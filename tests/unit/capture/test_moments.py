"""Which moments become frames of evidence."""

from __future__ import annotations

from itertools import pairwise

from pipeline.capture.moments import flagged_moments, regular_moments, windows
from pipeline.capture.params import Params
from pipeline.core.media import NS
from tests.unit.capture.conftest import incident, seconds


def test_neighbours_stand_before_and_after_each_run_of_flagged_frames() -> None:
    moments, wished = flagged_moments(incident(10, 11, 20).findings, Params(before=2, after=1, neighbour_step_s=0.5))
    assert [(m.at_ns / NS, m.role) for m in moments] == [
        (9.0, "before"),
        (9.5, "before"),
        (10.0, "flagged"),
        (11.0, "flagged"),
        (11.5, "after"),
        (19.0, "before"),
        (19.5, "before"),
        (20.0, "flagged"),
        (20.5, "after"),
    ]
    assert wished == len(moments)


def test_nothing_is_wanted_before_the_recording_began() -> None:
    moments, _ = flagged_moments(incident(0.6).findings, Params())
    assert [m.at_ns / NS for m in moments] == [0.1, 0.6, 1.1, 1.6]


def test_a_long_incident_keeps_its_first_last_and_strongest_frames() -> None:
    times = tuple(float(t) for t in range(300))
    values = tuple(0.99 if t == 137 else 0.8 for t in times)
    moments, wished = flagged_moments(incident(*times, values=values).findings, Params(max_frames=16))
    kept = [m.at_ns // NS for m in moments if m.role == "flagged"]
    assert (len(moments), wished) == (16, 302)
    assert {0, 137, 299} <= set(kept)
    assert max(b - a for a, b in pairwise(kept)) < 30
    assert moments == flagged_moments(incident(*times, values=values).findings, Params(max_frames=16))[0]


def test_a_counterpart_gives_a_frame_a_second_up_to_its_bound() -> None:
    assert [m.at_ns / NS for m in regular_moments(seconds(1.5, 4), Params())] == [1.5, 2.5, 3.5]
    many = regular_moments(seconds(0, 1000), Params(counterpart_max_frames=10))
    assert len(many) == 10
    assert (many[0].at_ns, many[-1].at_ns) == (0, 999 * NS)


def test_far_moments_are_decoded_apart_and_near_ones_together() -> None:
    moments, _ = flagged_moments(incident(10, 100).findings, Params(before=0, after=1, neighbour_step_s=0.5))
    spans = [(span.start_ns / NS, span.end_ns / NS, len(served)) for span, served in windows(moments, Params())]
    assert spans == [(9.0, 11.5, 2), (99.0, 101.5, 2)]
