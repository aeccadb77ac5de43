"""Makes the sample recordings in this folder out of a folder of freely licensed media.

    python configs/samples/make_samples.py DEVSET [--into FOLDER]

DEVSET holds the sources under the paths listed in NOTICE. Needs the packages of the project itself (PyAV, OpenCV,
numpy). The same versions of them give the same files.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Sound = NDArray[np.float32]

TALK = "video/real/movie-hello.avi"
DOG = "video/real/VID_20191220_170832.mp4"
VOICE = "audio/speech/forensics-samples-files__deleted.ogg"
GUNSHOT = "audio/gunshot/freedoom__DSDSHTGN.wav"
EXPLOSION = "audio/explosion/freedoom__DSRXPLOD.wav"
PHOTO = "photos/negative/scikit-image__chelsea.png"
RATE_HZ = 48_000
CANARY_RATE_HZ = 16_000
CANARY_COLOURS = ((224, 172, 138), (0, 0, 0), (255, 255, 255))


def pictures(path: Path, *, every: int = 1, side: int = 640) -> list[Pixels]:
    """The frames of a clip, one of `every`, scaled to `side` pixels wide."""
    found = []
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % every == 0:
                high = round(frame.height * side / frame.width / 2) * 2
                pixels = frame.to_ndarray(format="rgb24")
                found.append(np.asarray(cv2.resize(pixels, (side, high), interpolation=cv2.INTER_AREA), np.uint8))
    return found


def sound(path: Path) -> Sound:
    """The sound of a file: mono, f32, at RATE_HZ."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    with av.open(str(path)) as container:
        blocks = [r.to_ndarray()[0] for f in [*container.decode(audio=0), None] for r in resampler.resample(f)]
    return np.concatenate(blocks)


def repeated(samples: Sound, seconds: float) -> Sound:
    """`samples` over and over for `seconds`, each joint cross-faded over 50 ms."""
    fade = RATE_HZ // 20
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    out = samples
    while len(out) < seconds * RATE_HZ:
        joint = out[-fade:] * (1 - ramp) + samples[:fade] * ramp
        out = np.concatenate([out[:-fade], joint, samples[fade:]])
    return out[: round(seconds * RATE_HZ)]


def mixed(bed: Sound, events: Iterable[tuple[float, Sound, float]]) -> Sound:
    """`bed` with each (second, sound, peak level) laid over it, limited to full scale."""
    out = bed.copy()
    for second, event, peak in events:
        start = round(second * RATE_HZ)
        out[start : start + len(event)] += (event * (peak / np.abs(event).max()))[: len(out) - start]
    return np.clip(out, -1, 1)


def write(
    path: Path,
    frames: Sequence[Pixels],
    samples: Sound,
    *,
    fps: int,
    codecs: tuple[str, str],
    video: dict[str, str],
    rate_hz: int = RATE_HZ,
) -> None:
    """One file with a video and an audio stream, interleaved, without anything that changes from run to run."""
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if path.suffix == ".mp4" else {})
    with av.open(str(path), "w", options=options) as out:
        shown = out.add_stream(codecs[0], rate=fps, options=video)
        shown.width, shown.height, shown.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        shown.codec_context.thread_count = 1
        heard = out.add_stream(codecs[1], rate=rate_hz, layout="mono")
        if codecs[1] != "flac":
            heard.bit_rate = 64_000
        step = rate_hz // fps
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            out.mux(shown.encode(frame))
            chunk = _chunk(samples[number * step : (number + 1) * step], codecs[1])
            if chunk.samples:
                chunk.sample_rate, chunk.pts, chunk.time_base = rate_hz, number * step, Fraction(1, rate_hz)
                out.mux(heard.encode(chunk))
        out.mux(shown.encode(None))
        out.mux(heard.encode(None))


def _chunk(samples: Sound, codec: str) -> av.AudioFrame:
    if codec == "flac":
        pcm = np.rint(samples * 32767).astype(np.int16)
        return av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
    layout = "fltp" if codec == "aac" else "flt"
    return av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format=layout, layout="mono")


H264 = {"crf": "26", "preset": "slow", "g": "60", "x264-params": "threads=1"}
VP9 = {"crf": "36", "b": "0", "g": "75", "row-mt": "0", "cpu-used": "2"}


def talk(devset: Path, into: Path) -> None:
    """A clean recording: somebody talks into a webcam (H.264, AAC)."""
    frames, heard = pictures(devset / TALK), sound(devset / TALK)
    write(into / "talk.mp4", frames, heard, fps=25, codecs=("libx264", "aac"), video=H264)


def session(devset: Path, into: Path) -> None:
    """A session of two people: one side talks (VP9, Opus), on the other a dog, a gunshot and an explosion (H.264)."""
    (into / "session").mkdir(exist_ok=True)
    frames, heard = pictures(devset / TALK, side=480), sound(devset / TALK)
    there_and_back = [*frames, *reversed(frames)][: 25 * 15]
    quiet = repeated(heard, 15)
    write(into / "session/anna.webm", there_and_back, quiet, fps=25, codecs=("libvpx-vp9", "libopus"), video=VP9)
    dog = pictures(devset / DOG)
    there_and_back = ([*dog, *reversed(dog)] * 6)[: 25 * 14]
    bed = repeated(sound(devset / DOG), 14)
    shot, blast = sound(devset / GUNSHOT), sound(devset / EXPLOSION)
    loud = mixed(bed, [(4.0, shot, 0.95), (4.96, shot, 0.95), (7.26, blast, 0.95)])
    write(into / "session/ben.mp4", there_and_back, loud, fps=25, codecs=("libx264", "aac"), video=H264)


def loose(devset: Path, into: Path) -> None:
    """A photo, a voice without a picture, a recording that was cut off, and a text that says it is a video."""
    photo = cv2.imread(str(devset / PHOTO))
    cv2.imwrite(str(into / "photo.jpg"), photo, [cv2.IMWRITE_JPEG_QUALITY, 88])
    shutil.copyfile(devset / VOICE, into / "voice.ogg")
    whole = (into / "talk.mp4").read_bytes()
    (into / "cut-off.mp4").write_bytes(whole[: len(whole) * 2 // 5])
    (into / "not-a-video.mp4").write_text("This is a text, whatever its name says.\n", encoding="ascii")


def canary(into: Path) -> None:
    """The clip with a known outcome: three flat colours, a second each, with a moving mark, and a tone of 440 Hz."""
    frames = []
    for number in range(30):
        pixels = np.empty((144, 192, 3), np.uint8)
        pixels[:] = CANARY_COLOURS[number // 10]
        pixels[8:24, 8 + 5 * number : 24 + 5 * number] = 128
        frames.append(pixels)
    times = np.arange(3 * CANARY_RATE_HZ) / CANARY_RATE_HZ
    tone = (0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    settings = {"crf": "10", "preset": "medium", "g": "15", "bf": "2", "x264-params": "threads=1"}
    write(into / "canary.mkv", frames, tone, fps=10, codecs=("libx264", "flac"), video=settings, rate_hz=CANARY_RATE_HZ)


def main() -> None:
    """Make all of them."""
    parser = argparse.ArgumentParser(description="Make the sample recordings.")
    parser.add_argument("devset", type=Path, help="folder with the sources named in NOTICE")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    talk(given.devset, given.into)
    session(given.devset, given.into)
    loose(given.devset, given.into)
    canary(given.into)


if __name__ == "__main__":
    main()
