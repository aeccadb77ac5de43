"""A clip whose every frame can be told apart, plain readers for it, and an incident on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.capture.media import AUDIO_RATE_HZ, Sources, zero_ns
from pipeline.core.decision import Action, Finding, Incident, PolicyRef, Severity
from pipeline.core.errors import SourceError
from pipeline.core.media import NS, Frame, Span
from pipeline.core.recording import Identity, Part, Participant, Recording
from pipeline.core.signal import ModelRef, Score

MODEL = ModelRef(name="opennsfw", version="1", sha256="ab" * 32)
POLICY = PolicyRef(name="video-chat", version="1", sha256="cd" * 32)
RATE = 10


def seconds(start: float, end: float) -> Span:
    return Span(start_ns=round(start * NS), end_ns=round(end * NS))


def number_of(pixels: NDArray[np.uint8]) -> int:
    """The frame number that `make_clip` painted as eight black or white columns."""
    means = pixels[40:80].mean(axis=(0, 2)).reshape(8, -1).mean(axis=1)
    return sum(1 << bit for bit, level in enumerate(means) if level > 127)


def make_clip(path: Path, duration_s: float = 8, *, gop: int = 10, codec: str = "libx264", loud: float = 0.5) -> Path:
    """Frames at 10 a second that carry their number, and a 440 Hz tone."""
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=RATE, options={"g": str(gop), "keyint_min": str(gop), "bf": "2"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        sound = out.add_stream("pcm_f32le" if path.suffix == ".mkv" else "aac", rate=16_000, layout="mono")
        for i in range(round(duration_s * RATE)):
            picture = np.full((120, 160, 3), 60, np.uint8)
            picture[40:80] = np.repeat([255 * (i >> bit & 1) for bit in range(8)], 20)[None, :, None]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            out.mux(video.encode(frame))
            times = (np.arange(1600) + 1600 * i) / 16_000
            tone = (loud * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
            chunk = av.AudioFrame.from_ndarray(
                tone[None], format="flt" if path.suffix == ".mkv" else "fltp", layout="mono"
            )
            chunk.sample_rate, chunk.pts, chunk.time_base = 16_000, 1600 * i, Fraction(1, 16_000)
            out.mux(sound.encode(chunk))
        out.mux(video.encode(None))
        out.mux(sound.encode(None))
    return path


def _open(path: str) -> av.container.InputContainer:
    try:
        return av.open(path)
    except av.FFmpegError as why:
        raise SourceError("not media") from why


def _frames(path: str, span: Span, offset_ns: int) -> Iterator[Frame]:
    with _open(path) as container:
        zero = zero_ns(container)
        for picture in container.decode(video=0):
            start = int(picture.pts * picture.time_base * NS) - zero + offset_ns
            if span.start_ns <= start < span.end_ns:
                shown = Span(start_ns=start, end_ns=start + NS // RATE)
                yield Frame(stream_id="s", span=shown, pixels=picture.to_ndarray(format="rgb24"))


def _audio(path: str, span: Span, offset_ns: int) -> NDArray[np.float32]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=AUDIO_RATE_HZ)
    with _open(path) as container:
        blocks = [r.to_ndarray()[0] for f in container.decode(audio=0) for r in resampler.resample(f)]
    whole = np.concatenate([*blocks, np.zeros(0, np.float32)]).astype(np.float32)
    first, last = (max(0, (at - offset_ns) * AUDIO_RATE_HZ // NS) for at in (span.start_ns, span.end_ns))
    return whole[first:last]


@pytest.fixture
def sources() -> Sources:
    return Sources(open=_open, frames=_frames, audio=_audio)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4")


def incident(*times: float, values: tuple[float, ...] | None = None) -> Incident:
    """An incident with one rule that fired on frames at `times` seconds."""
    signals = tuple(
        Score(span=seconds(at, at + 0.1), label="opennsfw.nsfw", value=value, model=MODEL)
        for at, value in zip(times, values or (0.9,) * len(times), strict=True)
    )
    span = signals[0].span.hull(signals[-1].span)
    finding = Finding(
        rule="explicit", category="adult", severity=Severity.MEDIUM, action=Action.REVIEW, span=span, signals=signals
    )
    return Incident(
        incident_id="i" * 32,
        recording_id="r" * 32,
        session_id="session",
        stream_id="s",
        participant="anna",
        identity=Identity.VERIFIED,
        category="adult",
        severity=Severity.MEDIUM,
        action=Action.REVIEW,
        span=span,
        findings=(finding,),
        opened_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


Recorded = Callable[..., Recording]


def recorded(path: Path, *, handle: str = "anna", offset_ns: int = 0, **given: object) -> Recording:
    fields = {
        "recording_id": "r" * 32,
        "session_id": "session",
        "stream_id": "s",
        "participants": (Participant(handle=handle),),
        **given,
    }
    return Recording(parts=(Part(uri=str(path), offset_ns=offset_ns),), **fields)  # type: ignore[arg-type]
