"""The epoch of the master key: a chain value that only goes forward, so that an old copy of the keys opens no more.

The lock of the key store is made from the master key and the chain value of its epoch, and the next value from this
one, by a function that cannot be turned back. Whoever holds the master key and the value of today opens the keys of
today and of every later day, and of no earlier one. The value lies beside the master key and is overwritten when the
epoch ends. Refuses to know what is locked.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.errors import ConfigError
from pipeline.vault.canonical import canonical
from pipeline.vault.disk import locked, make_folder, supersede, superseded, write_once, writing
from pipeline.vault.master import KEY_BYTES, Lock, check_key, derive

LAST_EPOCH = 999_999
"""As far as the chain is followed: a renewal every hour for a century."""
RESTORE = "restore it from its backup, or with `watchkeep keys restore-kit FILE`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One link of the chain; its text shows no secret."""

    number: int
    chain: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.number <= LAST_EPOCH or len(self.chain) != KEY_BYTES:
            raise ValueError(f"not an epoch: {self}")

    def at(self, number: int) -> Epoch:
        """This epoch or a later one; ValueError for an earlier one, which nobody can compute."""
        if number < self.number:
            raise ValueError(f"epoch {number} is before {self.number}")
        chain = self.chain
        for _ in range(number - self.number):
            chain = derive(chain, "watchkeep/epoch/1")
        return Epoch(number=number, chain=chain)

    def lock(self, root: bytes) -> Lock:
        """What locks every key of a store in this epoch."""
        return Lock(derive(root, "watchkeep/key-store/2", salt=self.chain))


class MasterEpoch:
    """`path`, which holds the epoch, and the 32-byte master key `root`; the folder of `path` is the master folder.

    Beside it lie the head of the destruction ledger, and a recovery kit as long as nobody took it away. Raises
    ConfigError for a master key of the wrong size, or an epoch that is gone or unreadable.
    """

    def __init__(self, path: Path, root: bytes) -> None:
        check_key(root, "master key")
        self.path = path
        self._root = root

    @property
    def founded(self) -> bool:
        """True once there is an epoch."""
        return self.path.exists()

    @property
    def head_file(self) -> Path:
        """Where the head of the destruction ledger lies."""
        return self.path.with_name("ledger-head")

    @property
    def kit_file(self) -> Path:
        """Where the first recovery kit lies."""
        return self.path.with_name("recovery-kit.txt")

    @property
    def lock_file(self) -> Path:
        """Held while files of the master folder are made, or what a crash left of them is removed."""
        return self.path.with_name("lock")

    def tidy(self) -> None:
        """Remove what a crash left in the master folder. The caller holds the key store's lock."""
        make_folder(self.path.parent)
        with locked(self.lock_file):
            for path in (self.path, self.head_file, self.kit_file):
                superseded(path)

    def found(self, first: Epoch | None = None) -> None:
        """Make the file, at epoch 0 unless given. The caller holds `lock_file`."""
        write_once(self.path, writing(_body(first or Epoch(number=0, chain=secrets.token_bytes(KEY_BYTES)))))

    def read(self) -> Epoch:
        """The epoch as the file has it now."""
        try:
            held = json.loads(self.path.read_bytes())
            return Epoch(number=held["number"], chain=bytes.fromhex(held["chain"]))
        except FileNotFoundError as error:
            raise ConfigError(f"{self.path} is missing: {RESTORE}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{self.path} is damaged: move it away, and {RESTORE}") from error

    def lock(self, epoch: Epoch) -> Lock:
        """The lock of the key store in `epoch`."""
        return epoch.lock(self._root)

    def first_lock(self) -> Lock:
        """The lock of stores that were made before there were epochs."""
        return Lock(derive(self._root, "watchkeep/key-store/1"))

    def mac(self, purpose: str, body: bytes) -> str:
        """HMAC-SHA256 hex of `body` under a key of its own made from the master key, whatever the epoch."""
        return hmac.new(derive(self._root, purpose), body, "sha256").hexdigest()

    def advance(self, number: int) -> None:
        """Go forward to `number`; the value before is overwritten. The caller holds the key store's lock."""
        superseded(self.path)
        if (now := self.read()).number < number:
            supersede(self.path, _body(now.at(number)))


def master_epoch_beside(keys: Path, root: bytes) -> MasterEpoch:
    """The epoch of a keys folder whose master folder lies beside it, under its name with -master."""
    return MasterEpoch(keys.with_name(keys.name + "-master") / "epoch", root)


def _body(epoch: Epoch) -> bytes:
    return canonical({"number": epoch.number, "chain": epoch.chain.hex()})
