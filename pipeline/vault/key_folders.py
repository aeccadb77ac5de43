"""The folders of a key store: one for each epoch, of which the newest counts.

A renewal builds the next folder beside the current one under another name, and the renaming is the moment it counts;
then the epoch goes forward, and the old folder is overwritten. What a crash left undone is done when the store is next
opened or written to. Refuses to know what the keys are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.vault.disk import PART, locked, make_folder, shred, sync_folder
from pipeline.vault.epoch import RESTORE, Epoch, MasterEpoch
from pipeline.vault.key_slots import KeySlots, in_order, wipe
from pipeline.vault.kit import renew_kit
from pipeline.vault.ledger import DestructionLedger, KeptHead

_NUMBER = re.compile(r"0|[1-9][0-9]{0,5}")
_FRESH = re.compile(r"\.[0-9]+\.new")


def begin(root: Path, epoch: MasterEpoch, ledger: Path) -> bool:
    """Make the epoch and the ledger's head for the store in `root`, if there are none; True if it did.

    Raises ConfigError, and makes nothing, where keys are locked under an epoch that is gone, or under another master.
    """
    if epoch.founded:
        return False
    make_folder(epoch.path.parent)
    with locked(epoch.lock_file):
        if epoch.founded:  # by another process meanwhile
            return False
        if _numbers(root):
            raise ConfigError(f"{epoch.path} is missing but {root} holds keys that are locked under it: {RESTORE}")
        _prove_old(root, epoch)
        KeptHead(epoch).found(DestructionLedger(ledger).head())  # before the epoch: where that is, a head is missed
        epoch.found()
        return True


def opens(root: Path, epoch: Epoch, master: bytes) -> str:
    """The id of one living key that is opened by `master` in `epoch` or later, "" if no key lives; nothing is changed.

    Raises ConfigError if they do not open the store in `root`, or there is none.
    """
    if not (numbers := _numbers(root)):
        raise ConfigError(f"{root} holds no keys to prove it on: scan once, or restore the keys folder first")
    newest = max(numbers)
    if newest < epoch.number:
        raise ConfigError(f"{root} is of epoch {newest} and this is of epoch {epoch.number}: the folder is an old copy")
    with locked(root / "lock"):
        slots = KeySlots(root / str(newest), epoch.at(newest).lock(master))
        slots.prove()
        return next((key_id for key_id, _ in slots.unlocked(without=())), "")


class KeyFolders:
    """The folders in `root`, and the epoch of their locks."""

    def __init__(self, root: Path, epoch: MasterEpoch) -> None:
        self._root = root
        self._epoch = epoch
        self._now: tuple[int, KeySlots] | None = None

    @property
    def slots(self) -> KeySlots:
        """The keys, in the folder that counted last time this process looked."""
        if self._now is None:
            self.moved()
        if self._now is None:
            raise IntegrityError(f"{self._root} holds no keys any more: restore the keys folder")
        return self._now[1]

    def moved(self) -> bool:
        """True if another folder counts since the last look: look again there. Nothing is changed."""
        epoch = self._epoch.read()  # before the folders, which only go up
        newest = max(_numbers(self._root), default=None)
        if newest is None and epoch.number == 0:
            return False
        if newest is None or newest < epoch.number:
            raise IntegrityError(
                f"{self._root} is an old copy, from before epoch {epoch.number}: nothing in it can be opened with this "
                "master key any more; restore the newest copy of the keys folder"
            )
        if self._now is not None and self._now[0] == newest:
            return False
        self._now = newest, self._at(epoch.at(newest))
        return True

    def prove(self) -> None:
        """Raises ConfigError if the master key does not open what is here."""
        if self.moved():
            self.slots.prove()
        else:
            _prove_old(self._root, self._epoch)

    def settle(self, ledger: DestructionLedger) -> None:
        """Bring folders, epoch and kit to one state. The caller holds the store's lock."""
        self.moved()
        if self._now is None:
            self._switch(self._epoch.read(), self._old_keys(ledger), ledger)
        number = self._number()
        left = self._leftovers(number)
        if left or number > self._epoch.read().number:
            self.slots.prove()  # an epoch that went forward never comes back
            self._epoch.advance(number)
            renew_kit(self._epoch, ledger.head())
            for path in left:  # last: while it is there, the rest may not be done
                wipe(path) if path.is_dir() else shred(path)
            sync_folder(self._root)

    def renew(self, ledger: DestructionLedger) -> None:
        """Lock every living key under the next epoch. The caller holds the store's lock."""
        self.settle(ledger)
        now = self._epoch.read()
        self._switch(now.at(now.number + 1), self.slots.unlocked(without=frozenset(ledger.ids())), ledger)
        self.settle(ledger)

    def _switch(self, epoch: Epoch, keys: Iterator[tuple[str, bytes]], ledger: DestructionLedger) -> None:
        fresh = self._root / f".{epoch.number}.new"
        if fresh.exists():
            wipe(fresh)
        KeySlots(fresh, self._epoch.lock(epoch)).fill(keys, replayed=ledger.head().number)
        fresh.rename(self._root / str(epoch.number))
        sync_folder(self._root)
        self.moved()

    def _at(self, epoch: Epoch) -> KeySlots:
        return KeySlots(self._root / str(epoch.number), self._epoch.lock(epoch))

    def _number(self) -> int:
        if self._now is None:
            raise IntegrityError(f"{self._root} holds no keys any more: restore the keys folder")
        return self._now[0]

    def _leftovers(self, number: int) -> list[Path]:
        old = [self._root / str(n) for n in _numbers(self._root) if n != number]
        fresh = [p for p in self._root.iterdir() if _FRESH.fullmatch(p.name)]
        return [*old, *fresh, *(p for p in (self._root / "live", self._root / "proof") if p.exists())]

    def _old_keys(self, ledger: DestructionLedger) -> Iterator[tuple[str, bytes]]:
        """The keys of a store from before there were epochs: one a file, under a lock of their own."""
        live, lock, gone = self._root / "live", self._epoch.first_lock(), frozenset(ledger.ids())
        names = [p.name for p in live.iterdir() if not p.name.endswith(PART)] if live.exists() else []
        for key_id in in_order(names):
            if key_id not in gone:
                yield key_id, lock.unlock(f"key {key_id}", (live / key_id).read_bytes())


def _prove_old(root: Path, epoch: MasterEpoch) -> None:
    proof = root / "proof"
    if not proof.exists():
        return
    try:
        epoch.first_lock().unlock("proof", proof.read_bytes())
    except IntegrityError as error:
        raise ConfigError(
            f"the master key does not open the keys in {root}: give the master key they were made with"
        ) from error


def _numbers(root: Path) -> list[int]:
    return [int(p.name) for p in root.iterdir() if _NUMBER.fullmatch(p.name)] if root.exists() else []
