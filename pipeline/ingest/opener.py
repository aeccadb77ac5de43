"""The one place that opens media for reading: a media file may open nothing but itself.

libav is handed an open descriptor and may use no other protocol, no format that names other files, and no decoder that
a recording has no use for. It never sees the file's name. Refuses to know what the pictures and sounds are for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from pipeline.core.errors import NotYetError, SourceError
from pipeline.core.media import NS
from pipeline.ingest.headers import encrypted_tracks, ends_early, has_index, is_mp4
from pipeline.ingest.limits import quiet_libav
from pipeline.ingest.params import Params
from pipeline.ingest.regular import regular_file

CUT_SHORT = "the data end early: the file is shorter than it says"
OPEN_TIMEOUT_S = 30.0
READ_TIMEOUT_S = 30.0
_FORMATS = (
    "mov,matroska,avi,mpeg,mpegts,mpegvideo,ogg,flv,live_flv,asf,ivf,gif,apng,"
    "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,amr"
)
_VIDEO_DECODERS = (
    "h264,hevc,libdav1d,av1,vp8,libvpx-vp8,vp9,libvpx-vp9,vp6,vp6f,vp6a,theora,mpeg1video,mpeg2video,mpeg4,msmpeg4v1,"
    "msmpeg4v2,msmpeg4,h261,h263,h263i,flv,wmv1,wmv2,wmv3,vc1,mjpeg,prores,dnxhd,dvvideo,ffv1,huffyuv,ffvhuff,utvideo,"
    "rawvideo,gif,apng,png,svq1,svq3,cinepak,flashsv,flashsv2,qtrle,vvc"
)
_AUDIO_DECODERS = (
    "aac,aac_latm,mp3float,mp3,mp2float,mp2,mp1float,mp1,opus,libopus,vorbis,libvorbis,flac,alac,ac3,eac3,amrnb,amrwb,"
    "libopencore_amrnb,libopencore_amrwb,speex,libspeex,wmav1,wmav2,wmapro,nellymoser,g722,g726,g726le,gsm,gsm_ms,"
    "pcm_s16le,pcm_s16be,pcm_u16le,pcm_u16be,pcm_s8,pcm_u8,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,"
    "pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,adpcm_ima_wav,adpcm_ima_qt,adpcm_ms,adpcm_swf,adpcm_yamaha"
)
_DECODERS = frozenset(f"{_VIDEO_DECODERS},{_AUDIO_DECODERS}".split(","))
_TEXT_BYTES = frozenset({9, 10, 12, 13, 27, *range(32, 256)})
_TOLD = ("video", "audio", "subtitle", "attachment")
_LIARS_APART_NS = 3600 * NS


class Deadline:
    """Wall time that one task may take, counted from its birth."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._end = time.monotonic() + limit_s

    def check(self) -> None:
        """Raises SourceError "over the time limit: ..." once the time is used up."""
        if time.monotonic() > self._end:
            raise SourceError(f"over the time limit: reading took more than {self._limit_s:g} s")


def open_media(path: str, params: Params) -> InputContainer:
    """Opens the video or audio file at `path` (still images are `ingest.image`'s).

    Streams that cannot be read (encrypted, cover art, no decoder, neither video nor audio) are marked
    `discard=all`: take streams through `video_stream` and `audio_stream`, which pass over them. Decoders are
    bounded in pixels and single-threaded.

    Raises SourceError: what `regular_file` says, "not media: ...", "encrypted: ...", "no decodable stream: ...",
    "too many streams: ...", "oversized pixels: ...", "over the time limit: ..."; NotYetError "still being written".
    """
    with regular_file(path) as descriptor:
        found = os.fstat(descriptor)
        head = os.pread(descriptor, 4096, 0)
        if _TEXT_BYTES.issuperset(head):
            raise SourceError("not media: the file is text")
        if is_mp4(head) and not has_index(descriptor, found.st_size):
            if time.time() - found.st_mtime < params.settle_s:
                raise NotYetError(
                    "still being written: its index (moov) is not there yet; scan again when it is closed"
                )
            raise SourceError("not media: its index (moov) is missing; the recorder did not finish it")
        locked = encrypted_tracks(descriptor, found.st_size)
        with quiet_libav() as messages:
            container = _open(descriptor, params)
    try:
        _check(container, locked, params, messages.oversized)
    except BaseException:
        container.close()
        raise
    return container


