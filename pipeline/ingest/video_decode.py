"""One single-threaded libav decoder over the packets of one video stream.

Damage is counted, never printed and never raised; only what exceeds a bound is refused. Refuses to know which frames
are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipeline.core.errors import SourceError
from pipeline.ingest.limits import errors_spoken
from pipeline.ingest.opener import Deadline, cut_short, packets
from pipeline.ingest.params import Params


class Packets:
    """The packets of one stream in order of decoding, without empty ones (repeats of the picture before)."""

    def __init__(self, container: InputContainer, stream: VideoStream, deadline: Deadline | None) -> None:
        self._container, self._stream, self._deadline = container, stream, deadline
        self._damage = ""
        self.count = 0
        """Packets read so far."""
        self.flaws = 0
        """Errors that the demuxer spoke of."""
        self.ended = False
        """True once there are no more."""

    def __iter__(self) -> Iterator[Packet[VideoStream]]:
        self.ended = False
        try:
            for packet in self._demuxed():
                if self._deadline is not None:
                    self._deadline.check()
                self.count += 1
                self._damage = "the last packet is cut off" if packet.is_corrupt else ""
                yield packet
        except av.error.FFmpegError as error:
            self._damage = error.strerror or type(error).__name__
        self.ended = True

    def _demuxed(self) -> Iterator[Packet[VideoStream]]:
        demuxed = cast("Iterator[Packet[VideoStream]]", packets(self._container, self._stream))
        while True:
            before = errors_spoken()
            packet = next(demuxed, None)
            self.flaws += errors_spoken() - before
            if packet is None:
                return
            yield packet

    @property
    def broken(self) -> str:
        """Why the data ended early; "" if they did not, or were not read to their end."""
        if not self.ended:
            return ""
        damage = self._damage or ("its index lists more than there is" if cut_short(self._container) else "")
        return f"the data end early: {damage}" if damage else ""


class Decoder:
    """Decodes packets in order. Frames come out in order of presentation."""

    def __init__(self, stream: VideoStream, params: Params) -> None:
        self._context = stream.codec_context
        self._limit = params.max_pixels
        self._skimming = False
        self.sent = 0
        """Packets that the decoder has been given."""
        self.refused = 0
        """Packets that the decoder could make nothing of."""
        self.flaws = 0
        """Packets refused, frames known to be damaged and errors spoken of: more of them mean damage, even where it
        was concealed."""

    def send(self, packet: Packet[VideoStream], *, skim: bool = False) -> list[VideoFrame]:
        """The frames that this packet completes; with `skim` a packet that nothing refers to is skipped undecoded.

        Raises SourceError "oversized pixels: ...".
        """
        if skim != self._skimming:
            self._context.skip_frame = "NONREF" if skim else "DEFAULT"
            self._skimming = skim
        self.sent += 1
        return self._checked(packet)

    def drain(self) -> list[VideoFrame]:
        """The frames still inside; afterwards the decoder is as new and expects a key packet."""
        frames = self._checked(None)
        self._context.flush_buffers()
        return frames

    def _checked(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        before = errors_spoken()
        try:
            frames = self._context.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError as error:
            if "max pixel" in str(error.log or ""):
                raise SourceError(f"oversized pixels: the limit is {self._limit} pixels a frame") from None
            self.refused += 1
            self.flaws += 1
            return []
        finally:
            self.flaws += errors_spoken() - before
        for frame in frames:
            if frame.width * frame.height > self._limit:
                raise SourceError(f"oversized pixels: {frame.width}x{frame.height}, the limit is {self._limit} pixels")
            self.flaws += frame.is_corrupt
        return frames
