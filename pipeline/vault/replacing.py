"""Putting a prepared catalog and vault in the place of those that are there: all of it or nothing, and never a loss.

What is to come lies ready in one folder of the home; the file `go` in it is the moment from which it counts. Until all
of it is in place nobody opens the vault; the same command goes on after a crash. What was there before is moved aside.
Refuses to know what is in the folders.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core.errors import ConfigError
from pipeline.vault.canonical import canonical
from pipeline.vault.catalog import FILE, let_go
from pipeline.vault.disk import make_folder, sync_folder, write_once, writing

STAGE = "restoring"
FOLDERS = ("catalog", "vault", "people")
_GO = "go"


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """What a restore is about: of when the backup was, when it is restored (UTC texts), and both ends of the chain.

    `first` is the number of the first entry that is lost, 0 if the chain simply goes on.
    """

    backup: str
    at: str
    restored: int
    restored_digest: str
    lost: int
    lost_digest: str
    first: int
    aside: str


def refuse_unfinished(home: Path) -> None:
    """ConfigError while a restore into `home` was cut off."""
    if (home / STAGE / _GO).exists():
        raise ConfigError(f"a restore into {home} is not finished: give the same `watchkeep restore` again, it goes on")


class Replacing:
    """The folders of one home, for the one command that holds its lock."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.stage = home / STAGE

    def going(self) -> Going | None:
        """The restore that was cut off after it counted, if there is one."""
        go = self.stage / _GO
        return Going(**json.loads(go.read_bytes())) if go.exists() else None

    def clear(self) -> None:
        """Remove what a restore that never counted left."""
        refuse_unfinished(self._home)
        if self.stage.exists():
            shutil.rmtree(self.stage)

    def free(self) -> None:
        """Raises BusyError while another process has the catalog open."""
        if (there := self._home / "catalog" / FILE).exists():
            let_go(there)

    def go(self, going: Going) -> None:
        """From now on it counts."""
        for folder in (*(p for p in self.stage.rglob("*") if p.is_dir()), self.stage):
            sync_folder(folder)
        write_once(self.stage / _GO, writing(canonical(asdict(going))))

    def swap(self, going: Going) -> Path:
        """Each folder that is not in its place yet: the old one aside, the new one in. The folder of the old ones."""
        aside = self._home / going.aside
        make_folder(aside)
        for name in FOLDERS:
            if not (self.stage / name).exists():
                continue
            if (old := self._home / name).exists():
                old.rename(_unused(aside / name))
                sync_folder(aside)
            (self.stage / name).rename(old)
            sync_folder(self._home)
            sync_folder(self.stage)
        return aside

    def give_up(self) -> None:
        """It counts no more; nothing was put in its place yet."""
        self.end()

    def end(self) -> None:
        """All is in place."""
        (self.stage / _GO).unlink()
        sync_folder(self.stage)
        shutil.rmtree(self.stage)


def _unused(path: Path) -> Path:
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found