def video_stream(container: InputContainer) -> VideoStream | None:
    """The first readable video stream of an opened file; cover art is no video."""
    return next((s for s in container.streams.video if s.discard is not Discard.all), None)


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The first readable audio stream of an opened file."""
    return next((s for s in container.streams.audio if s.discard is not Discard.all), None)


def start_ns(container: InputContainer) -> int:
    """The zero of the file's media time on its own clock: the earliest start of its video and audio streams.

    Where they claim to start more than an hour apart one of them lies, and the first of them (video first) counts.
    """
    streams: list[Stream] = [*container.streams.video, *container.streams.audio]
    starts = [
        int(s.start_time * s.time_base * NS)
        for s in streams
        if s.start_time is not None and s.time_base and not _is_cover(s)
    ]
    if not starts:
        return 0
    return starts[0] if max(starts) - min(starts) > _LIARS_APART_NS else min(starts)


def packets(container: InputContainer, *streams: Stream) -> Iterator[Packet[Stream]]:
    """The packets of these streams (all where none is named) in the order they lie in the file, without empty ones.

    To a decoder an empty packet would mean the end; some writers pad with them. Raises what libav raises.
    """
    demuxed: Iterator[Packet[Stream]] = container.demux(*streams)
    try:
        for packet in demuxed:
            if packet.size:
                yield packet
    except IndexError:
        # PyAV stumbles at the very end, in flushing, over streams that began in the middle of the file.
        return


def cut_off(path: str) -> bool:
    """True if the outermost header of the file speaks of more bytes than there are."""
    with regular_file(path) as descriptor:
        return ends_early(descriptor, os.fstat(descriptor).st_size)


def cut_short(container: InputContainer) -> bool:
    """True if the file's own index lists data past its end: it was cut off, by a disk or by a hand."""
    size = container.size
    streams = [s for s in container.streams if isinstance(s, VideoStream | AudioStream) and len(s.index_entries)]
    return any(s.index_entries[-1].pos + s.index_entries[-1].size > size for s in streams)


def unread(container: InputContainer, params: Params) -> tuple[str, ...]:
    """What an opened file holds that is not read, and why, in stable words; each once."""
    locked = frozenset(_number(s) for s in container.streams if s.discard is Discard.all)
    reasons = [_refusal(s, locked, params) for s in container.streams if s.type in _TOLD]
    for kind, streams in (("video", container.streams.video), ("audio", container.streams.audio)):
        if sum(s.discard is not Discard.all for s in streams) > 1:
            reasons.append(f"several {kind} streams: only the first is read")
    return tuple(dict.fromkeys(reason.removeprefix("no decodable stream: ") for reason in reasons if reason))


def _open(descriptor: int, params: Params) -> InputContainer:
    options = {
        # libav duplicates the descriptor and reads through its own offset: ours may be closed at once.
        "fd": str(descriptor),
        "protocol_whitelist": "fd",
        "format_whitelist": _FORMATS,
        "codec_whitelist": ",".join(sorted(_DECODERS)),
        "enable_drefs": "0",
        "use_absolute_path": "0",
        "max_pixels": str(params.max_pixels),
    }
    try:
        container: InputContainer = av.open(
            "fd:", options=options, metadata_errors="replace", timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S)
        )
        return container
    except av.error.ExitError:
        raise SourceError(f"over the time limit: opening took more than {OPEN_TIMEOUT_S:g} s") from None
    except (av.error.MemoryError, MemoryError):
        raise SourceError("not media: its header asks for more memory than it may have") from None
    except av.error.FFmpegError as error:
        raise SourceError(f"not media: no known format fits its bytes ({error.strerror})") from None


def _check(container: InputContainer, locked: frozenset[int], params: Params, oversized: str) -> None:
    """Marks what cannot be read and refuses the file if nothing is left or a bound is broken."""
    streams = list(container.streams)
    if len(streams) > params.max_streams:
        raise SourceError(f"too many streams: {len(streams)}, the limit is {params.max_streams}")
    refusals: list[str] = []
    for stream in streams:
        if reason := _refusal(stream, locked, params, oversized):
            stream.discard = Discard.all
            refusals.append(reason)
        else:
            stream.codec_context.options = {"max_pixels": str(params.max_pixels)}
            stream.codec_context.thread_type = "NONE"
            stream.codec_context.thread_count = 1
    if len(refusals) == len(streams):
        raise SourceError(next(iter(sorted(refusals, key=_telling)), "no decodable stream: the file holds no streams"))


def _refusal(stream: Stream, locked: frozenset[int], params: Params, oversized: str = "") -> str:
    if not isinstance(stream, VideoStream | AudioStream):
        return f"no decodable stream: {stream.type} is not read"
    if _is_cover(stream):
        return "no decodable stream: cover art is not read"
    if _number(stream) in locked:
        return f"encrypted: the {stream.type} can be read only with a key"
    context = stream.codec_context
    if context is None or context.codec.name not in _DECODERS:
        return f"no decodable stream: no decoder for the {stream.type}"
    if isinstance(stream, VideoStream):
        width, height = stream.codec_context.width, stream.codec_context.height
        # A decoder that refused the size while libav looked leaves none behind, only words.
        size = f"{width}x{height}" if width * height else oversized
        if width * height > params.max_pixels or (oversized and size == oversized):
            return f"oversized pixels: {size}, the limit is {params.max_pixels} pixels"
    return ""


def _number(stream: Stream) -> int:
    """What `encrypted_tracks` calls the stream."""
    return stream.index if "matroska" in stream.container.format.name else stream.id


def _is_cover(stream: Stream) -> bool:
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _telling(refusal: str) -> int:
    """Which of several refusals names a file: the one that says most."""
    return ("oversized", "encrypted", "no decodable").index(refusal.split(":", maxsplit=1)[0].rsplit(" ", 1)[0])
