"""Seams: the few places where an implementation is chosen by configuration (by `app`, and nowhere else).

A seam appears with its second implementation or its fake. Every docstring says how it refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pipeline.core.media import AudioWindow, Frame
from pipeline.core.signal import ModelRef, Score


class Clock(Protocol):
    """Wall time; read once per operation and handed down."""

    def now(self) -> datetime:
        """Aware UTC. Raises nothing."""


class FrameClassifier(Protocol):
    """Scores pictures. A detector that cannot speak raises ModelError; it never answers 0."""

    ref: ModelRef

    def score(self, frames: Sequence[Frame]) -> list[list[Score]]:
        """Per frame its scores, in the order of `frames`."""


class SoundClassifier(Protocol):
    """Scores windows of sound. Refuses as FrameClassifier does."""

    ref: ModelRef

    def score(self, windows: Sequence[AudioWindow]) -> list[list[Score]]:
        """Per window its scores, in the order of `windows`."""


class KeyStore(Protocol):
    """Keys that live outside catalog and vault. A key never leaves; it wraps data keys."""

    def create(self, key_id: str) -> None:
        """Make a key, durable before it returns. Raises KeyDestroyedError or ValueError for an id that ever existed."""

    def exists(self, key_id: str) -> bool:
        """True if the key is there and alive; raises KeyDestroyedError if it was destroyed."""

    def wrap(self, key_id: str, data_key: bytes) -> bytes:
        """`data_key` sealed under the key, bound to its id. Raises KeyDestroyedError or KeyMissingError."""

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """The data key. KeyDestroyedError for ever after destroy, KeyMissingError, or IntegrityError if altered."""

    def destroy(self, key_id: str) -> None:
        """Ledger line first, then every live copy; idempotent. Unknown ids raise KeyMissingError."""


class BlobStore(Protocol):
    """Immutable files by name: put once, or raise and store nothing."""

    def put(self, name: str, body: bytes) -> None:
        """Durable before it returns. Raises SealError if the name exists or the bytes cannot be stored."""

    def get(self, name: str) -> bytes:
        """The bytes. Raises IntegrityError if the name is not there."""

    def names(self) -> list[str]:
        """All names, sorted."""

    def remove(self, name: str) -> None:
        """Forget an orphan; a name that is not there is no error."""
