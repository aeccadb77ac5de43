"""The readers that capture is handed, and what it asks of a file before cutting.

Paths are local files; times are recording media time in ns (a part's offset plus its file's own time).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from typing import Any

import av.container
import av.stream
import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import SourceError
from pipeline.core.media import NS, Frame, Span

AUDIO_RATE_HZ = 16_000
_IMAGES = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
)


def sha256_of(path: str) -> str:
    """sha256 hex of a regular file, in constant memory; SourceError if it cannot be read."""
    with _regular(path) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


class Digests:
    """sha256 of files, each read once for as long as it stays the same file with the same size and times."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}

    def __call__(self, path: str) -> str:
        """As `sha256_of`."""
        with _regular(path) as handle:
            now = _identity(handle)
            was, digest = self._known.get(path, ((), ""))
            if was != now:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
                self._known[path] = (now, digest)
        return digest


def _identity(handle: BufferedReader) -> tuple[int, ...]:
    found = os.fstat(handle.fileno())
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """How media are read; all raise SourceError (frames: after giving what could be read)."""

    open: Callable[[str], av.container.InputContainer]
    """The safe opener: path -> container. Streams that are not to be read are marked discard=all."""
    frames: Callable[[str, Span, int], Iterator[Frame]]
    """(path, span, offset_ns) -> every upright RGB frame that starts within the span, in order."""
    audio: Callable[[str, Span, int], NDArray[np.float32]]
    """(path, span, offset_ns) -> f32[n] mono at 16 kHz: the sound of the span, beginning at the span's start or where
    the file begins, if that is later; n is 0 where there is none."""
    digest: Callable[[str], str] = sha256_of
    """path -> sha256 hex of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """What a file has to cut. `image` is the media type of an image file (kept whole), or empty."""

    video: bool
    audio: bool
    image: str = ""


def tracks(path: str, sources: Sources) -> Tracks:
    """What `path` holds, by its first bytes and its streams. Raises SourceError as the opener does."""
    head = bytes_of(path, 16)
    for at, magic, media_type in _IMAGES:
        if head[at : at + len(magic)] == magic:
            return Tracks(video=True, audio=False, image=media_type)
    with sources.open(path) as container:
        return Tracks(video=bool(pictures_of(container)), audio=bool(sounds_of(container)))


def bytes_of(path: str, most: int) -> bytes:
    """The first `most` bytes of a regular file; SourceError if it cannot be read."""
    with _regular(path) as handle:
        return handle.read(most)


@contextmanager
def _regular(path: str) -> Iterator[BufferedReader]:
    try:
        # Without O_NONBLOCK a fifo in the place of the recording would hold us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as handle:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SourceError("cannot be read: not a regular file")
            yield handle
    except (OSError, ValueError) as why:
        # Of the source: where it goes on as it is, the vault would take it for its own disk's.
        raise SourceError(f"cannot be read: {getattr(why, 'strerror', None) or why}") from why


def pictures_of(container: av.container.InputContainer) -> list[Any]:
    """The video streams that are to be read and no cover image."""
    cover = av.stream.Disposition.attached_pic
    return [s for s in container.streams.video if s.discard is not av.stream.Discard.all and not s.disposition & cover]


def sounds_of(container: av.container.InputContainer) -> list[Any]:
    """The audio streams that are to be read."""
    return [s for s in container.streams.audio if s.discard is not av.stream.Discard.all]


def zero_ns(container: av.container.InputContainer) -> int:
    """The zero of a file's media time on its own clock: the earliest start of its streams.

    Where they lie more than an hour apart one of them lies about it, and the first (video before audio) counts.
    """
    streams = [*pictures_of(container), *sounds_of(container)]
    starts = [int(s.start_time * s.time_base * NS) for s in streams if s.start_time is not None]
    if not starts:
        return 0
    return starts[0] if max(starts) - min(starts) > 3600 * NS else min(starts)
