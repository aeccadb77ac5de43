"""The audit log for people: is it whole, a checkpoint at a second place, an export, and the key to check them with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.app.look import open_vault
from pipeline.app.people import authenticate
from pipeline.core.chain import key_name
from pipeline.core.checkpoint import Checkpoint, note_key
from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.export import verifier
from pipeline.export.audit_log import export_log
from pipeline.vault.log import Log


def verify(home: Home, *, checkpoints: Path | None) -> dict[str, Any]:
    """Hold the chain against its head and every checkpoint of the settings' folder and of `checkpoints`.

    `problems` holds a sentence for each wrong place; nothing is written. Raises ConfigError where nothing was sealed.
    """
    installation = Installation.open(home)
    with open_vault(installation) as vault:
        found = Log(vault.parts).check(_places(installation, checkpoints))
    words = f"{found.entries} entries, checkpoints elsewhere: {found.checkpoints}"
    if found.checkpoints:
        words += f", which vouch for entries 1 to {found.covered}"
    else:
        words += "; make one with `watchkeep audit checkpoint --to DIR`"
    if found.strays:
        words += f"; {found.strays} more vouch for entries that went lost in a restore"
    state = "broken" if found.problems else "whole"
    return {
        "state": state,
        "problems": list(found.problems),
        "lost": list(found.lost),
        "entries": found.entries,
        "checkpoints": found.checkpoints,
        "covered": found.covered,
        "summary": f"{state}: {words}",
    }


def verify_file(path: Path, key: str, *, certificate: bool, checkpoints: Path | None) -> dict[str, Any]:
    """Check an export or a certificate with nothing but the public key (hex); no installation is looked at."""
    known = verifier.public_key(key)
    try:
        if certificate:
            found = verifier.verify_certificate(path, known)
        else:
            found = verifier.verify_export(path, known, checkpoints=checkpoints)
    except IntegrityError as error:
        return {"state": "broken", "problems": [str(error)], "summary": f"broken: {path}"}
    return {
        "state": "whole",
        "problems": [],
        "entries": found.size,
        "at": found.at,
        "checkpoints": found.checkpoints,
        "summary": f"whole: {found.what}; the log had {found.size} entries at {found.at}",
    }


def checkpoint(home: Home, *, to: Path | None) -> dict[str, Any]:
    """Sign the log as it is; `note` is the text, `file` where it was kept ("" without a second place)."""
    installation = Installation.open(home)
    with open_vault(installation) as vault:
        folder = _second(installation, to) if to else installation.settings.audit.checkpoint_to
        signed = Log(vault.parts).checkpoint(folder, by=actor())
    return {**_signed(signed.checkpoint), "note": signed.note, "file": str(signed.path or "")}


def export(home: Home, *, to: Path, name: str | None = None) -> dict[str, Any]:
    """Write the whole log into the new file `to`; `name` is the person who takes it out."""
    installation = Installation.open(home)
    by = acting(installation, name)
    with open_vault(installation) as vault:
        signed = export_log(vault.parts, to, by=by)
    return {**_signed(signed.checkpoint), "file": str(to)}


def key(home: Home) -> dict[str, Any]:
    """The public key: hand it to outsiders by a way that they trust, once."""
    with open_vault(Installation.open(home)) as vault:
        public = vault.parts.head.public_key
    return {"key": public.hex(), "key_name": key_name(public), "note_key": note_key(public)}


def acting(installation: Installation, name: str | None) -> str:
    """Who acts: the person of this `name`, whose passphrase is asked, or the operating system's user."""
    return authenticate(installation, name).actor if name else actor()


def _signed(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "entries": checkpoint.size,
        "root": checkpoint.root.hex(),
        "at": checkpoint.at,
        "key": checkpoint.key.hex(),
        "key_name": key_name(checkpoint.key),
    }


def _places(installation: Installation, given: Path | None) -> list[Path]:
    places = [p for p in (installation.settings.audit.checkpoint_to, given) if p is not None]
    for place in places:
        if not place.is_dir():
            raise ConfigError(f"{place} is not there: checkpoints lie in it, so mount it, or make the first one")
    return list(dict.fromkeys(place.resolve() for place in places))


def _second(installation: Installation, folder: Path) -> Path:
    chosen = folder.expanduser().absolute()
    for place in (installation.home.root, installation.home.keys):
        if chosen.resolve().is_relative_to(place.resolve()):
            raise ConfigError(f"{chosen} lies in {place}, and is no second place: name a folder elsewhere")
    return chosen
