"""Reading video: upright, in RGB, and never stopped by what a file does."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from pipeline.core.errors import SourceError
from pipeline.core.media import NS, Span
from pipeline.ingest.opener import Deadline
from pipeline.ingest.params import Params
from pipeline.ingest.video import VideoReader, frames_between
from pipeline.sample.grid import Grid
from pipeline.sample.params import Params as Sampling
from tests.clips import CLIPS, Clip, clip, encode, scene
from tests.devset import devset
from tests.unit.ingest.video_read import WHOLE, reader, seen

TURNS = {
    "quarter right": ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    "half": ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
    "quarter left": ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
    "mirror": ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda p: p[::-1]),
}


def turned(path: Path, matrix: tuple[int, int, int, int]) -> str:
    """Writes (a, b, c, d) into the track header's matrix of the mp4 at `path` (ISO 14496-12, 8.3.2)."""
    body = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    at = body.index(b"tkhd") + 4 + 40
    body[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    result = path.with_name("turned.mp4")
    result.write_bytes(body)
    return str(result)


@pytest.mark.parametrize("turn", TURNS)
def test_frames_are_upright(clips: Path, tmp_path: Path, turn: str) -> None:
    matrix, apply = TURNS[turn]
    path = tmp_path / "clip.mp4"
    path.write_bytes(Path(clip(clips, "h264-gop60")).read_bytes())
    flat = list(reader(str(path)))
    upright = list(reader(turned(path, matrix)))
    assert all(np.array_equal(u.pixels, apply(f.pixels)) for u, f in zip(upright, flat, strict=True))
    assert seen(upright) == seen(reader(turned(path, matrix), planned=False))


@pytest.mark.parametrize(
    ("codec", "container", "pixel_format"),
    [
        ("ffv1", "matroska", "yuv422p10le"),
        ("ffv1", "matroska", "gray"),
        ("ffv1", "matroska", "bgra"),
        ("png", "mov", "rgb24"),
        ("rawvideo", "matroska", "yuv420p"),
        ("gif", "gif", "rgb8"),
        ("png", "mov", "pal8"),
        ("mjpeg", "avi", "yuvj422p"),
        ("libx264", "mp4", "yuv444p"),
    ],
)
def test_any_pixel_format_becomes_rgb(tmp_path: Path, codec: str, container: str, pixel_format: str) -> None:
    path = tmp_path / "clip"
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        for number in range(5):
            picture = np.full((48, 64, 3), (240, 60, 20), np.uint8)
            if pixel_format == "pal8":
                palette = np.tile(np.array([255, 240, 60, 20], np.uint8), (256, 1))
                frame = VideoFrame.from_ndarray((np.zeros((48, 64), np.uint8), palette), format="pal8")
            else:
                frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    frames = list(reader(str(path), rate_hz=None))
    assert len(frames) == 5
    middle = frames[2].pixels[24, 32].astype(int)
    expected = (109, 109, 109) if pixel_format == "gray" else (240, 60, 20)
    assert frames[2].pixels.shape == (48, 64, 3)
    assert np.abs(middle - expected).max() <= 36
    assert not frames[2].pixels.flags.writeable


def changing(path: Path, sizes: list[tuple[int, int]]) -> str:
    """One VP8 stream whose pictures change size, ten frames each."""
    with av.open(str(path), "w", format="webm") as out:
        stream = out.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = *sizes[0], "yuv420p"
        for part, size in enumerate(sizes):
            encoder = av.CodecContext.create("libvpx", "w")
            encoder.width, encoder.height = size
            encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 10)
            encoder.options = {"deadline": "realtime"}
            frames = [VideoFrame.from_ndarray(scene(n, size), format="rgb24") for n in range(10)]
            for number, frame in enumerate([*(f.reformat(format="yuv420p") for f in frames), None]):
                if frame is not None:
                    frame.pts, frame.time_base = part * 10 + number, Fraction(1, 10)
                for packet in encoder.encode(frame):
                    packet.stream = stream
                    out.mux(packet)
    return str(path)


def test_pictures_may_change_size(tmp_path: Path) -> None:
    path = changing(tmp_path / "clip", [(64, 48), (128, 96), (48, 64)])
    shapes = [frame.pixels.shape[:2] for frame in reader(path)]
    assert shapes == [(48, 64), (96, 128), (64, 48)]
    assert seen(reader(path)) == seen(reader(path, planned=False))


@pytest.mark.parametrize("planned", [True, False])
def test_oversized_pictures_are_refused_in_the_middle_too(tmp_path: Path, planned: bool) -> None:
    path = changing(tmp_path / "clip", [(64, 48), (128, 96)])
    pictures = reader(path, planned=planned, params=Params(max_pixels=64 * 48))
    frames = iter(pictures)
    assert next(frames).pixels.shape == (48, 64, 3)
    with pytest.raises(SourceError, match="oversized pixels"):
        list(frames)
    assert pictures.report.broken.startswith("oversized pixels")


def test_every_real_recording_gives_all_its_frames() -> None:
    counts = {
        "VID_20191220_170832.mp4": 41,
        "hello_hevc.mp4": 150,
        "hello_vp9.webm": 150,
        "movie-hello.avi": 208,
        "movie-hello.mpeg": 249,
        "movie-hello.ogg": 242,
    }
    for name, count in counts.items():
        pictures = reader(str(devset("video", "real", name)), rate_hz=None)
        assert sum(1 for _ in pictures) == count, name
        assert (pictures.report.broken, pictures.report.warnings, pictures.report.decoded) == ("", (), count)


def test_a_still_image_is_a_second_of_video(tmp_path: Path) -> None:
    picture = scene(3, (64, 48))
    cv2.imwrite(str(tmp_path / "still.png"), picture[:, :, ::-1])
    path = str(tmp_path / "still.png")
    (frame,) = reader(path, offset_ns=90 * NS)
    assert np.array_equal(frame.pixels, picture)
    assert (frame.span, frame.line) == (Span(start_ns=90 * NS, end_ns=91 * NS), 1)
    (again,) = frames_between(path, frame.span, stream_id="s", params=Params(), offset_ns=90 * NS)
    assert np.array_equal(again.pixels, picture)
    assert list(reader(path, offset_ns=90 * NS, lines=(2, None))) == []


def test_sound_alone_gives_nothing() -> None:
    pictures = reader(str(devset("video", "broken", "audio_only.mp4")))
    assert list(pictures) == []
    assert pictures.report.broken == ""


def test_times_count_from_the_start_of_the_file(tmp_path: Path) -> None:
    late = Clip(codec="libx264", container="matroska", seconds=1, rate=10, gaps={0: 95})
    times = [frame.span.start_ns for frame in reader(str(encode(tmp_path / "late", late)), rate_hz=None)]
    assert times == [n * NS // 10 for n in range(10)]


def test_the_deadline_holds_between_packets(clips: Path) -> None:
    pictures = VideoReader(
        clip(clips, "h264-gop60"),
        stream_id="s",
        picker=Grid(Sampling()),
        params=Params(),
        lines=WHOLE,
        deadline=Deadline(-1),
    )
    with pytest.raises(SourceError, match="over the time limit"):
        list(pictures)
    assert pictures.report.broken.startswith("over the time limit")


def test_the_reader_can_be_left_early(clips: Path) -> None:
    pictures = reader(clip(clips, "h264-gop250"))
    frames = iter(pictures)
    first: NDArray[np.uint8] = next(frames).pixels
    frames.close()  # type: ignore[attr-defined]
    assert first.shape == (CLIPS["h264-gop250"].size[1], CLIPS["h264-gop250"].size[0], 3)
    assert pictures.report.decoded == 1
