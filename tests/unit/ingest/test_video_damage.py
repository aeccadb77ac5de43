"""Reading video whose bytes or times are damaged: what is there is read, and what is wrong is told."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import av
import pytest

from pipeline.core.media import NS
from tests.clips import clip
from tests.devset import devset
from tests.unit.ingest.video_read import reader, seen


def test_a_truncated_recording_gives_what_is_there() -> None:
    path = str(devset("video", "broken", "trunc_quarter.mp4"))
    pictures = reader(path, rate_hz=None)
    assert len(list(pictures)) == 7
    assert pictures.report.broken.startswith("the data end early")
    sampled = reader(path)
    assert seen(sampled) == seen(reader(path, planned=False))
    assert sampled.report.broken == pictures.report.broken


@pytest.mark.parametrize("name", ["h264-gop60", "h264-ts", "hevc-open", "vp9", "mpeg2", "av1"])
def test_damage_is_told_and_read_past(
    clips: Path, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    body = bytearray(Path(clip(clips, name)).read_bytes())
    capfd.readouterr()
    for at in range(len(body) // 3, len(body) * 2 // 3, len(body) // 40):
        body[at : at + 24] = bytes(24)
    path = tmp_path / name
    path.write_bytes(body)
    plain, quick = reader(str(path), rate_hz=3.7, planned=False), reader(str(path), rate_hz=3.7)
    found = seen(plain)
    assert found
    assert seen(quick) == found
    assert "damaged in places: read as far as possible" in plain.report.warnings
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["h264-gop60", "vp9", "mpeg2-ts"])
def test_a_recording_cut_anywhere_is_read_to_the_cut(clips: Path, tmp_path: Path, name: str) -> None:
    body = Path(clip(clips, name)).read_bytes()
    # An index at the end is gone with the end: one in front survives the cut.
    if name == "h264-gop60":
        with (
            av.open(str(clip(clips, name))) as source,
            av.open(str(tmp_path / "front"), "w", format="mp4", options={"movflags": "faststart"}) as out,
        ):
            stream = out.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
        body = (tmp_path / "front").read_bytes()
    whole = seen(reader(clip(clips, name), planned=False))
    for share in (0.4, 0.63, 0.9):
        path = tmp_path / "cut"
        path.write_bytes(body[: int(len(body) * share)])
        quick = reader(str(path))
        found = seen(quick)
        assert found == seen(reader(str(path), planned=False))
        assert [one[2] for one in found[:-1]] == [one[2] for one in whole[: len(found) - 1]]
        if name == "h264-gop60":
            assert quick.report.broken


def ivf(path: Path, source: str, times: list[int]) -> str:
    """The packets of `source` as IVF with the given timestamps, which no muxer would write."""
    with av.open(source) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    head = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP80", 160, 120, 30, 1, len(packets), 0)
    path.write_bytes(head + b"".join(struct.pack("<IQ", len(p), t) + p for p, t in zip(packets, times, strict=True)))
    return str(path)


@pytest.mark.parametrize(
    "times",
    [
        [0] * 120,
        list(range(120, 0, -1)),
        [*range(60), *range(30, 90)],
        [*range(60), *(10**12 + n for n in range(60))],
        [n if n % 7 else 0 for n in range(120)],
        [30 * 36_000 if n == 50 else n for n in range(120)],
        [30 * 36_000, *range(1, 120)],
        [30 * 36_000 if n == 115 else n for n in range(120)],
    ],
    ids=[
        "all the same",
        "backwards",
        "a step back",
        "a leap ahead",
        "some lost",
        "one leaps",
        "the first leaps",
        "a late one leaps",
    ],
)
def test_wild_times_hide_no_frame(clips: Path, tmp_path: Path, times: list[int]) -> None:
    path = ivf(tmp_path / "wild.ivf", clip(clips, "vp8"), times)
    pictures = reader(path, rate_hz=None)
    spans = [frame.span for frame in pictures]
    assert len(spans) == 120
    assert all(a.start_ns < b.start_ns for a, b in pairwise(spans))
    assert 3 * NS < spans[-1].end_ns < 9 * NS
    assert "frames without a usable time were counted on" in pictures.report.warnings
    assert seen(reader(path)) == seen(reader(path, planned=False))
    assert 4 <= len(seen(reader(path))) <= 9


def test_a_gap_costs_a_frame_a_line_at_most(clips: Path, tmp_path: Path) -> None:
    hour = 30 * 3600
    path = ivf(tmp_path / "gap.ivf", clip(clips, "vp8"), [*range(60), *(hour + n for n in range(60))])
    found = list(reader(path))
    assert len(found) <= 4 + 62
    assert {frame.line for frame in found} == set(range(61))
