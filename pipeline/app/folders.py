"""Where an installation lies. Knows no key and nothing of evidence, so that ordinary deletion may ask it.

The home holds catalog, vault, ledger and models, each in a folder of its own; the keys lie in a folder beside it, and
the master key in a third, because a backup that holds vault and keys together defeats erasure.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import ConfigError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The folders of one installation."""

    root: Path
    keys: Path

    @classmethod
    def at(cls, root: Path | None = None) -> Home:
        """The home named, or of WATCHKEEP_HOME, or ~/.watchkeep; its keys beside it until settings say otherwise.

        Raises ConfigError if a file lies there.
        """
        chosen = root or Path(os.environ.get("WATCHKEEP_HOME") or Path.home() / ".watchkeep")
        chosen = chosen.expanduser().absolute()
        if chosen.exists() and not chosen.is_dir():
            raise ConfigError(f"{chosen} is a file, and a home is a folder: name another --home")
        return cls(root=chosen, keys=chosen.with_name(chosen.name + "-keys"))

    @property
    def models(self) -> Path:
        """Fetched weights."""
        return self.root / "models"

    @property
    def recordings(self) -> Path:
        """Ordinary data: the ledger."""
        return self.root / "recordings"

    @property
    def lock(self) -> Path:
        """Held by the one writing command."""
        return self.root / "lock"

    @property
    def master_file(self) -> Path:
        """Where the master key lies unless WATCHKEEP_MASTER_KEY holds it: apart from the keys it protects."""
        return self.keys.with_name(self.keys.name + "-master") / "master.key"

    @property
    def master(self) -> Path:
        """The master folder; also where WATCHKEEP_MASTER_KEY holds the key, because the epoch is written here."""
        return self.master_file.parent

    @property
    def epoch_file(self) -> Path:
        """The epoch of the master key: without it the master key opens nothing."""
        return self.master / "epoch"

    @property
    def used(self) -> bool:
        """True if a scan kept something here."""
        return self.recordings.exists() or any((self.root / name).exists() for name in ("catalog", "vault"))

    @property
    def option(self) -> str:
        """What a command needs to find this home again: "" or " --home DIR"."""
        return "" if self.root == Home.at().root else f" --home {shlex.quote(str(self.root))}"
