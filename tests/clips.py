"""Small real clips for tests, encoded on the spot: every codec, group length and container that reading must handle."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """How to encode a clip. `gaps` maps a frame number to extra frames of time that pass before it."""

    codec: str
    container: str = "mp4"
    seconds: float = 4
    rate: int = 30
    group: int = 60
    size: tuple[int, int] = (160, 120)
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    gaps: dict[int, int] = field(default_factory=dict)


X265 = {"preset": "ultrafast"}
REALTIME = {"cpu-used": "8", "deadline": "realtime"}
X264 = {"preset": "veryfast", "bf": "3"}
CLIPS = {
    "h264-gop60": Clip(codec="libx264", options=X264),
    "h264-gop250": Clip(codec="libx264", seconds=11, group=250, options=X264),
    "h264-gop3000": Clip(codec="libx264", seconds=14, group=3000, options={**X264, "tune": "zerolatency"}),
    "h264-open": Clip(codec="libx264", options={**X264, "x264-params": "open-gop=1:b-pyramid=2"}),
    "h264-mkv": Clip(codec="libx264", container="mkv", options=X264),
    "h264-ts": Clip(codec="libx264", container="mpegts", options=X264),
    "h264-open-ts": Clip(codec="libx264", container="mpegts", options={**X264, "x264-params": "open-gop=1"}),
    "h264-vfr": Clip(codec="libx264", options=X264, gaps={20: 7, 21: 1, 50: 40, 70: 95, 71: 3}),
    "h264-29.97": Clip(codec="libx264", container="mkv", rate=2997, seconds=5, options=X264),
    "h264-422-10": Clip(codec="libx264", pixel_format="yuv422p10le", seconds=3, options=X264),
    "hevc-closed": Clip(codec="libx265", options=X265 | {"x265-params": "open-gop=0:bframes=3:log-level=0"}),
    "hevc-open": Clip(codec="libx265", options=X265 | {"x265-params": "open-gop=1:bframes=4:log-level=0"}),
    "vp8": Clip(codec="libvpx", container="webm", options=REALTIME),
    "vp8-altref": Clip(
        codec="libvpx", container="webm", options={"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "5"}
    ),
    "vp9": Clip(codec="libvpx-vp9", container="webm", options=REALTIME),
    "vp9-altref": Clip(
        codec="libvpx-vp9", container="webm", seconds=3, options={"lag-in-frames": "16", "cpu-used": "8"}
    ),
    "av1": Clip(codec="libsvtav1", container="mkv", seconds=3, group=30, options={"preset": "12"}),
    "mpeg2": Clip(codec="mpeg2video", container="mpeg", group=15, options={"bf": "2"}),
    "mpeg2-ts": Clip(codec="mpeg2video", container="mpegts", group=15, options={"bf": "2"}),
    "mpeg4-avi": Clip(codec="mpeg4", container="avi", options={"bf": "2"}),
    "mpeg4": Clip(codec="mpeg4", options={"bf": "2"}),
    # AVI has no times of presentation: libavformat makes some up from those of decoding.
    "h264-avi": Clip(codec="libx264", container="avi", options=X264),
    "flv": Clip(codec="libx264", container="flv", options=X264),
    "mjpeg": Clip(codec="mjpeg", container="avi", seconds=3, pixel_format="yuvj420p"),
    # Three lines of the grid at five frames a second.
    "long-h264": Clip(codec="libx264", seconds=150, rate=5, group=37, options=X264),
    "long-h264-open": Clip(
        codec="libx264", seconds=150, rate=5, group=37, options={**X264, "x264-params": "open-gop=1"}
    ),
    "long-h264-mkv": Clip(codec="libx264", container="mkv", seconds=150, rate=5, group=37, options=X264),
    "long-h264-ts": Clip(codec="libx264", container="mpegts", seconds=150, rate=5, group=37, options=X264),
    "long-h264-gap": Clip(codec="libx264", seconds=60, rate=5, group=37, options=X264, gaps={40: 260, 41: 7, 299: 333}),
    "long-hevc-open": Clip(
        codec="libx265",
        seconds=150,
        rate=5,
        group=37,
        options=X265 | {"x265-params": "open-gop=1:bframes=4:log-level=0"},
    ),
    "long-vp9": Clip(codec="libvpx-vp9", container="webm", seconds=150, rate=5, group=37, options=REALTIME),
    "long-mpeg2-ps": Clip(
        codec="mpeg2video", container="mpeg", seconds=150, rate=25, size=(96, 64), group=40, options={"bf": "2"}
    ),
    "long-mpeg4-avi": Clip(codec="mpeg4", container="avi", seconds=150, rate=5, group=37, options={"bf": "2"}),
    "gif": Clip(codec="gif", container="gif", seconds=2, rate=10, pixel_format="rgb8"),
}


def scene(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """u8[h, w, 3]: a drifting gradient, a moving square and the frame's number as bars; a cut every 97 frames."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    shift = number * 2 + 50 * (number // 97)
    picture = np.stack([(x + shift) % 256, (y * 2 + number) % 256, (x + y + shift // 2) % 256], axis=2).astype(np.uint8)
    left, top = number * 5 % (width - 24), number * 3 % (height - 24)
    picture[top : top + 24, left : left + 24] = (255, number * 7 % 256, 32)
    picture[:8, : (number % width) + 1] = 255
    noise = np.random.default_rng(number).integers(0, 12, (height, width, 1), dtype=np.uint8)
    return np.clip(picture.astype(np.int16) + noise, 0, 255).astype(np.uint8)


def encode(path: Path, clip: Clip) -> Path:
    """Writes the clip to `path`."""
    with av.open(str(path), "w", format={"mkv": "matroska"}.get(clip.container, clip.container)) as out:
        rate = Fraction(30000, 1001) if clip.rate == 2997 else Fraction(clip.rate)
        stream = out.add_stream(clip.codec, rate=rate, options={**clip.options, "g": str(clip.group), "threads": "1"})
        stream.width, stream.height = clip.size
        stream.pix_fmt = clip.pixel_format
        stream.codec_context.gop_size = clip.group
        stream.codec_context.thread_count = 1
        time = 0
        for number in range(round(clip.seconds * rate)):
            time += clip.gaps.get(number, 0)
            frame = VideoFrame.from_ndarray(scene(number, clip.size), format="rgb24").reformat(format=clip.pixel_format)
            frame.pts, frame.time_base = time, 1 / rate
            out.mux(stream.encode(frame))
            time += 1
        out.mux(stream.encode(None))
    return path


def clip(folder: Path, name: str) -> str:
    """Path of the clip CLIPS[name] in `folder`, encoded there the first time it is asked for."""
    path = folder / name
    return str(path if path.exists() else encode(path, CLIPS[name]))
