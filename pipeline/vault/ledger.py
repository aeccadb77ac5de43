"""The destruction ledger: which keys were destroyed, for ever.

A text file with one line a key, each holding the digest of the line before; appended and fsynced, never rewritten. It
lies outside catalog, vault and key files, so that restoring an old copy of those cannot bring a destroyed key back. How
long it is at least, its head, is kept in the master folder: an old copy of the ledger is refused, too. Refuses to know
what the keys sealed.
"""

from __future__ import annotations

import hmac
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipeline.core.errors import IntegrityError
from pipeline.vault.canonical import canonical, leaf_hash
from pipeline.vault.disk import make_folder, replace, sync_folder, write_at, write_once, writing
from pipeline.vault.epoch import RESTORE, MasterEpoch

_LINE = re.compile(
    rb'\{"digest":"([0-9a-f]{64})",("key":"([a-z0-9-]+)","number":([1-9][0-9]*),"previous":"([0-9a-f]{64}|)"\})\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHead:
    """A ledger of `number` lines that ends with `digest` ("" if it has none); it names no key and may be published."""

    number: int
    digest: str


EMPTY = LedgerHead(number=0, digest="")


class KeptHead:
    """The head in the master folder, under a MAC; IntegrityError if it is gone or was changed."""

    def __init__(self, epoch: MasterEpoch) -> None:
        self._path = epoch.head_file
        self._epoch = epoch

    def found(self, head: LedgerHead) -> None:
        """Make the file; one that is there stays as it is."""
        with suppress(FileExistsError):
            write_once(self._path, writing(self._body(head)))

    def read(self) -> LedgerHead:
        """The head as it was last kept."""
        try:
            body = self._path.read_bytes()
            held = json.loads(body)
            head = LedgerHead(number=int(held["number"]), digest=str(held["digest"]))
        except FileNotFoundError as error:
            raise IntegrityError(f"{self._path} is gone: {RESTORE}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"{self._path} was changed: {RESTORE}") from error
        if not hmac.compare_digest(body, self._body(head)):
            raise IntegrityError(f"{self._path} was changed, or is of another master key: {RESTORE}")
        return head

    def advance(self, head: LedgerHead) -> None:
        """Keep a later head, durably."""
        replace(self._path, self._body(head))

    def _body(self, head: LedgerHead) -> bytes:
        said: dict[str, object] = {"number": head.number, "digest": head.digest}
        return canonical({**said, "mac": self._epoch.mac("watchkeep/ledger-head/1", canonical(said))})


class DestructionLedger:
    """`path` as read so far. Other processes may append: `refresh` before asking, and append only under a lock.

    Raises IntegrityError if a line was changed, if lines that were read have gone, or if it lacks lines of the kept
    head. Without `kept` it only reads what is there. It remembers every id, about 150 bytes of memory each.
    """

    def __init__(self, path: Path, kept: KeptHead | None = None) -> None:
        self._path = path
        self._kept = kept
        self._least = kept.read() if kept else EMPTY
        self._destroyed: dict[str, None] = {}
        self._read = 0
        self._previous = ""
        self.refresh()
        if len(self._destroyed) < self._least.number:
            raise IntegrityError(
                f"destruction ledger {path} lost lines, {len(self._destroyed)} of {self._least.number} are there: "
                "it is an old copy; restore the newest, or destroyed keys come back"
            )

    def __contains__(self, key_id: str) -> bool:
        self.refresh()
        return key_id in self._destroyed

    def ids(self, since: int = 0) -> list[str]:
        """The destroyed keys in the order of their destruction, from the line after number `since` on."""
        self.refresh()
        return list(self._destroyed)[since:]

    def head(self) -> LedgerHead:
        """How long the ledger is, and its last digest."""
        self.refresh()
        return LedgerHead(number=len(self._destroyed), digest=self._previous)

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
        said = _LINE.fullmatch(raw)
        if (
            said is None
            or said[1].decode() != sha256(b"\0{" + said[2]).hexdigest()  # the leaf hash of the line without it
            or (int(said[4]), said[5].decode()) != (number, self._previous)
            or (number == self._least.number and said[1].decode() != self._least.digest)
        ):
            raise IntegrityError(f"destruction ledger {self._path} line {number} was changed: restore the ledger")
        self._destroyed[said[3].decode()] = None
        self._previous = said[1].decode()
        self._read += len(raw)

    def append(self, key_ids: Iterable[str]) -> None:
        """Those not in it yet, with one fsync, durable before it returns; or OSError, and none. The lock is held."""
        head = self.head()
        number, previous, lines = head.number, head.digest, []
        for key_id in dict.fromkeys(key_ids):
            if key_id in self._destroyed:
                continue
            number += 1
            line: dict[str, object] = {"key": key_id, "number": number, "previous": previous}
            previous = line["digest"] = leaf_hash(canonical(line))
            lines.append(canonical(line) + b"\n")
        if lines:
            self._write(b"".join(lines))
            self.refresh()
        self.keep_head()

    def _write(self, body: bytes) -> None:
        if fresh := not self._path.exists():
            make_folder(self._path.parent)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # A crash may have left half a line: its key was never touched, so the half line goes.
            os.ftruncate(handle, self._read)
            os.posix_fallocate(handle, self._read, len(body))  # room for all of it, before anybody sees a line of it
            write_at(handle, self._read, body)
            os.fsync(handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, self._read)
            raise
        finally:
            os.close(handle)
        if fresh:
            sync_folder(self._path.parent)

    def keep_head(self) -> None:
        """Bring the kept head up to the ledger; a crash may have left it behind."""
        if self._kept is not None and (head := self.head()) != self._least:
            self._kept.advance(head)
            self._least = head
