"""What a plan may rely on, codec by codec, and the few bits of a packet that tell it.

Refuses to decode.
"""

from __future__ import annotations

from av.packet import Packet
from av.video.stream import VideoStream

SKIMMED = frozenset({"h264", "hevc", "mpeg2video", "mpeg4"})
"""Codecs whose decoder skips frames that nothing refers to without touching any other."""
PLANNED = SKIMMED | {"vp8", "vp9", "av1", "libdav1d", "theora", "mjpeg"}
"""Codecs whose decoder begins anew at a key packet with exactly the frames it would have given in passing."""
_MOST_REORDERED = 16
_IDR = 5
_SLICES = range(1, 6)


class CodecFacts:
    """The facts of one stream's codec."""

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        self._name = context.name
        self.is_planned = context.name in PLANNED
        self.skims = context.name in SKIMMED
        self.reorder = _MOST_REORDERED if self.skims else 1
        """Most packets that can come between a frame and the next one in order of presentation; at least the one that
        shows whether a leap in time is taken back."""
        self.reorders = self.skims and context.reorder_depth > 0
        """Whether the stream says that its frames are shown in another order than they are coded in."""
        head = context.extradata or b""
        # avcC (ISO 14496-15): NAL units are preceded by their length; otherwise by start codes.
        self._length_bytes = (head[4] & 3) + 1 if len(head) > 4 and head[0] == 1 else 0

    def begins(self, packet: Packet[VideoStream]) -> bool:
        """True if a decoder may begin anew at this packet.

        H.264 in open groups marks pictures as key that are no IDR; the frames after them ask for references of the
        group before to be forgotten, which fails where they were never decoded.
        """
        return packet.is_keyframe and (self._name != "h264" or self._is_idr(bytes(packet)))

    def shows(self, packet: Packet[VideoStream]) -> bool:
        """True if a frame is shown at this packet's time: edit lists hide some, VP8 codes references of their own."""
        # RFC 6386, 9.1: bit 4 of the first byte is show_frame.
        return not packet.is_discard and (self._name != "vp8" or bool(memoryview(packet)[0] >> 4 & 1))

    def _is_idr(self, body: bytes) -> bool:
        """Whether the first slice of an H.264 access unit is one of an IDR picture."""
        at, step = 0, self._length_bytes
        while True:
            if step:
                header = at + step
                at = header + int.from_bytes(body[at:header], "big")
            else:
                found = body.find(b"\0\0\1", at)
                header = at = len(body) if found < 0 else found + 3
            if header >= len(body):
                return False
            if (kind := body[header] & 0x1F) in _SLICES:
                return kind == _IDR
