"""The destruction ledger: which keys were destroyed, for ever.

A text file with one line a key, each holding the digest of the line before; appended and fsynced, never rewritten. It
lies outside catalog, vault and key files, so that restoring an old copy of those cannot bring a destroyed key back.
Refuses to know what the keys sealed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pipeline.core.errors import IntegrityError
from pipeline.vault.canonical import canonical, leaf_hash
from pipeline.vault.disk import make_folder, sync_folder


class DestructionLedger:
    """`path` as read so far. Other processes may append: `refresh` before asking, and append only under a lock.

    Raises IntegrityError if a line was changed or lines that were already read have gone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        make_folder(path.parent)
        self._destroyed: set[str] = set()
        self._read = 0
        self._previous = ""
        self.refresh()

    def __contains__(self, key_id: str) -> bool:
        self.refresh()
        return key_id in self._destroyed

    def ids(self) -> list[str]:
        """All destroyed keys, sorted."""
        self.refresh()
        return sorted(self._destroyed)

    def refresh(self) -> None:
        """Read what was appended since; a last line without its end is not there yet."""
        size = self._path.stat().st_size if self._path.exists() else 0
        if size == self._read:
            return
        if size < self._read:
            raise IntegrityError(f"destruction ledger {self._path} lost lines: restore it, or destroyed keys come back")
        with self._path.open("rb") as file:
            file.seek(self._read)
            tail = file.read()
        for raw in tail[: tail.rfind(b"\n") + 1].splitlines(keepends=True):
            self._take(raw)

    def _take(self, raw: bytes) -> None:
        number = len(self._destroyed) + 1
        try:
            line = json.loads(raw)
            digest, key_id = line.pop("digest"), str(line["key"])
            sound = digest == leaf_hash(canonical(line)) and (line["number"], line["previous"]) == (
                number,
                self._previous,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            sound = False
        if not sound:
            raise IntegrityError(f"destruction ledger {self._path} line {number} was changed: restore the ledger")
        self._destroyed.add(key_id)
        self._previous = digest
        self._read += len(raw)

    def append(self, key_id: str) -> None:
        """Durable before it returns. The caller holds the key store's lock."""
        self.refresh()
        line: dict[str, object] = {"key": key_id, "number": len(self._destroyed) + 1, "previous": self._previous}
        line["digest"] = leaf_hash(canonical(line))
        fresh = not self._path.exists()
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "r+b") as file:
            # A crash may have left half a line: its key was never touched, so the half line goes.
            file.truncate(self._read)
            file.seek(self._read)
            file.write(canonical(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync_folder(self._path.parent)
        self.refresh()
