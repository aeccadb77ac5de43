"""The keys that an installation needs, made on its first use."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from pipeline.app.folders import KEY_BYTES, Home
from pipeline.core.errors import ConfigError
from pipeline.vault.epoch import MasterEpoch
from pipeline.vault.key_folders import begin
from pipeline.vault.keys import ledger_of, store_of
from pipeline.vault.kit import first_kit

__all__ = ["Home", "Secrets", "master_from_environment", "unlock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The keys of an installation, 32 bytes each. Lives in memory only; its text shows nothing."""

    master: bytes
    installation: bytes
    recordings: bytes

    def __repr__(self) -> str:
        return "Secrets(...)"


_ELSEWHERE = {
    "master": "give it as WATCHKEEP_MASTER_KEY, or bring the recovery kit: `watchkeep keys restore-kit FILE`",
    "installation": "point WATCHKEEP_KEYS at its folder",
    "recordings": "point WATCHKEEP_KEYS at its folder",
}


def unlock(home: Home) -> Secrets:
    """Read the keys, making them on a home's first use, and with them the epoch and the recovery kit.

    Raises ConfigError if keys are gone but sealed data are there: new keys would open nothing.
    """
    files = {
        "master": home.master_file,
        "installation": home.keys / "installation.key",
        "recordings": home.keys / "recordings" / "recordings.key",
    }
    store = store_of(home.keys / "vault")
    locked = home.root if home.used else store if store.exists() else None
    found: dict[str, bytes] = {}
    for name, path in files.items():
        given = master_from_environment() if name == "master" else None
        if given:
            found[name] = given
        elif path.exists():
            found[name] = _read(path)
        elif locked and (home.used or name == "master"):
            raise ConfigError(f"{path} is missing but {locked} holds sealed data: restore it, or {_ELSEWHERE[name]}")
        else:
            found[name] = _make(path)
    epoch = MasterEpoch(home.epoch_file, found["master"])
    if begin(store, epoch, ledger_of(home.keys / "vault")):
        first_kit(epoch, None if master_from_environment() else found["master"])
    return Secrets(**found)


def master_from_environment() -> bytes | None:
    """The master key that WATCHKEEP_MASTER_KEY holds, if it is set; ConfigError if it is none."""
    given = os.environ.get("WATCHKEEP_MASTER_KEY")
    return _from_hex(given) if given else None


def _read(path: Path) -> bytes:
    body = path.read_bytes()
    if len(body) != KEY_BYTES:
        raise ConfigError(f"{path} has {len(body)} bytes instead of {KEY_BYTES}: restore it from its backup")
    return body


def _from_hex(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError("WATCHKEEP_MASTER_KEY is not 64 hexadecimal digits")
    return key


def _make(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(key)
        out.flush()
        os.fsync(out.fileno())
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key
