"""Seams: the few places where an implementation is chosen by configuration (by `app`, and nowhere else).

A seam appears with its second implementation or its fake. Every docstring says how it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO, Protocol

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


class Picking(Protocol):
    """One pass of a Picker over the presentation times of one stream, in recording time (ns), strictly ascending.

    It is fed from a frame before `start_ns`, or from the stream's first frame. A pick is (time of a frame, line of
    the 60 s grid it is a sample of); picks come in ascending order, for the frame just seen or the one before it.
    """

    @property
    def start_ns(self) -> int:
        """Only the frame shown at this time, and later ones, can be samples."""

    @property
    def done(self) -> bool:
        """True once no later time can change anything."""

    def see(self, time_ns: int) -> Sequence[tuple[int, int]]:
        """The picks that became certain by this frame."""

    def end(self, end_ns: int) -> Sequence[tuple[int, int]]:
        """The picks that became certain because the last frame seen ends, and the stream with it, at `end_ns`."""


class Picker(Protocol):
    """Decides from presentation times alone which frames of a stream are samples."""

    def over(self, lines: tuple[int, int | None]) -> Picking:
        """A fresh pass for the lines [first, last) of the 60 s grid; None: to the stream's end."""


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

    def destroy(self, *key_ids: str) -> None:
        """Ledger lines first, then every live copy; idempotent. Unknown ids raise KeyMissingError, and none goes."""

    def renew(self) -> None:
        """Lock every living key anew: what is known from now on opens no older copy of the store."""

    def ids(self) -> list[str]:
        """Ids of all living keys, sorted."""


class BlobStore(Protocol):
    """Immutable files by name: put once, or raise and store nothing."""

    def put(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Store what `write` writes, durable before it returns; if `write` raises, nothing is stored.

        Raises SealError if the name exists or the bytes cannot be stored.
        """

    def open(self, name: str) -> BinaryIO:
        """The bytes as a seekable stream for the caller to close. Raises IntegrityError if the name is not there."""

    def names(self) -> list[str]:
        """All names, sorted."""

    def remove(self, *names: str) -> None:
        """Forget files, durably; a name that is not there is no error."""
