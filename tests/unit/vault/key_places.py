"""Key stores with their master folder beside them, for tests."""

from __future__ import annotations

import secrets
from pathlib import Path

from pipeline.vault.epoch import MasterEpoch, master_epoch_beside
from pipeline.vault.key_slots import ID_BYTES, SLOT_BYTES
from pipeline.vault.keys import FileKeyStore, open_keys
from pipeline.vault.ledger import DestructionLedger
from pipeline.vault.master import Lock, derive

MASTER = bytes(range(32))


def epoch_of(keys: Path, master: bytes = MASTER) -> MasterEpoch:
    return master_epoch_beside(keys, master)


def store_at(root: Path, master: bytes = MASTER) -> FileKeyStore:
    """The store in root/keys/store, its ledger in root/keys/ledger, its master folder in root/keys-master."""
    return open_keys(root / "keys", epoch_of(root / "keys", master))


def slots_in(store: Path) -> list[tuple[Path, int, str]]:
    """File, offset and key id of every slot under a store, whatever its folder; destroyed ones have the id ""."""
    return [
        (path, at, path.read_bytes()[at : at + ID_BYTES].rstrip(b"\0").decode())
        for path in sorted(store.rglob("*.keys"))
        for at in range(0, path.stat().st_size, SLOT_BYTES)
    ]


def slot_of(store: Path, key_id: str) -> tuple[Path, int]:
    """Where a key lies."""
    (found,) = ((path, at) for path, at, name in slots_in(store) if name == key_id)
    return found


def old_store(root: Path, *key_ids: str, destroyed: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Keys as the first releases laid them down: one a file under live/; the keys by their ids."""
    store, lock = root / "keys" / "store", Lock(derive(MASTER, "watchkeep/key-store/1"))
    (store / "live").mkdir(parents=True)
    (store / "proof").write_bytes(lock.lock("proof", b"watchkeep key store 1"))
    keys = {key_id: secrets.token_bytes(32) for key_id in key_ids}
    for key_id, key in keys.items():
        (store / "live" / key_id).write_bytes(lock.lock(f"key {key_id}", key))
    DestructionLedger(root / "keys" / "ledger" / "destroyed.jsonl").append(destroyed)
    return keys


def wrapped_under(keys: dict[str, bytes]) -> dict[str, bytes]:
    """A data key of 32 zeros wrapped under each."""
    return {key_id: Lock(key).lock(f"data key under {key_id}", bytes(32)) for key_id, key in keys.items()}
