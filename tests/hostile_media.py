"""Small real media, and the pieces that hostile files are made of. Used by `tests.hostile` and the ingest tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 48_000
FORMS = {
    "mp4": ("mpeg4", "aac"),
    "mov": ("mpeg4", "pcm_s16le"),
    "webm": ("libvpx", "libopus"),
    "mkv": ("mpeg4", "flac"),
    "avi": ("mpeg4", "mp3"),
    "ts": ("mpeg2video", "mp2"),
    "flv": ("flv", "aac"),
    "ogg": ("", "libopus"),
    "wav": ("", "pcm_s16le"),
    "flac": ("", "flac"),
    "mp3": ("", "mp3"),
    "aac": ("", "aac"),
    "gif": ("gif", ""),
}
"""Container suffix -> (video encoder, audio encoder); "" where the form has none."""


def clip(path: Path, *, form: str = "", seconds: float = 1.0, options: Mapping[str, str] | None = None) -> Path:
    """A clip of moving noise (64x48, 25 fps) and a 440 Hz tone, stereo at 48 kHz, in the form that the suffix says."""
    form = form or path.suffix[1:]
    video, audio = FORMS[form]
    muxer = {"ts": "mpegts", "mkv": "matroska", "aac": "adts"}.get(form, form)
    with av.open(str(path), "w", format=muxer, options=dict(options or {})) as out:
        pictures = out.add_stream(video, rate=25) if video else None
        sound = out.add_stream(audio, rate=RATE, layout="stereo") if audio else None
        if pictures is not None:
            pictures.width, pictures.height = 64, 48
            pictures.pix_fmt = "rgb8" if video == "gif" else "yuv420p"
            _write_pictures(out, pictures, round(25 * seconds))
        if sound is not None:
            write_sound(out, sound, tone(seconds))
    return path


def tone(seconds: float, *, hz: float = 440.0, level: float = 0.25, rate: int = RATE) -> np.ndarray:
    """f32[2, n] stereo sine."""
    at = np.arange(round(rate * seconds)) / rate
    return np.tile(np.sin(2 * np.pi * hz * at) * level, (2, 1)).astype(np.float32)


def _write_pictures(out: av.container.OutputContainer, stream: av.VideoStream, count: int) -> None:
    random = np.random.default_rng(7)
    base = random.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(np.roll(base, index, axis=1), format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1, 25)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def write_sound(out: av.container.OutputContainer, stream: av.AudioStream, samples: np.ndarray) -> None:
    """Encodes f32[2, n] at the stream's rate."""
    kind = stream.codec_context.format.name
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = stream.rate, 0, Fraction(1, stream.rate)
    size = stream.codec_context.frame_size or 1024
    shaper = av.AudioResampler(format=kind, layout="stereo", rate=stream.rate, frame_size=size)
    for shaped in [*shaper.resample(frame), *shaper.resample(None)]:
        out.mux(stream.encode(shaped))
    out.mux(stream.encode(None))


def box(kind: bytes, body: bytes) -> bytes:
    """One MP4 box."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def rewritten(data: bytes, path: tuple[bytes, ...], change: Mapping[bytes, bytes]) -> bytes:
    """MP4 boxes with those below `path` replaced by `change`, all parents' sizes put right."""
    out, at = b"", 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + size]
        if path and kind == path[0]:
            body = rewritten(body, path[1:], change)
        elif not path and kind in change:
            body = change[kind]
        out, at = out + box(kind, body), at + size
    return out


def alias(target: Path) -> bytes:
    """The body of a dref box whose one entry is a Macintosh alias to an absolute path."""
    name = str(target).encode()
    name += b"\0" * (len(name) % 2)
    record = bytes(10) + b"\0" + bytes(27) + bytes(12) + b"\0" + bytes(63) + bytes(16)
    record += struct.pack(">HH", 0, 0) + bytes(16) + struct.pack(">HH", 2, len(name)) + name + struct.pack(">hH", -1, 0)
    return struct.pack(">II", 0, 1) + box(b"alis", bytes(4) + record)


def element(number: int, body: bytes) -> bytes:
    """One EBML element."""
    width = (number.bit_length() + 7) // 8
    return number.to_bytes(width, "big") + (0x0100000000000000 | len(body)).to_bytes(8, "big") + body


def number(value: int) -> bytes:
    """An EBML unsigned integer of 4 bytes."""
    return value.to_bytes(4, "big")


def matroska(*tracks: bytes, block: bytes = bytes(64)) -> bytes:
    """A Matroska file by hand: these track entries' bodies, and one cluster with one block of the first track."""
    header = element(0x1A45DFA3, element(0x4282, b"matroska") + element(0x4287, b"\4") + element(0x4285, b"\2"))
    info = element(0x1549A966, element(0x2AD7B1, number(1_000_000)) + element(0x4D80, b"x") + element(0x5741, b"x"))
    entries = element(0x1654AE6B, b"".join(element(0xAE, track) for track in tracks))
    cluster = element(0x1F43B675, element(0xE7, number(0)) + element(0xA3, b"\x81\0\0\x80" + block))
    return header + element(0x18538067, info + entries + cluster)


def track(codec: bytes, *, kind: int = 1, index: int = 1, rest: bytes = b"") -> bytes:
    """The body of a track entry; `kind` 1 is video, 2 audio, 17 subtitles."""
    plain = element(0xD7, number(index)) + element(0x73C5, number(index)) + element(0x83, number(kind))
    return plain + element(0x86, codec) + rest


def picture_size(width: int, height: int) -> bytes:
    """The video settings of a track entry."""
    return element(0xE0, element(0xB0, number(width)) + element(0xBA, number(height)))


LOCKED = element(0x6D80, element(0x6240, element(0x5033, number(1)) + element(0x5035, element(0x47E1, number(5)))))
"""The content encodings of a track entry that is encrypted."""
