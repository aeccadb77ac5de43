"""How much evidence is cut, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Bounds and encodings of capture; the defaults fit an incident in about 20 MB."""

    before: int = 2
    """Frames kept before each run of flagged ones, `neighbour_step_s` apart."""
    after: int = 2
    neighbour_step_s: float = 0.5
    search_s: float = 1.0
    """How far from a wanted moment the nearest real frame may lie."""
    max_frames: int = 64
    """A longer incident is thinned evenly; the first, the last and each rule's strongest frame stay."""
    jpeg_quality: int = 92
    derivative_side_px: int = 160
    derivative_spots: int = 16
    """A derivative's longer side is averaged into this many grey spots; no finer detail is left in it."""
    derivative_quality: int = 80
    pad_s: float = 2.0
    """Sound and packets are kept this long before and after the incident."""
    max_audio_s: float = 600.0
    packet_back_s: float = 30.0
    """A cut begins at a key packet at most this long, and `packet_back_bytes`, before its span; else there is none."""
    packet_back_bytes: int = 64 << 20
    packet_max_bytes: int = 128 << 20
    counterpart_rate_hz: float = 1.0
    counterpart_max_frames: int = 32
    clock_slack_s: float = 2.0
    """Widening of the counterpart's span for each side whose clock uncertainty is unknown."""

    def __post_init__(self) -> None:
        if not (1 <= self.jpeg_quality <= 100 and 1 <= self.derivative_quality <= 100):
            raise ValueError("JPEG qualities are 1 to 100")
        if not 1 <= self.derivative_spots <= 24 <= self.derivative_side_px <= 160:
            raise ValueError("a derivative has at most 24 spots and a side of 24 to 160 px")
        if min(self.before, self.after) < 0 or self.max_frames < 8 or self.counterpart_max_frames < 2:
            raise ValueError("before and after: at least 0; max_frames: at least 8; counterpart_max_frames: at least 2")
        if min(self.neighbour_step_s, self.search_s, self.max_audio_s, self.counterpart_rate_hz) <= 0:
            raise ValueError("neighbour_step_s, search_s, max_audio_s and counterpart_rate_hz are above 0")
        if min(self.pad_s, self.packet_back_s, self.clock_slack_s) < 0:
            raise ValueError("paddings are at least 0 s")
