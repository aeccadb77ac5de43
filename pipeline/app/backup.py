"""Backups of an installation and their way back, as plain JSON values.

A backup holds catalog, vault files and accounts, and no key. Ordinary recordings are not in it: they have a life of
their own, and what was deleted of them must not come back from here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.app.look import open_vault
from pipeline.app.people import anybody, folder_of
from pipeline.core.clock import utc_parse
from pipeline.core.errors import BusyError, ConfigError
from pipeline.people.database import FILE as PEOPLE
from pipeline.people.database import alone, copy
from pipeline.recordings.lock import HomeLock
from pipeline.vault.backup import Backup, copy_keys
from pipeline.vault.destroy import Destroyer
from pipeline.vault.disk import make_folder, sync_file, sync_folder
from pipeline.vault.head import SignedHead
from pipeline.vault.keys import open_keys
from pipeline.vault.restore import Living, Prepared, Restore, prepare

KEYS_KEPT_DAYS = 30
"""A copy of the keys outlives what was erased since by so long at most, if it is destroyed when we say."""

Say = Callable[[str], None]


def backup(home: Home, to: Path, *, keys: Path | None, say: Say) -> dict[str, Any]:
    """Copy catalog, vault and accounts into the fresh folder `to`, and the keys into `keys`, far from it.

    `problems` holds a sentence for each vault file that is not what was sealed; the others were copied all the same.
    """
    installation = Installation.open(home)
    to, keys = to.expanduser().absolute(), keys and keys.expanduser().absolute()
    _refuse_nested(installation.home, to, keys)
    with open_vault(installation) as vault:
        with _people_alone(installation):
            taking = Backup(vault.parts, to, by=actor())
            taking.catalog()
            _copy_people(installation, to / "people")
        taken = taking.files(say)
        told = {
            "backup": str(to),
            "at": taken.at,
            "entries": taken.entries,
            "files": taken.files,
            "size": taken.size,
            "problems": list(taken.problems),
            "keys": str(keys or ""),
        }
        if keys is None:
            return {**told, "warnings": ["without the keys folder nothing in it opens: back that up elsewhere"]}
        copy_keys(vault.parts, installation.home.keys, installation.home.keys / "vault", keys)
    return {**told, "warnings": _of_keys(to, keys)}


def _of_keys(to: Path, keys: Path) -> list[str]:
    words = (
        f"evidence that is erased from now on can be opened from {keys} together with the master key of its epoch for "
        f"as long as both are kept: destroy it right after the next applied sweep, within {KEYS_KEPT_DAYS} days at most"
    )
    same = f"{to} and {keys} lie on one disk: who takes it has evidence and keys; take one of them elsewhere"
    return [words, *([same] if to.stat().st_dev == keys.stat().st_dev else [])]


def _refuse_nested(home: Home, to: Path, keys: Path | None) -> None:
    ours = [home.root, home.keys, home.master]
    for new, others in ((to, ours), (keys, [*ours, to])):
        for other in others if new else ():
            one, two = Path(os.path.realpath(new or to)), Path(os.path.realpath(other))
            if one.is_relative_to(two) or two.is_relative_to(one):
                raise ConfigError(
                    f"{new} and {other} lie in one another: evidence, keys and copies lie apart, name another"
                )


@contextmanager
def _people_alone(installation: Installation) -> Iterator[None]:
    if not anybody(installation):
        yield
        return
    with alone(folder_of(installation)):
        yield


def _copy_people(installation: Installation, to: Path) -> None:
    if anybody(installation):
        make_folder(to)
        copy(folder_of(installation), to / PEOPLE)
        sync_file(to / PEOPLE)
        sync_folder(to)


def drill(home: Home, folder: Path, *, say: Say) -> dict[str, Any]:
    """Prove that the backup in `folder` could be restored now: done whole in a folder of its own, then thrown away.

    Every record is opened, in memory alone. The home is not touched; `problems` holds a sentence for each wrong place.
    """
    installation = Installation.open(home)
    living = _living(installation)
    with _scratch(installation.home.root) as scratch:
        found = prepare(folder.expanduser().absolute(), scratch, living, by=actor(), progress=say)
    state = "not whole" if found.found.problems else "whole"
    return {"state": state, **_told(folder, found), "summary": f"{state}: {_counted(found)}"}


def _told(folder: Path, found: Prepared) -> dict[str, Any]:
    first, last = (found.lost.first, found.lost.last) if found.lost else (0, 0)
    return {
        "backup": str(folder),
        "at": found.backup,
        "problems": list(found.found.problems),
        "incidents": found.found.incidents,
        "files": found.found.files,
        "records": found.found.records,
        "opened": found.found.records - found.found.destroyed,
        "destroyed_since": list(found.destroyed),
        "entries": found.restored.sequence,
        "lost_from": first,
        "lost_to": last,
    }


def _counted(found: Prepared) -> str:
    seen = found.found
    words = f"backup of {found.backup}, {seen.incidents} incidents, {seen.records} records in {seen.files} files, "
    words += f"{seen.records - seen.destroyed} opened; {len(found.destroyed)} incidents were destroyed since"
    if found.lost:
        words += f"; entries {found.lost.first} to {found.lost.last} of the audit chain are not in it"
    return words


def _living(installation: Installation) -> Living:
    home = installation.home
    for path in (home.keys / "vault" / "audit" / "signing.key", home.keys / "installation.key", home.epoch_file):
        if not path.exists():
            raise ConfigError(f"{path} is missing: bring keys folder and master folder back first, then the backup")
    found = installation.secrets()
    return Living(
        keys=open_keys(home.keys / "vault", installation.epoch()),
        head=SignedHead(home.keys / "vault" / "audit", found.master),
        installation_key=found.installation,
        clock=installation.clock,
    )


@contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    """A folder beside the home for one drill at a time; what a killed one left is removed first."""
    place = root.with_name(f".{root.name}.drill")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another drill is under way in {place}: wait until it ends") from None
        for left in place.iterdir():
            shutil.rmtree(left)
        try:
            work = place / "home"
            work.mkdir(mode=0o700)
            yield work
        finally:
            shutil.rmtree(place)
    finally:
        os.close(handle)


def restore(home: Home, folder: Path, *, older: bool, damaged: bool, say: Say) -> dict[str, Any]:
    """Put the backup in `folder` in the place of catalog, vault and accounts, which are moved aside.

    Destruction is paused until two people confirmed the holds. Given again after a crash, it goes on.
    """
    installation = Installation.open(home)
    root = installation.home.root
    living = _living(installation)
    make_folder(root)
    with HomeLock(installation.home.lock, at=installation.clock.now()):
        work = Restore(root, living)
        by = actor()
        going, found = work.begin(folder.expanduser().absolute(), by=by, older=older, damaged=damaged, progress=say)
        aside = work.finish(going, lambda: _look_again(installation, going.backup))
        with installation.vault() as vault:
            done = Destroyer(vault.parts).resume(actor=by)
    told = _told(folder, found) if found else {"backup": str(folder), "at": going.backup, "entries": going.restored}
    lost = f"entries {going.first} to {going.lost} of the audit chain are lost; " if going.first else ""
    return {
        "state": "restored",
        **told,
        "unlinked": list(done.files),
        "replaced": str(aside) if any(aside.iterdir()) else "",
        "summary": f"restored the backup of {going.backup}; {lost}destruction is paused until two people confirmed "
        f"every hold: `watchkeep sweep --apply --as NAME` asks them",
    }


def _look_again(installation: Installation, since: str) -> None:
    """What was scanned since is scanned again: its incidents went lost."""
    if installation.home.recordings.exists():
        ledger = installation.ledger()
        try:
            ledger.look_again(utc_parse(since))
        finally:
            ledger.close()
