"""What tests of backups need: one taken, one drilled, one put back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.core.errors import IntegrityError, KeyDestroyedError
from pipeline.vault.backup import Backup, Taken
from pipeline.vault.destroy import Destroyer
from pipeline.vault.epoch import master_epoch_beside
from pipeline.vault.head import SignedHead
from pipeline.vault.keys import open_keys
from pipeline.vault.marks import Marks
from pipeline.vault.restore import Living, Prepared, Restore, prepare
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, agreed
from tests.unit.vault.conftest import INSTALLATION_KEY, MASTER, Place
from tests.unit.vault.sweeps import sealed_in
from tests.unit.vault.test_disclose import OPEN


def take(vault: Vault, to: Path) -> Taken:
    taking = Backup(vault.parts, to, by=BY)
    taking.catalog()
    return taking.files()


def living(place: Place) -> Living:
    return Living(
        keys=open_keys(place.keys, master_epoch_beside(place.keys, MASTER)),
        head=SignedHead(place.keys / "audit", MASTER),
        installation_key=INSTALLATION_KEY,
        clock=place.clock,
    )


def drilled(place: Place, backup: Path, scratch: Path) -> Prepared:
    scratch.mkdir(mode=0o700)
    return prepare(backup, scratch, living(place), by=BY)


def restore(
    place: Place, backup: Path, *, older: bool = False, damaged: bool = False, then: Callable[[], None] = lambda: None
) -> Prepared:
    """Put back, and brought up to what the key store says. What was cut off goes on."""
    work = Restore(place.home, living(place))
    going, found = work.begin(backup, by=BY, older=older, damaged=damaged)
    work.finish(going, then)
    with place.open() as vault:
        Destroyer(vault.parts).resume(actor=BY)
    return found or drilled(place, backup, place.root / "again")


def open_all(vault: Vault, incident_id: str) -> int:
    """How many records of it were opened."""
    opened = 0
    for record in vault.incident(incident_id).records:
        try:
            vault.open_evidence(record.record_id, **OPEN)  # type: ignore[arg-type]
            opened += 1
        except (KeyDestroyedError, IntegrityError):
            pass
    return opened


def accept(vault: Vault) -> None:
    (pause,) = Marks(vault.parts).open_pauses()
    Marks(vault.parts).end_pause(
        pause.pause_id, approval=agreed("restore.accept", {"pause": pause.pause_id}, name="a-restore"), by=BY
    )


def of(vault: Vault, category: str) -> str:
    return next(v.incident_id for v in vault.incidents() if v.category == category)


@pytest.fixture
def backup(place: Place, tmp_path: Path) -> Path:
    """Two incidents in one file and one alone, in a backup; nothing happened since."""
    with place.open() as vault:
        vault.begin_run("run-1", BY)
        sealed_in(vault, 0, "nudity", "drugs")
        sealed_in(vault, 1, "weapon")
        take(vault, tmp_path / "backup")
    return tmp_path / "backup"
