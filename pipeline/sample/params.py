"""How densely a recording is looked at, and when a frame is a repeat of an earlier one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Sampling of frames and sound; part of the fingerprint of every result."""

    rate_hz: float | None = 1.0
    """Frames a second, 0.2 to 240; None: every frame."""
    gate: bool = True
    """Whether a frame that repeats a scored one takes over its scores."""
    gate_bound: int = 8
    """Largest difference of two block means, in levels of 0..255, that still counts as a repeat; 0 to 16."""
    window_samples: int = 15_600
    """Samples of one audio window (0.975 s at 16 kHz)."""
    hop_samples: int = 7_680
    """Samples from the start of one window to the start of the next."""
    audio_rate_hz: int = 16_000
    """Rate of the sound that the windows are cut from."""

    def __post_init__(self) -> None:
        if self.rate_hz is not None and not 0.2 <= self.rate_hz <= 240:
            raise ValueError(f"rate_hz: {self.rate_hz} is not in 0.2..240")
        if not 0 <= self.gate_bound <= 16:
            raise ValueError(f"gate_bound: {self.gate_bound} is not in 0..16")
        if not 0 < self.hop_samples <= self.window_samples:
            raise ValueError(f"hop_samples: {self.hop_samples} is not in 1..{self.window_samples}")
        if self.audio_rate_hz <= 0:
            raise ValueError(f"audio_rate_hz: {self.audio_rate_hz} is not a rate")
