"""Still images: known by their content, bounded by their header, decoded in one pinned way (OpenCV).

Transparency is dropped (the colours under it are kept), deeper samples become 8 bits, grey and CMYK become RGB, the
EXIF orientation is applied. Animations are video: GIF and animated PNG are left to libav.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import SourceError
from pipeline.ingest.params import Params
from pipeline.ingest.regular import regular_file

ENDS_EARLY = "the image's data end early"
FIRST_ONLY = "animated image: only its first picture is read"
_MOST_SEGMENTS = 4000
_MOST_BYTES_PER_PIXEL = 8
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}

# The decoders speak of every broken image on standard error; their refusal reaches us as None.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What an image claims: its format, its stored size in pixels, and flaws that do not stop the reading."""

    codec: str
    width: int
    height: int
    warnings: tuple[str, ...] = ()


def image_header(descriptor: int) -> ImageHeader | None:
    """The header of a still image of a kind that is read here; None if the file is none."""
    head = os.pread(descriptor, 4096, 0)
    reader = next((read for begins, read in _READERS if begins(head)), None)
    return reader(descriptor, head) if reader else None


def is_image(path: str) -> bool:
    """True if the file's content is a still image. Raises SourceError as `regular_file` does."""
    with regular_file(path) as descriptor:
        return image_header(descriptor) is not None


def check_pixels(header: ImageHeader, params: Params) -> None:
    """Raises SourceError "oversized pixels: ..." or "broken image: ...", before anything is allocated."""
    if header.width <= 0 or header.height <= 0:
        raise SourceError("broken image: its header gives it no size")
    if header.width * header.height > params.max_pixels:
        size = f"{header.width}x{header.height}"
        raise SourceError(f"oversized pixels: {size}, the limit is {params.max_pixels} pixels")


def read_image(path: str, params: Params) -> NDArray[np.uint8]:
    """The upright picture as u8[h, w, 3] RGB.

    A JPEG whose data end early is read as far as it goes, as browsers do. Raises SourceError: what `regular_file`
    says, "not media: ...", "oversized pixels: ...", "broken image: ...".
    """
    with regular_file(path) as descriptor:
        header = image_header(descriptor)
        if header is None:
            raise SourceError("not media: not a still image of a kind that is read here")
        check_pixels(header, params)
        size = os.fstat(descriptor).st_size
        if size > _MOST_BYTES_PER_PIXEL * params.max_pixels:
            raise SourceError(f"broken image: {size} bytes are more than any image of the allowed size needs")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            body = file.read(size)
    pixels = None if header.codec == "png" and not _png_is_sound(body) else _decode(body)
    if pixels is None and header.codec == "jpeg":
        pixels = _decode(body + b"\xff\xd9")
    if pixels is None:
        raise SourceError("broken image: its data end early or make no sense")
    return pixels


def _decode(body: bytes) -> NDArray[np.uint8] | None:
    try:
        pixels = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR_RGB)
    except (cv2.error, MemoryError):
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def _png_is_sound(body: bytes) -> bool:
    """True if the critical chunks are whole. The decoder would refuse as we do, but not without printing."""
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = int.from_bytes(body[at : at + 4], "big"), body[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(body):
            return False
        critical = not kind[0] & 0x20
        if critical and zlib.crc32(body[at + 4 : end]) != int.from_bytes(body[end : end + 4], "big"):
            return False
        at = end + 4
    return True


def _tail(descriptor: int, length: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, length, max(0, size - length))


def _jpeg(descriptor: int, head: bytes) -> ImageHeader:
    at = 2
    width = height = 0
    for _ in range(_MOST_SEGMENTS):
        segment = os.pread(descriptor, 9, at)
        if len(segment) < 9 or segment[0] != 0xFF:
            break
        if segment[1] == 0xFF:
            at += 1
            continue
        if segment[1] in _JPEG_FRAMES:
            height, width = int.from_bytes(segment[5:7], "big"), int.from_bytes(segment[7:9], "big")
            break
        at += 2 + int.from_bytes(segment[2:4], "big")
    whole = b"\xff\xd9" in _tail(descriptor, 65_536)
    return ImageHeader(codec="jpeg", width=width, height=height, warnings=() if whole else (ENDS_EARLY,))


def _png(descriptor: int, head: bytes) -> ImageHeader | None:
    if b"acTL" in head[: max(head.find(b"IDAT"), 0) or None]:
        return None
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    whole = b"IEND" in _tail(descriptor, 65_536)
    return ImageHeader(codec="png", width=width, height=height, warnings=() if whole else (ENDS_EARLY,))


def _webp(descriptor: int, head: bytes) -> ImageHeader:
    warnings = []
    if os.fstat(descriptor).st_size < 8 + int.from_bytes(head[4:8], "little"):
        warnings.append(ENDS_EARLY)
    if head[12:16] == b"VP8X":
        if head[20] & 0x02:
            warnings.append(FIRST_ONLY)
        width, height = (1 + int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
    elif head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    return ImageHeader(codec="webp", width=width, height=height, warnings=tuple(warnings))


def _bmp(descriptor: int, head: bytes) -> ImageHeader:
    size = os.fstat(descriptor).st_size
    if int.from_bytes(head[14:18], "little") == 12:
        width, height = (int.from_bytes(head[at : at + 2], "little") for at in (18, 20))
    else:
        # A negative height means rows from the top down.
        width, height = (abs(int.from_bytes(head[at : at + 4], "little", signed=True)) for at in (18, 22))
    whole = size >= int.from_bytes(head[2:6], "little")
    return ImageHeader(codec="bmp", width=width, height=height, warnings=() if whole else (ENDS_EARLY,))


_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[int, bytes], ImageHeader | None]], ...] = (
    (lambda head: head[:3] == b"\xff\xd8\xff", _jpeg),
    (lambda head: head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) >= 33, _png),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) >= 30, _webp),
    (lambda head: head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) >= 26, _bmp),
)
