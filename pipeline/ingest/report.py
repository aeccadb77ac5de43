"""What a reader says of its one pass over a file, once the pass is over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """Outcome of one pass: valid after the iteration ended or raised."""

    warnings: tuple[str, ...] = ()
    """Lies and flaws that did not stop the reading, in stable words, each once."""
    broken: str = ""
    """Why the data ended early; "" if they were read to their end."""
    end_ns: int = 0
    """End of the last decoded frame or sample in media time; 0 if nothing was decoded."""
    decoded: int = 0
    """Frames (video) or samples at the target rate (audio) that were given out."""
    skipped_packets: int = 0
    """Packets that the decoder refused."""
