"""Restoring a backup: unpacked, brought up to what the key store says, and proved whole, before anything counts.

A drill does all of that in a folder of its own and throws it away; a restore then puts it in the place of what is
there. Destruction is paused from the first moment on. Keys and signed head are the living ones: what was destroyed
since the backup stays destroyed. Refuses to know where an installation's folders lie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.chain import RESTORE, RESTORES, restored
from pipeline.core.errors import (
    BusyError,
    ConfigError,
    IntegrityError,
    KeyDestroyedError,
    KeyMissingError,
    WatchkeepError,
)
from pipeline.core.ports import Clock, KeyStore
from pipeline.vault.audit import Journal, behind, chain_tip, losses
from pipeline.vault.backup import Manifest, read_manifest
from pipeline.vault.blobs import FileStore
from pipeline.vault.catalog import FILE, Catalog
from pipeline.vault.disk import copy_new, make_folder
from pipeline.vault.head import Fork, Head, HeadInMemory, SignedHead
from pipeline.vault.marks import Marks
from pipeline.vault.parts import Parts
from pipeline.vault.reconcile import resume
from pipeline.vault.replacing import Going, Replacing
from pipeline.vault.verify import Verification, Verifier

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """What a restore never replaces: the keys, the signed head, the installation key; and the clock."""

    keys: KeyStore
    head: SignedHead
    installation_key: bytes
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Entries `first` to `last` of the living chain, which ends at `head`, are not in a backup."""

    first: int
    last: int
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A backup that was unpacked and looked at: when it was taken, what it holds, which entries are not in it.

    `destroyed` are incidents that were destroyed since it was taken. `found` names every problem of what is left.
    """

    backup: str
    at: str
    restored: Head
    lost: Gap | None
    destroyed: tuple[str, ...]
    found: Verification


class KeysAsTheyAre:
    """A key store (KeyStore port) that is only looked at: what is destroyed here is destroyed for this value alone."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._gone: set[str] = set()

    def create(self, key_id: str) -> None:
        """No key is made."""
        raise KeyMissingError(f"key {key_id} is not made: this store is only looked at")

    def exists(self, key_id: str) -> bool:
        """As in the store."""
        self._refuse(key_id)
        return self._keys.exists(key_id)

    def wrap(self, key_id: str, data_key: bytes) -> bytes:
        """As in the store."""
        self._refuse(key_id)
        return self._keys.wrap(key_id, data_key)

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """As in the store."""
        self._refuse(key_id)
        return self._keys.unwrap(key_id, wrapped)

    def destroy(self, *key_ids: str) -> None:
        """Treat them as destroyed from now on."""
        self._gone.update(key_ids)

    def renew(self) -> None:
        """Nothing is renewed."""

    def ids(self) -> list[str]:
        """As in the store."""
        return [key_id for key_id in self._keys.ids() if key_id not in self._gone]

    def _refuse(self, key_id: str) -> None:
        if key_id in self._gone:
            raise KeyDestroyedError(f"key {key_id} was destroyed: what it sealed is gone for ever")


def prepare(backup: Path, to: Path, living: Living, *, by: str, progress: Progress = lambda _: None) -> Prepared:
    """Make in the empty folder `to` what a restore of `backup` would make of a home, and look at all of it.

    Raises ConfigError for a folder that is no finished backup, IntegrityError for one that was changed. Every record
    is opened, in memory alone. Neither keys nor signed head are changed.
    """
    manifest = read_manifest(backup, living.head)
    _unpack(manifest, to, progress)
    head = HeadInMemory(living.head, manifest.head)
    catalog = Catalog(to / "catalog")
    try:
        with catalog.read() as tx:
            tip = chain_tip(tx)
            gap = _gap(tx, living.head, tip)
        if tip != manifest.head:
            raise IntegrityError(f"the backup in {backup} does not end where its manifest says: take another")
        parts = Parts(
            catalog=catalog,
            blobs=FileStore(to / "vault"),
            keys=KeysAsTheyAre(living.keys),
            head=head,
            journal=Journal(catalog, head, living.clock),
            installation_key=living.installation_key,
            clock=living.clock,
        )
        return _brought_up(parts, manifest, gap, by, progress)
    finally:
        catalog.close()


def _gap(tx: Connection, head: SignedHead, tip: Head) -> Gap | None:
    """What the chain that ends at `tip` lacks of the one that `head` was signed on; None if it goes on from there."""
    lost = head.read()
    if not behind(tx, lost, tip):
        return None
    told = {one.digest for one in losses(tx)}
    others = [
        fork for fork in head.forks() if fork.lost.digest not in told
    ]  # the backup may be of a chain before those
    return Gap(
        first=min(tip.sequence, *(f.restored.sequence for f in others), lost.sequence) + 1,
        last=max(lost.sequence, *(f.lost.sequence for f in others), tip.sequence),
        head=lost,
    )


