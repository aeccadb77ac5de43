"""Planned decoding gives what plain decoding gives, bit for bit, and cuts between lines change nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.media import LINE_NS, NS, Span
from pipeline.ingest.opener import open_media, video_stream
from pipeline.ingest.params import Params
from pipeline.ingest.video import frames_between
from pipeline.ingest.video_pass import Pass
from pipeline.ingest.video_plan import UnplannableError
from pipeline.ingest.video_planned import planned
from pipeline.sample.grid import Grid
from pipeline.sample.params import Params as Sampling
from tests.clips import CLIPS, clip
from tests.devset import devset
from tests.unit.ingest.video_read import reader, seen

SHORT = [name for name in CLIPS if not name.startswith("long")]
LONG = [name for name in CLIPS if name.startswith("long")]
REAL = [
    "VID_20191220_170832.mp4",
    "hello_hevc.mp4",
    "hello_vp9.webm",
    "movie-hello.avi",
    "movie-hello.mpeg",
    "movie-hello.ogg",
]


@pytest.mark.parametrize("rate_hz", [1.0, 3.7])
@pytest.mark.parametrize("name", SHORT)
def test_planned_equals_plain(clips: Path, name: str, rate_hz: float) -> None:
    path = clip(clips, name)
    plain = reader(path, rate_hz=rate_hz, planned=False)
    found = seen(plain)
    assert len(found) >= 2
    assert seen(reader(path, rate_hz=rate_hz)) == found


@pytest.mark.parametrize("name", REAL)
def test_planned_equals_plain_on_real_recordings(name: str) -> None:
    path = str(devset("video", "real", name))
    plain = reader(path, planned=False)
    found = seen(plain)
    quick = reader(path)
    assert seen(quick) == found
    assert quick.report == plain.report


@pytest.mark.parametrize("name", ["h264-gop60", "hevc-open", "vp9", "mpeg2-ts"])
def test_full_rate_gives_every_frame(clips: Path, name: str) -> None:
    path = clip(clips, name)
    found = seen(reader(path, rate_hz=None))
    assert len(found) == CLIPS[name].seconds * CLIPS[name].rate
    assert found == seen(reader(path, rate_hz=None, planned=False))


def sent_to_the_decoder(path: str) -> tuple[int, int]:
    """Packets that a plan has the decoder see, and packets in all. UnplannableError if there is no plan."""
    with open_media(path, Params()) as container:
        stream = video_stream(container)
        assert stream is not None
        run = Pass(container, stream, params=Params(), offset_ns=0, deadline=None)
        list(planned(run, Grid(Sampling()).over((0, None)), seek=False))
        return run.decoder.sent, run.packets.count


@pytest.mark.parametrize("name", [n for n in SHORT if n not in {"gif", "h264-avi"}])
def test_the_plan_holds_and_drops_what_nobody_asked_for(clips: Path, name: str) -> None:
    sent, packets = sent_to_the_decoder(clip(clips, name))
    assert 0 < sent < packets


def test_times_of_decoding_are_not_taken_for_times_of_presentation(clips: Path) -> None:
    with pytest.raises(UnplannableError, match="times of decoding"):
        sent_to_the_decoder(clip(clips, "h264-avi"))


@pytest.mark.parametrize("name", ["h264-gop60", "h264-29.97", "hevc-open", "vp9", "av1", "mpeg2"])
def test_samples_lie_within_half_a_frame_of_the_grid(clips: Path, name: str) -> None:
    rate = 30000 / 1001 if CLIPS[name].rate == 2997 else CLIPS[name].rate
    times = [frame.span.start_ns for frame in reader(clip(clips, name))]
    assert len(times) == int(CLIPS[name].seconds) + (name == "h264-29.97")
    off = [abs(time - k * NS) for k, time in enumerate(times)]
    assert max(off[:-1]) <= NS / rate / 2 + 1_000_000
    # After the last frame there is none that could be nearer.
    assert off[-1] <= NS / rate + 1_000_000


@pytest.mark.parametrize("offset_ns", [0, 37_300_000_000])
@pytest.mark.parametrize("name", LONG)
def test_chunks_give_what_one_pass_gives(clips: Path, name: str, offset_ns: int) -> None:
    path = clip(clips, name)
    whole = seen(reader(path, planned=False, offset_ns=offset_ns))
    for cuts in ([0, None], [0, 2, None], [0, 1, 2, 3, None]):
        chunks = [
            one
            for first, last in pairwise(cuts)
            if first is not None
            for one in seen(reader(path, lines=(first, last), offset_ns=offset_ns))
        ]
        # A frame that is a sample of two lines is given in both chunks; in one pass the two come together.
        assert sorted(chunks, key=lambda one: one[:2]) == whole


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["long-h264", "long-h264-mkv", "long-hevc-open", "long-vp9", "long-mpeg2-ps", "h264-vfr"]),
    st.integers(0, 140 * NS),
    st.integers(1, 5 * NS),
    st.sampled_from([0, 41 * NS + 7]),
)
def test_frames_between_are_those_of_a_full_pass(
    clips: Path, name: str, start_ns: int, length_ns: int, offset_ns: int
) -> None:
    path, span = clip(clips, name), Span(start_ns=start_ns + offset_ns, end_ns=start_ns + length_ns + offset_ns)
    found = seen(frames_between(path, span, stream_id="s", params=Params(), offset_ns=offset_ns))
    whole = seen(reader(path, rate_hz=None, planned=False, offset_ns=offset_ns))
    assert found == [one for one in whole if span.start_ns <= one[0].start_ns < span.end_ns]
    assert all(line == time.start_ns // LINE_NS for time, line, _ in found)
