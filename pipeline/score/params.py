"""Settings of scoring."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Provider(StrEnum):
    """Where models run."""

    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`provider` is asserted when a model is loaded, never silently replaced; `max_model_bytes` caps one download."""

    provider: Provider = Provider.CPU
    max_model_bytes: int = 1 << 30
