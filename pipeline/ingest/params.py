"""Bounds of reading media: every one of them exists because a hostile file can ask for more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Limits on one media file; exceeding one is a named outcome of that file, never of the scan."""

    max_pixels: int = 64_000_000
    """Largest picture, width times height, checked from the header before anything is allocated."""
    max_duration_s: float = 86_400
    """Longest recording in seconds of media time."""
    max_streams: int = 16
    """Most streams of one file, of all kinds together."""
    max_task_s: float = 1800
    """Longest that one task may decode, in seconds of wall time."""
    settle_s: float = 10
    """A file touched more recently than this, and still growing or without its index, is still being written."""
    look_ahead_s: float = 10
    """How far a planned decode looks ahead at packet times, in seconds of media time."""
    look_ahead_bytes: int = 16 << 20
    """The same in bytes: whichever bound is reached first holds."""
    audio_rate_hz: int = 16_000
    """Rate that all sound is brought to."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            least = 0 if name == "settle_s" else 1
            if getattr(self, name) < least:
                raise ValueError(f"{name}: {getattr(self, name)} is less than {least}")
