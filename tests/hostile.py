"""A hostile corpus: files that lie, block, point elsewhere or are not what their name says, each with its outcome.

    for item in corpus(tmp_path): ...

writes the files and says what must be said of each: `reason` is the beginning of the refusal, "" where it is read.
"""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tests.hostile_media import (
    LOCKED,
    alias,
    clip,
    element,
    matroska,
    picture_size,
    rewritten,
    track,
)

NAMES = (
    b"two words.mp4",
    b"line\nbreak.mp4",
    b"quote'\"`$(touch x).mp4",
    b"\xe2\x80\xaegpj.mp4",
    b"-rf.mp4",
    b"=cmd|'calc'!A0.mp4",
    b"frame%03d.mp4",
    b"frame*?[1].mp4",
    b"http:x.mp4",
    b"concat:a|b.mp4",
    b"file:..",
    b"fd:",
    b"latin\xff\xfe.mp4",
    b"x" * 251 + b".mp4",
    b".hidden",
    b"{json: 1}\\.mp4",
    b"photo.jpg",
)
"""File names as bytes; each is given a small real clip as its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One file and the beginning of its refusal; "" means that it is read, with `warnings` among its warnings."""

    path: str
    reason: str = ""
    warnings: tuple[str, ...] = ()


def corpus(folder: Path) -> list[Hostile]:
    """Writes all of it under `folder`; every file looks an hour old."""
    items = [*_not_media(folder), *_pointers(folder), *_special(folder), *_lies(folder), *_locked(folder)]
    items += [Hostile(path=path) for path in named(folder / "names")]
    then = time.time() - 3600
    for item in items:
        os.utime(item.path, (then, then), follow_symlinks=False)
    return items


def named(folder: Path) -> list[str]:
    """One small clip under every hostile name."""
    folder.mkdir()
    body = clip(folder / "source.mp4", seconds=0.2).read_bytes()
    (folder / "source.mp4").unlink()
    paths = [os.path.join(folder, os.fsdecode(name)) for name in NAMES]  # noqa: PTH118 (pathlib would normalise)
    for path in paths:
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(body)
    return paths


def _written(folder: Path, name: str, body: bytes, reason: str = "", *warnings: str) -> Hostile:
    (folder / name).write_bytes(body)
    return Hostile(path=str(folder / name), reason=reason, warnings=warnings)


def _not_media(folder: Path) -> list[Hostile]:
    noise = np.random.default_rng(1).integers(0, 256, 20_000, dtype=np.uint8).tobytes()
    return [
        _written(folder, "zero.mp4", b"", "zero bytes"),
        _written(folder, "text.mp4", b"hello world\n", "not media: the file is text"),
        _written(
            folder, "subtitles.mp4", b"1\n00:00:00,000 --> 00:00:02,000\nhello\n\n", "not media: the file is text"
        ),
        _written(folder, "ansi.mp4", b"\x1b[31mred\x1b[0m\r\n" * 50, "not media: the file is text"),
        _written(folder, "noise.webm", noise, "not media"),
        _written(folder, "nul.mp4", bytes(5000), "not media"),
        _written(folder, "archive.mp4", b"PK\x03\x04" + noise, "not media"),
        _written(folder, "program.mp4", b"\x7fELF\x02\x01\x01\x00" + noise, "not media"),
    ]


