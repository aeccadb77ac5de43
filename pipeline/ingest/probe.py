"""What one media file is: content by sha256, kind by its bytes, size and length as its header claims them.

The header is believed in nothing that a bounded look can check: the first picture is decoded and the last packets
are read. Refuses to know what the recording is about.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from enum import StrEnum

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.core.errors import NotYetError, SourceError
from pipeline.core.media import NS
from pipeline.ingest.image import check_pixels, image_header
from pipeline.ingest.opener import (
    CUT_SHORT,
    audio_stream,
    cut_off,
    cut_short,
    open_media,
    packets,
    start_ns,
    unread,
    video_stream,
)
from pipeline.ingest.params import Params
from pipeline.ingest.regular import regular_file

WRONG_LENGTH = "the header lies about the length"
WRONG_SIZE = "the header lies about the size of the pictures"
_LOOK_AGAIN_S = 0.25
_FIRST_PACKETS = 64
_LAST_PACKETS = 3000
_LENGTH_SLACK = 0.05


class MediaKind(StrEnum):
    """What a file holds that can be read."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    AV = "av"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Facts about one file. Sizes are as coded (before rotation), 0 where there are no pictures; `rotation` is in
    degrees; `duration_ns` is what the container claims, None where it claims nothing."""

    path: str
    size: int
    sha256: str
    kind: MediaKind
    has_video: bool
    has_audio: bool
    duration_ns: int | None
    width: int
    height: int
    rotation: int
    video_codec: str
    audio_codec: str
    warnings: tuple[str, ...] = ()


def probe(path: str, params: Params) -> Probe:
    """Looks at the file at `path`, reading it once from end to end for its sha256 in constant memory.

    Raises SourceError as `open_media` does, "oversized pixels: ...", "over the time limit: ..."; NotYetError if the
    file changed while it was looked at.
    """
    with regular_file(path) as descriptor:
        before = os.fstat(descriptor)
        header = image_header(descriptor)
        with os.fdopen(os.dup(descriptor), "rb", buffering=0) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time() - before.st_mtime < params.settle_s:
            time.sleep(_LOOK_AGAIN_S)
        after = os.fstat(descriptor)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise NotYetError("still being written: it changed while it was read; scan again when it is closed")
    if header is None:
        return _of_media(path, before.st_size, sha256, params)
    check_pixels(header, params)
    return Probe(
        path=path,
        size=before.st_size,
        sha256=sha256,
        kind=MediaKind.IMAGE,
        has_video=True,
        has_audio=False,
        duration_ns=None,
        width=header.width,
        height=header.height,
        rotation=0,
        video_codec=header.codec,
        audio_codec="",
        warnings=header.warnings,
    )


def _of_media(path: str, size: int, sha256: str, params: Params) -> Probe:
    with open_media(path, params) as container:
        video, audio = video_stream(container), audio_stream(container)
        width, height = (video.codec_context.width, video.codec_context.height) if video else (0, 0)
        warnings = [*unread(container, params), *((CUT_SHORT,) if cut_short(container) or cut_off(path) else ())]
        first = _first_frame(container, video) if video else None
        if first is not None and (first.width, first.height) != (width, height):
            warnings.append(WRONG_SIZE)
        warnings += _check_length(container, video or audio, params)
        both = video is not None and audio is not None
        return Probe(
            path=path,
            size=size,
            sha256=sha256,
            kind=MediaKind.AV if both else MediaKind.VIDEO if video else MediaKind.AUDIO,
            has_video=video is not None,
            has_audio=audio is not None,
            duration_ns=_claimed_ns(container),
            width=width,
            height=height,
            rotation=first.rotation if first is not None else 0,
            video_codec=video.codec_context.name if video else "",
            audio_codec=audio.codec_context.name if audio else "",
            warnings=tuple(warnings),
        )


def _claimed_ns(container: InputContainer) -> int | None:
    claimed = container.duration
    return None if claimed is None or claimed <= 0 else claimed * (NS // av.time_base)


def _first_frame(container: InputContainer, video: VideoStream) -> VideoFrame | None:
    """The first picture that decodes among the first packets; None says nothing about the rest."""
    seen = 0
    try:
        for packet in packets(container, video):
            seen += 1
            if seen > _FIRST_PACKETS:
                break
            try:
                frames = video.decode(packet)
            except av.error.FFmpegError:
                continue
            if frames:
                return frames[0]
        frames = video.decode(None)
    except av.error.FFmpegError:
        return None
    return frames[0] if frames else None


def _check_length(container: InputContainer, stream: Stream | None, params: Params) -> list[str]:
    """Compares the claimed length with the times of the last packets; raises "over the time limit: ..."."""
    claimed, limit = _claimed_ns(container), round(params.max_duration_s * NS)
    if claimed is None or stream is None:
        return []
    seen = _last_ns(container, stream, claimed)
    if min(claimed, claimed if seen is None else seen) > limit:
        raise SourceError(f"over the time limit: {claimed // NS} s of media, the limit is {params.max_duration_s:g} s")
    slack = max(NS, round(claimed * _LENGTH_SLACK))
    return [WRONG_LENGTH] if seen is not None and abs(claimed - seen) > slack else []


def _last_ns(container: InputContainer, stream: Stream, claimed_ns: int) -> int | None:
    """Start of the last packet in file time; None where a bounded look does not reach the end and sees no lie."""
    zero, last, count = start_ns(container), 0, 0
    try:
        container.seek((claimed_ns + zero) * av.time_base // NS)
        for packet in packets(container):
            count += 1
            if count > _LAST_PACKETS:
                return last if last > claimed_ns else None
            if packet.stream.type in ("video", "audio") and packet.pts is not None and packet.time_base:
                last = max(last, int(packet.pts * packet.time_base * NS) - zero)
    except av.error.FFmpegError:
        return None
    return last or None
