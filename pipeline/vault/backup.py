"""A backup: the catalog as one snapshot and every vault file that it names, in a folder of its own.

Holds no key. Its manifest comes last and is signed: a folder without one is an unfinished backup. Scans and sweeps go
on meanwhile; a file that a sweep unlinked under our hands is of destroyed evidence, and is left out. Refuses to know
what else of the installation lies beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select

from pipeline.core.clock import utc_text
from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.vault.audit import chain_tip
from pipeline.vault.canonical import canonical
from pipeline.vault.catalog import FILE, read_copy
from pipeline.vault.disk import copy_new, locked, make_folder, sync_folder, write_once
from pipeline.vault.head import Head, SignedHead
from pipeline.vault.keys import store_of
from pipeline.vault.parts import Parts
from pipeline.vault.tables import evidence_file
from pipeline.vault.tables_keeping import unlinked

MANIFEST = "manifest.jsonl"
_HOME = "backup 1"
_KEYS = "copy of keys 1"
_OURS = (_HOME, _KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself: when it was taken (UTC text), and where the audit chain ended then."""

    folder: Path
    at: str
    head: Head
    files: int

    def listed(self) -> Iterator[tuple[str, str, int]]:
        """Name (relative, with slashes), sha256 and size of every file."""
        with (self.folder / MANIFEST).open("rb") as lines:
            for _ in range(self.files):
                said = json.loads(lines.readline())
                yield said["name"], said["sha256"], said["size"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was copied; `size` in bytes, `problems` a sentence for each vault file that is not what was sealed."""

    at: str
    entries: int
    files: int
    size: int
    problems: tuple[str, ...]


class Backup:
    """A backup of one vault into the folder `to`, which must be new or empty; the act is entered first."""

    def __init__(self, parts: Parts, to: Path, *, by: str) -> None:
        make_fresh(to)
        with parts.journal.act(by) as act:
            act.record("vault.backup", "vault", reason=f"to {to}")
        self._parts = parts
        self._to = to
        self._at = utc_text(parts.clock.now())
        self._size = 0
        self._count = 0
        self._problems: list[str] = []

    def catalog(self) -> None:
        """Copy the catalog: what follows is what this snapshot names."""
        make_folder(self._to / "catalog")
        self._parts.catalog.copy(self._to / "catalog" / FILE)
        sync_folder(self._to / "catalog")

    def files(self, progress: Callable[[str], None] = lambda _: None) -> Taken:
        """Copy the vault files, and finish with the manifest, which lists whatever else lies in the folder by now."""
        with read_copy(self._to / "catalog" / FILE) as tx:
            tip = chain_tip(tx)

            def write(out: BinaryIO) -> None:
                lines = Lines(out)
                for path in sorted(p for p in self._to.rglob("*") if p.is_file() and not p.name.startswith(".")):
                    self._list(lines, path.relative_to(self._to).as_posix(), *_digest(path))
                query = select(evidence_file).outerjoin(unlinked).where(unlinked.c.file_id.is_(None))
                for file in tx.execute(query.order_by(evidence_file.c.name).execution_options(yield_per=1000)):
                    self._copy(lines, file, progress)
                for folder in (*(self._to / "vault").glob("*"), self._to / "vault", self._to):
                    if folder.is_dir():
                        sync_folder(folder)
                lines.end(self._parts.head, _HOME, at=self._at, head=tip)

            write_once(self._to / MANIFEST, write)
        return Taken(
            at=self._at,
            entries=tip.sequence,
            files=self._count,
            size=self._size,
            problems=tuple(self._problems),
        )

    def _copy(self, lines: Lines, file: Any, progress: Callable[[str], None]) -> None:
        progress(f"vault file {file.name}")
        name = f"vault/{file.name}"
        make_folder((self._to / name).parent)
        try:
            with self._parts.blobs.open(file.name) as source:
                sha256, size = copy_new(source, self._to / name)
        except IntegrityError as error:
            if not self._unlinked(file.file_id):
                self._problems.append(str(error))
            return
        if sha256 != file.sha256:
            self._problems.append(f"vault file {file.name} was changed since it was sealed, and was copied as it is")
        self._list(lines, name, sha256, size)

    def _list(self, lines: Lines, name: str, sha256: str, size: int) -> None:
        lines.add(name, sha256, size)
        self._count += 1
        self._size += size

    def _unlinked(self, file_id: str) -> bool:
        with self._parts.catalog.read() as tx:
            return tx.execute(select(unlinked).where(unlinked.c.file_id == file_id)).first() is not None


class Lines:
    """The lines of a manifest as they are written."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._sha256 = hashlib.sha256()
        self._count = 0

    def add(self, name: str, sha256: str, size: int) -> None:
        """One file."""
        line = canonical({"name": name, "sha256": sha256, "size": size}) + b"\n"
        self._out.write(line)
        self._sha256.update(line)
        self._count += 1

    def end(self, signer: SignedHead, form: str, *, at: str, head: Head) -> None:
        """The last line, with the signature over all of them."""
        said: dict[str, object] = {
            "at": at,
            "digest": head.digest,
            "entries": head.sequence,
            "files": self._count,
            "format": form,
            "lines": self._sha256.hexdigest(),
        }
        self._out.write(canonical({**said, "signature": signer.sign(form, canonical(said))}) + b"\n")


def copy_keys(parts: Parts, keys: Path, vault_keys: Path, to: Path) -> int:
    """Copy the folder `keys` (the vault's are in `vault_keys` below it) into the fresh folder `to`; how many files.

    Nothing is destroyed and no key made while it is read. The master folder is apart from it and is never copied.
    """
    make_fresh(to)
    count = 0
    with locked(store_of(vault_keys) / "lock"), locked(vault_keys / "audit" / "lock"):

        def write(out: BinaryIO) -> None:
            nonlocal count
            lines = Lines(out)
            for path in sorted(p for p in keys.rglob("*") if _is_kept(p, keys)):
                name = path.relative_to(keys).as_posix()
                make_folder((to / name).parent)
                with path.open("rb") as source:
                    lines.add(name, *copy_new(source, to / name))
                count += 1
            for folder in sorted((p for p in to.rglob("*") if p.is_dir()), reverse=True):
                sync_folder(folder)
            lines.end(parts.head, _KEYS, at=utc_text(parts.clock.now()), head=parts.head.read())

        write_once(to / MANIFEST, write)
    return count


def _is_kept(path: Path, keys: Path) -> bool:
    names = path.relative_to(keys).parts
    return path.is_file() and path.name != "lock" and not any(name.startswith(".") for name in names)


def make_fresh(folder: Path) -> None:
    """Make the folder; ConfigError if something is in it already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty: a backup is never written over another one, name a new folder")
    make_folder(folder)
    folder.chmod(0o700)


def read_manifest(folder: Path, signer: SignedHead) -> Manifest:
    """What the backup in `folder` says of itself, once its signature was checked.

    Raises ConfigError if there is none or it is unfinished, IntegrityError if its list was changed or is not ours.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ConfigError(f"{folder} holds no finished backup: {MANIFEST}, which is written last, is not there")
    digest, count, last = hashlib.sha256(), 0, b""
    with path.open("rb") as lines:
        for line in lines:
            if last:
                digest.update(last)
                count += 1
            last = line
    try:
        said = json.loads(last)
        signature = said.pop("signature")
        form, whole = said["format"], (said["files"], said["lines"]) == (count, digest.hexdigest())
        head = Head(sequence=int(said["entries"]), digest=str(said["digest"]))
        found = Manifest(folder=folder, at=str(said["at"]), head=head, files=count)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{path} was changed: take another backup") from error
    if form not in _OURS:
        raise ConfigError(f"{path} has the form {form!r}, which this watchkeep does not know: update watchkeep")
    try:
        signer.prove(form, canonical(said), signature)
    except IntegrityError as error:
        raise IntegrityError(f"{path} was changed, or is of another installation than these keys") from error
    if not whole:
        raise IntegrityError(f"{path} was changed: take another backup")
    if form != _HOME:
        raise ConfigError(f"{folder} is a copy of keys: put it where the keys folder was, and restore a backup then")
    return found


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
