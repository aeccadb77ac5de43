"""The original packets of a span, cut without re-encoding."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.capture.media import zero_ns
from pipeline.capture.packets import Cut, cut
from pipeline.capture.params import Params
from pipeline.core.media import NS
from tests.devset import devset
from tests.unit.capture.conftest import make_clip, number_of, seconds

REAL = (
    "VID_20191220_170832.mp4",
    "hello_hevc.mp4",
    "hello_vp9.webm",
    "movie-hello.avi",
    "movie-hello.mpeg",
    "movie-hello.ogg",
)


def taken(path: Path, start: float, end: float, *, offset_ns: int = 0, **params: int) -> Cut | str:
    return cut(lambda: av.open(str(path)), seconds(start, end), offset_ns=offset_ns, params=Params(**params))


def numbers(body: bytes) -> list[int]:
    with av.open(io.BytesIO(body)) as container:
        return [number_of(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "mpeg4"])
def test_a_cut_holds_every_frame_of_its_span_from_a_key_frame_on(tmp_path: Path, codec: str) -> None:
    made = taken(make_clip(tmp_path / "clip.mkv", 6, codec=codec), 3.25, 4.55)
    assert isinstance(made, Cut)
    shown = numbers(made.body)
    assert shown[0] <= 32
    assert set(range(33, 46)) <= set(shown) <= set(range(20, 51))
    assert made.span.start_ns <= 3.25 * NS < 4.5 * NS <= made.span.end_ns


def test_the_packets_of_a_cut_are_the_bytes_of_the_source(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", 4)
    made = taken(clip, 1.5, 2.5)
    assert isinstance(made, Cut)
    with av.open(str(clip)) as source, av.open(io.BytesIO(made.body)) as copy:
        original = {(p.stream.type, p.pts): bytes(p) for p in source.demux() if p.size}
        copied = {(p.stream.type, p.pts): bytes(p) for p in copy.demux() if p.size}
    assert len(copied) == made.packets
    assert copied.items() <= original.items()
    assert {kind for kind, _ in copied} == {"video", "audio"}


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_are_cut_reproducibly_and_decode_to_the_same_pictures(name: str) -> None:
    path = devset("video", "real", name)
    made, again = taken(path, 1.1, 1.5), taken(path, 1.1, 1.5)
    assert isinstance(made, Cut)
    assert made == again
    with av.open(str(path)) as source, av.open(io.BytesIO(made.body)) as copy:
        zero = zero_ns(source)
        theirs = (
            [
                f.to_ndarray(format="rgb24")
                for f in source.decode(video=0)
                if f.pts is not None and 1.2 * NS <= f.pts * f.time_base * NS - zero < 1.4 * NS
            ]
            if name != "movie-hello.ogg"
            else []
        )
        ours = [f.to_ndarray(format="rgb24") for p in copy.demux(video=0) for f in p.decode()]
    assert ours
    for picture in theirs:
        assert any(np.array_equal(picture, mine) for mine in ours)


def test_no_key_packet_near_enough_means_no_cut_and_says_so(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", 8, gop=1000)
    assert isinstance(taken(clip, 6, 7), Cut)
    assert taken(clip, 6, 7, packet_back_s=3) == "no key packet within 3 s before the span"
    assert taken(clip, 6, 7, packet_back_bytes=10_000) == "no key packet within 0 MB before the span"


def test_a_cut_that_grows_too_large_ends_early_and_says_so(tmp_path: Path) -> None:
    made = taken(make_clip(tmp_path / "clip.mkv", 8), 2, 8, packet_max_bytes=100_000)
    assert isinstance(made, Cut)
    assert made.note == "the packets end early: the cut reached 0 MB"
    assert made.span.end_ns < 5 * NS


def test_a_part_that_begins_later_or_ended_before_gives_nothing(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", 2)
    assert taken(clip, 1, 2, offset_ns=5 * NS) == ""
    assert taken(clip, 50, 51) == ""
    later = taken(clip, 105.5, 106, offset_ns=105 * NS)
    assert isinstance(later, Cut)
    assert later.span.start_ns >= 105 * NS


def test_a_truncated_file_gives_what_it_still_has() -> None:
    made = taken(devset("video", "broken", "trunc_quarter.mp4"), 0, 1)
    assert isinstance(made, Cut)
    assert set(made.codecs) == {"h264", "aac"}


def with_late_sound(path: Path) -> Path:
    """Forty seconds of pictures in MPEG-TS, with sound in the last ten."""
    with av.open(str(path), "w", format="mpegts") as out:
        video = out.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        sound = out.add_stream("aac", rate=44_100)
        sound.layout = "mono"
        for i in range(400):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), i % 255, np.uint8), format="rgb24")
            picture.pts, picture.time_base = i, Fraction(1, 10)
            out.mux(video.encode(picture))
            if i >= 300:
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), format="fltp", layout="mono")
                silence.sample_rate, silence.pts, silence.time_base = 44_100, i * 4410, Fraction(1, 44_100)
                out.mux(sound.encode(silence))
        out.mux(video.encode(None))
        out.mux(sound.encode(None))
    return path


def test_a_stream_that_the_header_does_not_describe_takes_no_other_with_it(tmp_path: Path) -> None:
    made = taken(with_late_sound(tmp_path / "late.ts"), 36, 38)
    assert isinstance(made, Cut)
    assert made.codecs == ("h264",)
    assert "audio is left out" in made.note


class Stumbling:
    """A container whose reader stumbles after the last packet, as PyAV's does now and then."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self._container = container

    def __getattr__(self, name: str) -> object:
        return getattr(self._container, name)

    def __enter__(self) -> Stumbling:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def demux(self, streams: list[av.stream.Stream]) -> Iterator[av.Packet]:
        yield from (packet for packet in self._container.demux(streams) if packet.size)
        raise IndexError


def test_a_reader_that_stumbles_at_the_end_loses_nothing(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", 4)
    made = cut(lambda: Stumbling(av.open(str(clip))), seconds(1, 9), offset_ns=0, params=Params())  # type: ignore[arg-type,return-value]
    whole = taken(clip, 1, 9)
    assert isinstance(made, Cut) and isinstance(whole, Cut)
    assert made.packets == whole.packets