def _pointers(folder: Path) -> list[Hostile]:
    """Files that ask for another one: `secret.wav`, a loud tone beside them."""
    secret = clip(folder / "secret.wav", seconds=1)
    uri = f"file://{secret}"
    text = "not media: the file is text"
    moved = rewritten(
        clip(folder / "pointer.mov", seconds=0.5).read_bytes(),
        (b"moov", b"trak", b"mdia", b"minf", b"dinf"),
        {b"dref": alias(secret)},
    )
    return [
        Hostile(path=str(secret)),
        _written(folder, "hls.mp4", f"#EXTM3U\n#EXTINF:1,\n{uri}\n#EXT-X-ENDLIST\n".encode(), text),
        _written(folder, "concat.mp4", f"ffconcat version 1.0\nfile '{secret}'\n".encode(), text),
        _written(folder, "list.pls", f"[playlist]\nFile1={uri}\nNumberOfEntries=1\n".encode(), text),
        _written(folder, "list.asx", f'<asx version="3.0"><entry><ref href="{uri}"/></entry></asx>'.encode(), text),
        _written(folder, "dash.mp4", f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">{uri}</MPD>'.encode(), text),
        _written(folder, "picture.svg", f'<svg><image href="{uri}"/></svg>'.encode(), text),
        _written(folder, "script.mvg", f"viewbox 0 0 9 9 image over 0,0 9,9 '{uri}'".encode(), text),
        _written(folder, "session.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n", text),
        _written(folder, "hls-nul.mp4", f"#EXTM3U\n#EXTINF:1,\n{uri}\n#EXT-X-ENDLIST\n\0".encode(), "not media"),
        _written(folder, "concat-nul.mp4", f"ffconcat version 1.0\nfile '{secret}'\n\0".encode(), "not media"),
        _written(folder, "pointer.mov", moved),
    ]


def _special(folder: Path) -> list[Hostile]:
    real = clip(folder / "real.mp4", seconds=0.2)
    os.mkfifo(folder / "fifo.mp4")
    (folder / "link.mp4").symlink_to(real)
    (folder / "zero-device.mp4").symlink_to("/dev/zero")
    (folder / "dangling.mp4").symlink_to(folder / "nothing")
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    door = socket.socket(socket.AF_UNIX)
    # A socket's name may be 107 bytes at most, a test's folder longer: bind it through the folder's descriptor.
    descriptor = os.open(folder, os.O_RDONLY)
    door.bind(f"/proc/self/fd/{descriptor}/socket.mp4")
    door.close()
    os.close(descriptor)
    links = ("link", "zero-device", "dangling", "loop")
    return [
        Hostile(path=str(real)),
        Hostile(path=str(folder / "fifo.mp4"), reason="not a regular file: fifo"),
        Hostile(path=str(folder / "socket.mp4"), reason="not a regular file: socket"),
        *(Hostile(path=str(folder / f"{n}.mp4"), reason="not a regular file: symbolic link") for n in links),
    ]


def _lies(folder: Path) -> list[Hostile]:
    whole = clip(folder / "whole.mp4").read_bytes()
    (folder / "whole.mp4").unlink()
    index = whole.index(b"moov") - 4
    lying = bytearray(clip(folder / "lying.mkv").read_bytes())
    at = lying.index(b"\x44\x89\x88") + 3
    lying[at : at + 8] = struct.pack(">d", 1e9)
    gif = bytearray(clip(folder / "huge.gif").read_bytes())
    gif[6:10] = struct.pack("<HH", 30_000, 30_000)
    jpeg = bytearray(cv2.imencode(".jpg", np.full((64, 64, 3), 90, np.uint8))[1].tobytes())
    frame = jpeg.index(b"\xff\xc0") + 5
    jpeg[frame : frame + 4] = struct.pack(">HH", 30_000, 30_000)
    bmp = bytearray(cv2.imencode(".bmp", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    bmp[18:26] = struct.pack("<ii", 30_000, -30_000)
    webp = (
        b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\x2f\x75\0" * 2 + bytes(8)
    )
    vast = "oversized pixels: 30000x30000"
    many = matroska(*(track(b"A_PCM/INT/LIT", kind=2, index=n) for n in range(1, 41)))
    words = matroska(track(b"S_TEXT/UTF8", kind=17))
    wide = matroska(track(b"V_VP8", rest=picture_size(30_000, 30_000)))
    return [
        _written(folder, "no-index.mp4", whole[:index], "not media: its index (moov) is missing"),
        _written(folder, "half-index.mp4", whole[: index + 60], "no decodable stream"),
        _written(folder, "lying.mkv", bytes(lying), "", "the header lies about the length"),
        _written(folder, "huge.gif", bytes(gif), vast),
        _written(folder, "huge.jpg", bytes(jpeg), vast),
        _written(folder, "huge.bmp", bytes(bmp), vast),
        _written(folder, "huge.webp", webp, vast),
        _written(folder, "huge.png", _png_bomb(30_000), vast),
        _written(folder, "huge.webm", wide, vast),
        _written(folder, "many.mkv", many, "too many streams: 40"),
        _written(folder, "words.mkv", words, "no decodable stream"),
        _written(folder, "tags.mkv", _bad_tags(folder), ""),
    ]


def _locked(folder: Path) -> list[Hostile]:
    """Common encryption in MP4 (both tracks; the pictures alone) and content encryption in Matroska."""
    scheme = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "00112233445566778899aabbccddeeff",
        "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
    }
    both = clip(folder / "locked.mp4", options=scheme).read_bytes()
    # Naming the sound's sample entry as if it were clear leaves one locked track beside one that is read.
    half = both.replace(b"enca", b"mp4a")
    key = "can be read only with a key"
    return [
        Hostile(path=str(folder / "locked.mp4"), reason="encrypted: the video"),
        _written(folder, "half-locked.mp4", half, "", f"encrypted: the video {key}"),
        _written(
            folder, "locked.webm", matroska(track(b"V_VP8", rest=picture_size(64, 48) + LOCKED)), "encrypted: the"
        ),
    ]


def _png_bomb(side: int) -> bytes:
    """A black square of `side` pixels in a few kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side // 8 + 1)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _bad_tags(folder: Path) -> bytes:
    """A clip with a title that is not UTF-8."""
    body = clip(folder / "tags.mkv", seconds=0.2).read_bytes()
    title = element(
        0x1254C367, element(0x7373, element(0x63C0, b"") + element(0x67C8, _tag(b"TITLE", b"\xff\xfe\xc3(")))
    )
    segment = body.index(b"\x18\x53\x80\x67") + 4
    size = int.from_bytes(body[segment : segment + 8], "big") + len(title)
    return body[:segment] + size.to_bytes(8, "big") + body[segment + 8 :] + title


def _tag(name: bytes, value: bytes) -> bytes:
    return element(0x45A3, name) + element(0x4487, value)
