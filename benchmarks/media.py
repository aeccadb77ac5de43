"""Recordings to measure with, made here from the shipped samples; nothing is fetched.

A minute of each kind is encoded once; a clip is that minute over and over, its packets copied. A minute is one line of
the scan's grid, at which the repeat gate starts anew, so the copies make nothing cheaper for it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

SAMPLES = Path(__file__).resolve().parents[1] / "configs" / "samples"
MINUTE_S = 60
RATE_HZ = 48_000

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a recording looks and is coded. The picture moves by `sway` pixels, under a grain of `noise` levels."""

    name: str
    size: tuple[int, int]
    fps: int
    codecs: tuple[str, str]
    options: tuple[tuple[str, str], ...]
    source: str
    suffix: str
    sway: float = 4.0
    noise: float = 3.0


def _x264(kbit: int) -> tuple[tuple[str, str], ...]:
    return (("preset", "veryfast"), ("b", f"{kbit}k"), ("g", "250"), ("x264-params", "threads=1"))


_REALTIME = (("deadline", "realtime"), ("cpu-used", "8"), ("b", "700k"), ("g", "3000"), ("threads", "1"))

WEBCAM = Kind(
    name="webcam-480p",
    size=(640, 480),
    fps=25,
    codecs=("libx264", "aac"),
    options=_x264(900),
    source="talk.mp4",
    suffix=".mp4",
)
CAT = Kind(
    name="photo-480p",
    size=(640, 480),
    fps=25,
    codecs=("libx264", "aac"),
    options=_x264(900),
    source="photo.jpg",
    suffix=".mp4",
    sway=12.0,
)
HIGH = Kind(
    name="webcam-720p",
    size=(1280, 720),
    fps=25,
    codecs=("libx264", "aac"),
    options=_x264(1800),
    source="session/ben.mp4",
    suffix=".mp4",
)
VP8 = Kind(
    name="webrtc-vp8",
    size=(640, 480),
    fps=25,
    codecs=("libvpx", "libopus"),
    options=_REALTIME,
    source="session/ben.mp4",
    suffix=".webm",
)
VP9 = Kind(
    name="webrtc-vp9",
    size=(640, 480),
    fps=25,
    codecs=("libvpx-vp9", "libopus"),
    options=_REALTIME,
    source="talk.mp4",
    suffix=".webm",
    sway=8.0,
)
LONG = Kind(
    name="photo-240p10",
    size=(320, 240),
    fps=10,
    codecs=("libx264", "aac"),
    options=_x264(150),
    source="photo.jpg",
    suffix=".mp4",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One recording of `minutes`, on disk at `path`; `minute` is what it repeats."""

    kind: Kind
    minutes: int
    path: Path
    minute: Path

    @property
    def seconds(self) -> int:
        """Its length."""
        return self.minutes * MINUTE_S


def clips(wanted: Sequence[tuple[Kind, int]], folder: Path | None = None) -> list[Clip]:
    """A clip for each (kind, minutes), made unless it is there; no two have the same bytes."""
    folder = folder or Path(tempfile.gettempdir()) / f"watchkeep-bench-{_recipe()}"
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {kind.name: kind for kind, _ in wanted}
    missing = [kind for kind in kinds.values() if not _minute_path(kind, folder).exists()]
    if missing:
        # The costly kinds first, so that no core is left alone with one at the end.
        missing.sort(key=lambda kind: -kind.size[0] * kind.size[1] * kind.fps)
        with ProcessPoolExecutor(min(len(missing), os.cpu_count() or 1)) as workers:
            list(workers.map(_make_minute, missing, [folder] * len(missing)))
    made = []
    for number, (kind, minutes) in enumerate(wanted):
        path = folder / f"{number:02d}-{minutes}min-{kind.name}{kind.suffix}"
        if not path.exists():
            _copy_over(_minute_path(kind, folder), path, minutes, title=path.stem)
            # A file this young could still be growing: ingest would look at it twice.
            os.utime(path, (0, 0))
        made.append(Clip(kind=kind, minutes=minutes, path=path, minute=_minute_path(kind, folder)))
    return made


def _recipe() -> str:
    return hashlib.sha256(Path(__file__).read_bytes() + av.__version__.encode()).hexdigest()[:12]


def _minute_path(kind: Kind, folder: Path) -> Path:
    return folder / f"minute-{kind.name}{kind.suffix}"


def planes(source: str, size: tuple[int, int]) -> list[Pixels]:
    """The Y, U and V planes (4:2:0) of a still of a shipped sample, scaled to `size` (width, height)."""
    with av.open(str(SAMPLES / source)) as container:
        still = next(container.decode(video=0)).reformat(*size, format="yuv420p").to_ndarray()
    width, height = size
    chroma = still[height:].reshape(2, height // 2, width // 2)
    return [still[:height], chroma[0], chroma[1]]


def frames(kind: Kind, seconds: float) -> Iterator[Pixels]:
    """Somebody before a camera, as yuv420p: the still sways and leans a little, rests now and then, under a sensor's
    grain."""
    width, height = kind.size
    still = planes(kind.source, kind.size)
    generator = np.random.default_rng(7)
    grain = np.rint(generator.normal(0, kind.noise, (8, height, width))).astype(np.int8)
    for number in range(round(seconds * kind.fps)):
        at = number / kind.fps
        # Four seconds of movement, four of rest: people listen as much as they talk.
        moving = at // 8 * 4 + min(at % 8, 4)
        moved = [_swayed(plane, kind.sway * len(plane) / height, moving) for plane in still]
        noise = np.roll(grain[number % 8], int(generator.integers(height)), axis=0)
        moved[0] = cv2.add(moved[0], noise, dtype=cv2.CV_8U)
        yield np.concatenate([plane.reshape(-1, width) for plane in moved])


def _swayed(plane: Pixels, sway: float, at: float) -> Pixels:
    height, width = plane.shape
    right, down, lean = sway * np.sin(at * 1.7), sway / 2 * np.sin(at * 1.1), sway * np.sin(at * 1.3) / height
    turn = np.array([[1, lean, right - lean * height / 2], [-lean, 1, down + lean * width / 2]])
    return np.asarray(cv2.warpAffine(plane, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def sound(seconds: float) -> NDArray[np.float32]:
    """The shipped voice over and over: f32 mono at RATE_HZ."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    with av.open(str(SAMPLES / "voice.ogg")) as container:
        blocks = [r.to_ndarray()[0] for f in [*container.decode(audio=0), None] for r in resampler.resample(f)]
    return np.resize(np.concatenate(blocks), round(seconds * RATE_HZ)).astype(np.float32)


def _make_minute(kind: Kind, folder: Path) -> None:
    cv2.setNumThreads(0)
    path = _minute_path(kind, folder)
    draft = path.with_name(f".draft-{os.getpid()}-{path.name}")
    with av.open(str(draft), "w") as out:
        shown = out.add_stream(kind.codecs[0], rate=kind.fps, options=dict(kind.options))
        shown.width, shown.height, shown.pix_fmt = *kind.size, "yuv420p"
        shown.codec_context.thread_count = 1
        heard = out.add_stream(kind.codecs[1], rate=RATE_HZ, layout="mono")
        heard.bit_rate = 64_000
        samples, step = sound(MINUTE_S), RATE_HZ // kind.fps
        for number, picture in enumerate(frames(kind, MINUTE_S)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, kind.fps)
            out.mux(shown.encode(frame))
            block = np.ascontiguousarray(samples[number * step : (number + 1) * step][None])
            said = av.AudioFrame.from_ndarray(block, format="fltp" if kind.codecs[1] == "aac" else "flt", layout="mono")
            said.sample_rate, said.pts, said.time_base = RATE_HZ, number * step, Fraction(1, RATE_HZ)
            out.mux(heard.encode(said))
        out.mux(shown.encode(None))
        out.mux(heard.encode(None))
    draft.replace(path)


def _copy_over(minute: Path, path: Path, times: int, *, title: str) -> None:
    """Writes the packets of `minute` `times` over; the title makes each file's bytes its own."""
    draft = path.with_name(f".draft-{os.getpid()}-{path.name}")
    with av.open(str(draft), "w") as out:
        out.metadata["title"] = title
        for turn in range(times):
            with av.open(str(minute)) as source:
                if not turn:
                    streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
                for packet in source.demux():
                    if packet.dts is None or packet.pts is None or not 0 <= packet.pts * packet.time_base < MINUTE_S:
                        continue
                    shift = int(turn * MINUTE_S / packet.time_base)
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
    draft.replace(path)
