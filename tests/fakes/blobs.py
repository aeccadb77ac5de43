"""A blob store in memory, passing the same tests as the real ones."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

from pipeline.core.errors import IntegrityError, SealError


class MemoryBlobStore:
    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    def put(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        out = io.BytesIO()
        write(out)
        if name in self._bodies:
            raise SealError(f"{name} exists already")
        self._bodies[name] = out.getvalue()

    def open(self, name: str) -> BinaryIO:
        if name not in self._bodies:
            raise IntegrityError(f"{name} is not there")
        return io.BytesIO(self._bodies[name])

    def names(self) -> list[str]:
        return sorted(self._bodies)

    def remove(self, *names: str) -> None:
        for name in names:
            self._bodies.pop(name, None)

    def copy(self) -> dict[str, bytes]:
        return dict(self._bodies)

    def lay_over(self, old: dict[str, bytes]) -> None:
        """Bring back what an old copy holds and is not there any more."""
        self._bodies = {**old, **self._bodies}
