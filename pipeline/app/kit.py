"""The recovery kit of an installation: written, proved on its keys folder, and used when the master folder is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.app.compose import Installation
from pipeline.app.home import Home, master_from_environment
from pipeline.core.clock import utc_parse, utc_text
from pipeline.core.errors import ConfigError
from pipeline.vault.canonical import canonical
from pipeline.vault.disk import locked, make_folder, replace, write_new, write_once, writing
from pipeline.vault.epoch import MasterEpoch
from pipeline.vault.key_folders import opens
from pipeline.vault.keys import open_keys, store_of
from pipeline.vault.kit import Kit, first_kit, kit_of, kit_text, read_kit
from pipeline.vault.ledger import KeptHead


def write_kit(home: Home, to: Path | None) -> dict[str, Any]:
    """Write the kit of today into a new file `to`, or into the master folder where the first one lay.

    Raises ConfigError if `to` exists, or lies with the keys or the evidence.
    """
    installation = Installation.open(home)
    found, master = installation.home, installation.secrets().master
    root = None if master_from_environment() else master
    epoch = MasterEpoch(found.epoch_file, master)
    if to is None:
        to = epoch.kit_file
        first_kit(epoch, root)
    else:
        for folder in (found.root, found.keys):
            if to.resolve().is_relative_to(folder.resolve()):
                raise ConfigError(f"{to} lies in {folder}, and a kit opens what is there: name a file elsewhere")
        try:
            write_new(to, kit_text(kit_of(epoch, root)).encode())  # a stick may know no links
        except FileExistsError:
            raise ConfigError(f"{to} exists: name a new file") from None
    kit = read_kit(to)
    return {"file": str(to), "epoch": kit.epoch.number, "master_key": "in it" if kit.root else "apart"}


def prove_kit(home: Home, file: Path) -> dict[str, Any]:
    """Prove that the kit in `file` alone opens the keys folder, and note the day for `doctor`.

    Raises ConfigError if it does not, or if it lies in the folder that it is to replace.
    """
    installation = Installation.open(home)
    found, kit = installation.home, read_kit(file)
    if file.resolve().is_relative_to(found.master.resolve()):
        raise ConfigError(f"{file} would be lost with {found.master}: keep a copy elsewhere, and test that one")
    opened = opens(store_of(found.keys / "vault"), kit.epoch, _master_of(kit))
    at = utc_text(installation.clock.now())
    make_folder(found.master)
    replace(_tested(found), canonical({"at": at, "epoch": kit.epoch.number}))
    return {"file": str(file), "epoch": kit.epoch.number, "keys": "one opened" if opened else "none yet", "at": at}


def restore_kit(home: Home, file: Path) -> dict[str, Any]:
    """Make what is missing in the master folder from the kit in `file`, and open the keys with it.

    Raises ConfigError if nothing is missing, if the kit does not open the keys folder, or another master key is there.
    """
    found, kit = Installation.open(home).home, read_kit(file)
    master = _master_of(kit)
    epoch = MasterEpoch(found.epoch_file, master)
    if found.master_file.exists() and found.master_file.read_bytes() != master:
        raise ConfigError(f"{found.master_file} is another master key than the kit's: move it away first")
    wanted = [*([] if master_from_environment() else [found.master_file]), epoch.head_file, epoch.path]
    missing = [path for path in wanted if not path.exists()]
    if not missing:
        raise ConfigError(f"nothing is missing in {found.master}: the kit is for when it is lost")
    opens(store_of(found.keys / "vault"), kit.epoch, master)
    make_folder(found.master)
    with locked(epoch.lock_file):
        if found.master_file in missing:
            write_once(found.master_file, writing(master))
        KeptHead(epoch).found(kit.head)
        if epoch.path in missing:
            epoch.found(kit.epoch)
    open_keys(found.keys / "vault", epoch)  # goes forward to the epoch of the keys, and looks at the ledger
    return {"restored": [str(path) for path in missing], "epoch": epoch.read().number}


def kit_checks(home: Home) -> list[tuple[str, str]]:
    """What `doctor` says: (state, words) with the states "ok", "note" and "wrong"; nothing before the first start."""
    if not home.epoch_file.exists():
        return []
    kit_file = home.master / "recovery-kit.txt"
    try:
        day = utc_parse(json.loads(_tested(home).read_bytes())["at"]).date()
        found = [("ok", f"tested on {day}")]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        where = f"copy {kit_file}" if kit_file.exists() else "write one with `watchkeep keys kit --to FILE`"
        words = (
            f"never tested: {where}, keep it apart from the keys folder, and run `watchkeep keys test-kit` on the copy"
        )
        found = [("note", words)]
    if kit_file.exists() and not home.master_file.exists() and b"root-1" in kit_file.read_bytes():
        found.append(("wrong", f"{kit_file} holds the master key, which was taken away from here: take it away, too"))
    return found


def _tested(home: Home) -> Path:
    return home.master / "kit-tested"


def _master_of(kit: Kit) -> bytes:
    """The master key that is kept apart, or the one on the sheet."""
    if (master := master_from_environment() or kit.root) is None:
        raise ConfigError("the master key is not on this kit: give it as WATCHKEEP_MASTER_KEY")
    return master
