"""The signed head of the audit chain: how many entries there are, and the last one's digest.

Kept in the keys folder, apart from the catalog, and signed with Ed25519 so that a copy can be published and checked by
people who hold no secret. A chain that is shorter than its head has lost entries, unless a restore said so first and
signed it; a head behind its chain is only the trace of a crash. Refuses to know what the entries say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.core.chain import NO_DIGEST, key_name
from pipeline.core.checkpoint import Checkpoint, read_note
from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.vault.canonical import canonical
from pipeline.vault.disk import locked, make_folder, replace, write_once, writing
from pipeline.vault.master import derive, lock_secret, unlock_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A chain of `sequence` entries that ends with `digest`."""

    sequence: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A restore at `at` (UTC text): the chain that ended at `lost` goes on from `restored`; the rest of it is lost."""

    at: str
    lost: Head
    restored: Head


class SignedHead:
    """`folder`/head.json, and its signing key locked under the master key; made together at the first start.

    Raises IntegrityError if either was changed or one of the two is gone, ConfigError for a wrong master.
    """

    def __init__(self, folder: Path, master: bytes) -> None:
        make_folder(folder)
        self._path = folder / "head.json"
        self._forks_path = folder / "restores.jsonl"
        self._lock = folder / "lock"
        self._key_path = folder / "signing.key"
        kek = derive(master, "watchkeep/audit-head/1")
        with locked(self._lock):
            if not self._key_path.exists():
                self._found(kek)
            self._signer = self._load(kek)

    def _found(self, kek: bytes) -> None:
        if self._path.exists() and json.loads(self._path.read_bytes())["sequence"] != 0:
            raise IntegrityError(f"{self._key_path} is gone: restore the keys folder, without it nothing can be added")
        self._signer = Ed25519PrivateKey.generate()
        # The head first: a key without a head would look like a head that somebody removed.
        self._write(Head(sequence=0, digest=NO_DIGEST))
        write_once(self._key_path, writing(lock_secret(kek, "audit signing key", self._signer.private_bytes_raw())))

    def _load(self, kek: bytes) -> Ed25519PrivateKey:
        try:
            secret = unlock_secret(kek, "audit signing key", self._key_path.read_bytes())
        except IntegrityError as error:
            raise ConfigError(
                f"the master key does not open {self._key_path}: give the one it was made with"
            ) from error
        return Ed25519PrivateKey.from_private_bytes(secret)

    @property
    def public_key(self) -> bytes:
        """The key that everybody may have, 32 bytes: whoever holds it can check what was signed here."""
        return self._signer.public_key().public_bytes_raw()

    @property
    def key_name(self) -> str:
        """sha256 hex of the public key: the first entry of the chain names it."""
        return key_name(self.public_key)

    def note(self, checkpoint: Checkpoint) -> str:
        """The checkpoint's text with the signature of this key, which its `key` must be."""
        return checkpoint.note(self._signer.sign(checkpoint.text()))

    def checkpoint(self, note: str) -> Checkpoint:
        """What a note of this key says; IntegrityError if a byte of it is not as it was signed."""
        try:
            checkpoint, signature = read_note(note, self.public_key)
            self._signer.public_key().verify(signature, checkpoint.text())
        except (ValueError, InvalidSignature) as error:
            raise IntegrityError("the checkpoint is not one that this key signed") from error
        return checkpoint

    def sign(self, purpose: str, body: bytes) -> str:
        """The signature, in hex, of `body` for a purpose that no other text of this key has."""
        return self._signer.sign(_purposed(purpose, body)).hex()

    def prove(self, purpose: str, body: bytes, signature: str) -> None:
        """Raises IntegrityError unless this key signed `body` for that purpose."""
        try:
            self._signer.public_key().verify(bytes.fromhex(signature), _purposed(purpose, body))
        except (ValueError, InvalidSignature) as error:
            raise IntegrityError(f"{purpose}: it is not one that this installation's key signed") from error

    def read(self) -> Head:
        """The head as it was last signed; the one that a restore went back to, where nothing was added since."""
        head = self._read()
        for fork in self.forks():
            if fork.lost == head:
                head = fork.restored
        return head

    def _read(self) -> Head:
        try:
            held = json.loads(self._path.read_bytes())
            head = Head(sequence=held["sequence"], digest=held["digest"])
            self._signer.public_key().verify(bytes.fromhex(held["signature"]), _signed(head))
        except FileNotFoundError as error:
            raise IntegrityError(
                f"the head of the audit chain {self._path} is gone: restore the keys folder"
            ) from error
        except (ValueError, KeyError, TypeError, InvalidSignature) as error:
            raise IntegrityError(f"the head of the audit chain {self._path} was changed: stop and look") from error
        return head

    def forks(self) -> tuple[Fork, ...]:
        """Every restore that lost entries, in order."""
        try:
            lines = self._forks_path.read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        try:
            return tuple(self._fork(json.loads(line)) for line in lines)
        except (ValueError, KeyError, TypeError, InvalidSignature) as error:
            raise IntegrityError(f"the list of restores {self._forks_path} was changed: stop and look") from error

    def _fork(self, held: dict[str, Any]) -> Fork:
        lost, restored = (Head(sequence=held[name][0], digest=held[name][1]) for name in ("lost", "restored"))
        fork = Fork(at=held["at"], lost=lost, restored=restored)
        self._signer.public_key().verify(bytes.fromhex(held["signature"]), _signed_fork(fork))
        return fork

    def go_back(self, fork: Fork) -> None:
        """Accept, durably, that the chain goes on from `fork.restored`: this one fork, and no other shorter chain.

        Raises IntegrityError if the head is not the one that is to be lost. Doing it twice is doing it once.
        """
        with locked(self._lock):
            known = self.forks()
            if fork in known:
                return
            if self.read() != fork.lost:
                raise IntegrityError(f"the head of the audit chain {self._path} moved meanwhile: restore once more")
            body = self._forks_path.read_bytes() if known else b""
            signature = self._signer.sign(_signed_fork(fork)).hex()
            replace(self._forks_path, body + canonical({**_plain(fork), "signature": signature}) + b"\n")

    def advance(self, head: Head) -> None:
        """Sign `head`, durably; nothing happens if another process signed a later one meanwhile."""
        with locked(self._lock):
            if head.sequence > self.read().sequence:
                self._write(head)

    def _write(self, head: Head) -> None:
        replace(
            self._path,
            canonical(
                {
                    "sequence": head.sequence,
                    "digest": head.digest,
                    "public_key": self.public_key.hex(),
                    "signature": self._signer.sign(_signed(head)).hex(),
                }
            ),
        )


class HeadInMemory(SignedHead):
    """Signs as `signed` does and stands at `now`, in memory alone: for a copy of a catalog that nobody uses yet."""

    def __init__(self, signed: SignedHead, now: Head) -> None:
        self._signer = signed._signer
        self._now = now

    def read(self) -> Head:
        """Where it stands."""
        return self._now

    def forks(self) -> tuple[Fork, ...]:
        """None: the copy goes on from where it stands."""
        return ()

    def advance(self, head: Head) -> None:
        """Stand at a later head."""
        if head.sequence > self._now.sequence:
            self._now = head


def _plain(fork: Fork) -> dict[str, object]:
    lost, restored = ([head.sequence, head.digest] for head in (fork.lost, fork.restored))
    return {"at": fork.at, "lost": lost, "restored": restored}


def _signed_fork(fork: Fork) -> bytes:
    return _purposed("audit restore 1", canonical(_plain(fork)))


def _purposed(purpose: str, body: bytes) -> bytes:
    return b"watchkeep %b\0%b" % (purpose.encode(), body)


def _signed(head: Head) -> bytes:
    return b"watchkeep audit head 1\0" + canonical({"sequence": head.sequence, "digest": head.digest})
