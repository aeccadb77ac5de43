"""An installation for the machines: the real services over stores in memory or in files, with a clock and a fuse."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from pipeline.core.errors import FencedError, IntegrityError
from pipeline.core.person import Person, Role
from pipeline.core.ports import BlobStore, KeyStore
from pipeline.custody.desk import Desk
from pipeline.recordings.ledger import Ledger
from pipeline.vault.blobs import FileStore
from pipeline.vault.catalog import Catalog
from pipeline.vault.epoch import master_epoch_beside
from pipeline.vault.keys import open_keys
from pipeline.vault.rule_sets import RuleSets
from pipeline.vault.vault import Vault
from tests.fakes.blobs import MemoryBlobStore
from tests.fakes.breaking import BreakingBlobStore, BreakingHead, BreakingKeyStore, Fuse
from tests.fakes.keys import Copy, MemoryKeyStore
from tests.machines.rulebook import CATEGORIES, VARIANTS, Variant

MASTER = bytes(range(32))
INSTALLATION_KEY = bytes(range(1, 33))
RECORDINGS_KEY = bytes(range(2, 34))

LAW = Person(
    person_id="p-ada",
    name="ada",
    roles=frozenset({Role.LEGAL, Role.LEAD, Role.REVIEWER, Role.SEVERE_REVIEWER}),
)
PRIVACY = Person(person_id="p-eve", name="eve", roles=frozenset({Role.PRIVACY_OFFICER}))
APPROVERS = ("p-bob", "p-eve")

BEGINNING = datetime(2026, 11, 22, 12, tzinfo=UTC)
PARTS = ("catalog", "vault", "keys")


class WallClock:
    """Says what it is set to, a little later at every look."""

    def __init__(self) -> None:
        self.at = BEGINNING

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@dataclass(frozen=True, kw_only=True)
class Backup:
    """Copies of the three, as they were together."""

    folder: Path
    keys: Copy | None
    blobs: dict[str, bytes] | None


class World:
    """One installation. `memory`: keys and files in fakes, SQLite in memory-backed files; else all of it on disk."""

    def __init__(self, *, memory: bool) -> None:
        base = Path("/dev/shm") if memory and Path("/dev/shm").is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix="watchkeep-machine-", dir=base))
        self.memory = memory
        self.clock = WallClock()
        self.fuse = Fuse()
        self.variant: Variant = VARIANTS[0]
        self._keys = MemoryKeyStore()
        self._blobs = MemoryBlobStore()
        self._copies = 0
        self._runs = 0
        shutil.copytree(_template(memory=memory), self.root, dirs_exist_ok=True)
        self.vault = self._open()
        self.ledger = Ledger.open(self.recordings, RECORDINGS_KEY)
        if RuleSets(self.vault.parts).current() is None:
            RuleSets(self.vault.parts).take_first("as-shipped", self.variant.text(), by="os:machine(1)")
        self.begin_run()

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def keys_folder(self) -> Path:
        return self.root / "keys"

    @property
    def recordings(self) -> Path:
        return self.root / "recordings"

    @property
    def platform(self) -> Path:
        """The platform's own disk, where ordinary content lies in the clear."""
        folder = self.root / "platform"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def desk(self) -> Desk:
        """A desk for one command."""
        return Desk(
            vault=self.vault, rules=self.variant.rules(), categories=CATEGORIES, production=False, clock=self.clock
        )

    @property
    def keys(self) -> KeyStore:
        return self.vault.parts.keys

    @property
    def blobs(self) -> BlobStore:
        return self.vault.parts.blobs

    def begin_run(self) -> str:
        """The run that seals; a new one where another took its place."""
        run_id = f"run-{self._runs}"
        try:
            self.vault.begin_run(run_id, "os:machine(1)")
        except FencedError:
            self._runs += 1
            return self.begin_run()
        return run_id

    def reopen(self) -> None:
        """The next process: nothing but what lies in the stores is known any more."""
        self.fuse.put_out()
        self.vault.close()
        self.vault = self._open()

    def close(self) -> None:
        self.vault.close()
        self.ledger.close()
        shutil.rmtree(self.root)

    def back_up(self) -> Backup:
        """Copies of catalog, vault and keys beside each other."""
        self._copies += 1
        folder = self.root / f"backup-{self._copies}"
        self.vault.close()
        shutil.copytree(self.home, folder / "home")
        shutil.copytree(self.keys_folder, folder / "keys")
        self.vault = self._open()
        memory = (self._keys.copy(), self._blobs.copy()) if self.memory else (None, None)
        return Backup(folder=folder, keys=memory[0], blobs=memory[1])

    def bring_back(self, old: Backup, *parts: str, newest: bool = False) -> None:
        """Put copies in the place of `parts` and open again; an old vault is laid over the one that is there.

        Raises IntegrityError where the stores refuse the copy; nothing is open then. `newest` puts back what an old
        copy was tried in the place of.
        """
        self.vault.close()
        if "catalog" in parts:
            _replaced(self.home / "catalog", old.folder / "home" / "catalog")
        if "keys" in parts:
            _replaced(self.keys_folder, old.folder / "keys")
        if "vault" in parts:
            if old.blobs is not None:
                self._blobs.lay_over(old.blobs)
            else:
                shutil.copytree(old.folder / "home" / "vault", self.home / "vault", dirs_exist_ok=True)
        if newest and self.memory:
            self._keys.put_back(old.keys)
        elif "keys" in parts and old.keys is not None:
            self._keys.bring_back(old.keys)
            if set(self._keys.ids()) != set(old.keys.keys):
                raise IntegrityError("the ledger of destroyed keys is longer than the copy's")
        self.vault = self._open()

    def grep(self, needles: dict[bytes, str]) -> list[str]:
        """Where in the state of the installation one of `needles` lies in the clear."""
        found = []
        folders = [self.home, self.keys_folder, self.recordings, self.keys_folder.with_name("keys-master")]
        bodies = [(str(p), p.read_bytes()) for f in folders for p in f.rglob("*") if p.is_file()]
        bodies += self._blobs.copy().items()
        for name, body in bodies:
            found += [f"{what} in {name}" for needle, what in needles.items() if needle in body]
        return found

    def digest(self) -> dict[str, bytes]:
        """Every byte of catalog, vault and keys, by name."""
        folders = [self.home, self.keys_folder]
        files = {str(p): p.read_bytes() for f in folders for p in sorted(f.rglob("*")) if p.is_file()}
        return {**files, **self._blobs.copy(), **self._keys.copy().keys}

    def _open(self) -> Vault:
        keys: KeyStore = self._keys
        blobs: BlobStore = self._blobs
        if not self.memory:
            keys = open_keys(self.keys_folder, master_epoch_beside(self.keys_folder, MASTER))
            blobs = FileStore(self.home / "vault")
        head = BreakingHead(self.keys_folder / "audit", MASTER)
        head.fuse = self.fuse
        return Vault(
            catalog=Catalog(self.home / "catalog"),
            blobs=BreakingBlobStore(blobs, self.fuse),
            keys=BreakingKeyStore(keys, self.fuse),
            head=head,
            installation_key=INSTALLATION_KEY,
            clock=self.clock,
        )


def _replaced(folder: Path, copy: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


@lru_cache
def _template(*, memory: bool) -> Path:
    """An installation in which nothing happened: its tables take longer to make than an example of the machine."""
    root = Path(tempfile.mkdtemp(prefix="watchkeep-template-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    world = World.__new__(World)
    world.root, world.memory, world.clock, world.fuse = root, memory, WallClock(), Fuse()
    world._keys, world._blobs = MemoryKeyStore(), MemoryBlobStore()
    world._open().close()
    Ledger.open(world.recordings, RECORDINGS_KEY).close()
    return root
