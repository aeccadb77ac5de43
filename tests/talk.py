"""Long recordings for end-to-end tests: a real talk looped, with harmless bangs where a test wants findings."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.devset import devset

RATE = 48_000


def _sound(path: Path) -> NDArray[np.float32]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    blocks: list[NDArray[np.float32]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            blocks += [out.to_ndarray()[0] for out in resampler.resample(frame)]
        blocks += [out.to_ndarray()[0] for out in resampler.resample(None)]
    return np.concatenate(blocks)


def _pictures(path: Path, size: tuple[int, int], step: int) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for i, f in enumerate(container.decode(video=0)) if i % step == 0]
    return [cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames]


def talk(path: Path, *, seconds: int, bangs: Iterable[float] = (), fps: int = 5, gop: int = 100) -> Path:
    """H.264+AAC: the devset talk over and over for `seconds`; a shot and an explosion begin at each of `bangs` (s)."""
    source = devset("video", "real", "movie-hello.avi")
    pictures = _pictures(source, (256, 144), 25 // fps)
    voice = _sound(source) * 0.5
    sound = np.tile(voice, seconds * RATE // len(voice) + 1)[: seconds * RATE]
    shot, blast = (
        _sound(devset("audio", *n))
        for n in (("gunshot", "freedoom__DSDSHTGN.wav"), ("explosion", "freedoom__DSRXPLOD.wav"))
    )
    # A shot, a pause, and an explosion, so that some window holds one of them whole.
    bang = np.concatenate([shot, np.zeros(RATE // 2, np.float32), blast])
    for at in bangs:
        first = round(at * RATE)
        length = min(len(bang), len(sound) - first)
        sound[first : first + length] = bang[:length] * 0.8
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "30", "g": str(gop)})
        video.width, video.height, video.pix_fmt = 256, 144, "yuv420p"
        audio = out.add_stream("aac", rate=RATE, layout="mono")
        block = RATE // fps
        for i in range(seconds * fps):
            frame = av.VideoFrame.from_ndarray(pictures[i % len(pictures)], format="rgb24")
            frame.pts = i
            frame.time_base = Fraction(1, fps)
            out.mux(video.encode(frame))
            part = np.clip(sound[i * block : (i + 1) * block], -1, 1)[None].astype(np.float32)
            heard = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            heard.sample_rate = RATE
            heard.pts = i * block
            heard.time_base = Fraction(1, RATE)
            out.mux(audio.encode(heard))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))
    return path


def still_clip(photo: Path, path: Path) -> Path:
    """Three seconds of H.264 that show one photo, at most 640 pixels wide."""
    pixels = cv2.cvtColor(cv2.imread(str(photo), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    scale = min(1.0, 640 / pixels.shape[1])
    width, height = (int(side * scale) // 2 * 2 for side in (pixels.shape[1], pixels.shape[0]))
    pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        for _ in range(6):
            out.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(video.encode(None))
    return path
