"""The second place: a folder of the operator's choice where checkpoints lie, out of reach of who changes the catalog.

One file a checkpoint, named after its size, made once and never touched again. Refuses to know the chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.core.checkpoint import Checkpoint, Published, read_published
from pipeline.core.errors import IntegrityError, WatchkeepError
from pipeline.vault.disk import make_folder, write_once, writing
from pipeline.vault.head import SignedHead

_NAMES = "checkpoint-*.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A checkpoint whose signature was checked, and where it lies."""

    path: Path
    checkpoint: Checkpoint


class SecondPlace:
    """Checkpoints in `folder`, checked with the key of `head`."""

    def __init__(self, folder: Path, head: SignedHead) -> None:
        self.folder = folder
        self._head = head

    def read(self) -> tuple[list[Kept], list[str]]:
        """The checkpoints from the shortest to the longest, and a sentence for each file that is none of this log's."""
        kept: dict[int, Kept] = {}
        older: dict[int, Path] = {}
        problems = []
        for path in sorted(self.folder.glob(_NAMES)):
            try:
                published = read_published(path.read_bytes().decode())
                checkpoint = self._head.checkpoint(published.note)
                if path != self._path(checkpoint.size):
                    raise ValueError
            except (ValueError, IntegrityError):
                problems.append(f"{path} was changed, or is of another log: its checkpoint vouches for nothing")
                continue
            kept[checkpoint.size] = Kept(path=path, checkpoint=checkpoint)
            older[published.older] = path
        for size in sorted(older.keys() - kept.keys() - {0}):
            problems.append(f"{self._path(size)} is gone: {older[size].name} goes on from it")
        return [kept[size] for size in sorted(kept)], problems

    def add(self, published: Published, size: int) -> Path:
        """Keep a checkpoint, durably; WatchkeepError if one of this size lies there already."""
        path = self._path(size)
        make_folder(self.folder)
        try:
            write_once(path, writing(published.text().encode()))
        except FileExistsError:
            raise WatchkeepError(f"{path} exists, and a checkpoint is never overwritten: name another folder") from None
        return path

    def _path(self, size: int) -> Path:
        return self.folder / f"checkpoint-{size:012}.txt"
