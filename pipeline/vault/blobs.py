"""Vault files in a folder (BlobStore port): put once, opened for reading, never changed.

Refuses to know what is in them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pipeline.core.errors import IntegrityError, SealError
from pipeline.vault.disk import make_folder, sync_folder, write_once


class FileStore:
    """Files under `folder`; a name is a relative path such as "3f/<file id>.parquet"."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)

    def put(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Store what `write` writes under a name that was never used, or nothing."""
        path = self._path(name)
        try:
            make_folder(path.parent)
            write_once(path, write)
        except FileExistsError as error:
            raise SealError(f"vault file {name} exists already: nothing was overwritten") from error
        except OSError as error:
            raise SealError(
                f"vault file {name} cannot be stored in {self._folder} ({error.strerror or error}): "
                "free some space or mend the disk, and scan again"
            ) from error

    def open(self, name: str) -> BinaryIO:
        """The file as a seekable stream."""
        try:
            return self._path(name).open("rb")
        except OSError as error:
            raise IntegrityError(f"vault file {name} cannot be read ({error.strerror}): restore the vault") from error

    def names(self) -> list[str]:
        """Every file under the folder, half-written ones of a crash included."""
        return sorted(p.relative_to(self._folder).as_posix() for p in self._folder.rglob("*") if not p.is_dir())

    def remove(self, *names: str) -> None:
        """Unlink files, durably."""
        paths = [self._path(name) for name in names]
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in sorted({path.parent for path in paths}):
            if folder.is_dir():
                sync_folder(folder)

    def _path(self, name: str) -> Path:
        if name.startswith("/") or ".." in name.split("/") or not name:
            raise ValueError(f"not the name of a vault file: {name!r}")
        return self._folder / name