def _brought_up(parts: Parts, manifest: Manifest, lost: Gap | None, by: str, progress: Progress) -> Prepared:
    reason = f"restored the backup of {manifest.at}, lost nothing"
    pause = f"restored from a backup of {manifest.at}"
    if lost is not None:
        reason = restored(manifest.at, lost.first, lost.last, lost.head.digest)
        pause += f": entries {lost.first} to {lost.last} of the audit chain are not in it"
    with parts.journal.act(by) as act:
        at = act.at
        act.record(RESTORE, RESTORES, reason=reason)
    Marks(parts).pause(f"{pause}; confirm every hold against the published audit log", by=by)
    done = resume(parts, actor=by)
    verifier = Verifier(
        catalog=parts.catalog,
        blobs=parts.blobs,
        keys=parts.keys,
        head=parts.head,
        installation_key=parts.installation_key,
    )
    return Prepared(
        backup=manifest.at,
        at=at,
        restored=manifest.head,
        lost=lost,
        destroyed=done.destroyed,
        found=verifier.verify(progress),
    )


def _unpack(manifest: Manifest, to: Path, progress: Progress) -> None:
    for name, sha256, size in manifest.listed():
        progress(f"unpacking {name}")
        if name.startswith("/") or ".." in name.split("/"):
            raise IntegrityError(f"{manifest.folder} lists {name!r}, which is no file of a backup")
        make_folder((to / name).parent)
        try:
            with (manifest.folder / name).open("rb") as source:
                copied = copy_new(source, to / name)
        except FileNotFoundError as error:
            raise IntegrityError(f"{manifest.folder / name} is gone: take another backup") from error
        if copied != (sha256, size):
            raise IntegrityError(f"{manifest.folder / name} was changed since it was backed up: take another backup")
    for name in ("vault", "people"):
        make_folder(to / name)


class Restore:
    """A restore into the folder `home`, whose lock the caller holds."""

    def __init__(self, home: Path, living: Living) -> None:
        self._home = home
        self._living = living
        self._replacing = Replacing(home)

    def begin(
        self, backup: Path, *, by: str, older: bool, damaged: bool, progress: Progress = lambda _: None
    ) -> tuple[Going, Prepared | None]:
        """Prepare it and let it count; what was cut off after it counted goes on, and then nothing is prepared.

        Raises ConfigError if the home is whole and holds all that is in the backup, unless the `older` state is wanted;
        IntegrityError if something in the backup is not whole, unless it is wanted `damaged` as it is.
        """
        if going := self._replacing.going():
            return going, None
        self._replacing.clear()
        if not older:
            self._refuse_older(read_manifest(backup, self._living.head))
        self._replacing.free()
        make_folder(self._replacing.stage)
        found = prepare(backup, self._replacing.stage, self._living, by=by, progress=progress)
        if found.found.problems and not damaged:
            self._replacing.clear()
            raise IntegrityError(
                f"the backup in {backup} is not whole ({found.found.problems[0]}): nothing was restored; take another "
                "one, or restore what is in it with --damaged"
            )
        going = _going(found, self._living.head.read())
        self._replacing.go(going)
        return going, found

    def finish(self, going: Going, then: Callable[[], None]) -> Path:
        """Let the signed head accept the restored chain, put all in its place, do `then`; where the old state lies."""
        back = Head(sequence=going.restored, digest=going.restored_digest)
        lost = Head(sequence=going.lost, digest=going.lost_digest)
        fork = Fork(at=going.at, lost=lost, restored=back) if going.first else None
        head = self._living.head
        self._replacing.free()
        if head.read() != (back if fork in head.forks() else lost):
            self._replacing.give_up()
            raise BusyError(f"{self._home} was written to meanwhile: nothing was restored, give the command again")
        if fork is not None:
            head.go_back(fork)
        aside = self._replacing.swap(going)
        then()
        self._replacing.end()
        return aside

    def _refuse_older(self, manifest: Manifest) -> None:
        there = whole_chain(self._home, self._living)
        if there is not None and there.sequence >= manifest.head.sequence:
            raise ConfigError(
                f"{self._home} is whole and its audit chain has {there.sequence} entries, the backup of {manifest.at} "
                f"has {manifest.head.sequence}: nothing was restored; --force-older takes the older state"
            )


def whole_chain(home: Path, living: Living) -> Head | None:
    """Where the audit chain of a home ends; None if its catalog cannot be read, or does not reach its signed head."""
    if not (home / "catalog" / FILE).exists():
        return None
    try:
        catalog = Catalog(home / "catalog")
        try:
            with catalog.read() as tx:
                tip, head = chain_tip(tx), living.head.read()
                sound = tx.exec_driver_sql("PRAGMA integrity_check(1)").scalar() == "ok"
                return tip if sound and tip.sequence and not behind(tx, head, tip) else None
        finally:
            catalog.close()
    except (WatchkeepError, SQLAlchemyError):
        return None


def _going(found: Prepared, head: Head) -> Going:
    lost = found.lost.head if found.lost else head
    return Going(
        backup=found.backup,
        at=found.at,
        restored=found.restored.sequence,
        restored_digest=found.restored.digest,
        lost=lost.sequence,
        lost_digest=lost.digest,
        first=found.lost.first if found.lost else 0,
        aside="replaced-" + found.at[:19].replace("-", "").replace(":", ""),
    )
