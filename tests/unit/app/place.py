"""A home with people in it, worked with through the command, at a time that is set by hand."""

import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.app.compose import Installation
from pipeline.app.desk import rules_in_force
from pipeline.app.home import Home
from pipeline.app.people import person_notes, person_problems
from tests.command import Told, command

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def phrase(name: str) -> str:
    """The passphrase of somebody in these tests."""
    return f"{name} walks along the quay"


@dataclass
class Place:
    """A home, and a clock that stands until it is moved."""

    root: Path
    time: Any

    def tell(self, *args: str, by: str = "", says: str = "", new: str = "") -> Told:
        """A command by somebody with their own passphrase, unless they say another one."""
        env = {"WATCHKEEP_PASSPHRASE": says or phrase(by), "WATCHKEEP_NEW_PASSPHRASE": new}
        return command(*args, *(["--as", by] if by else []), home=self.root, env=env)

    def done(self, *args: str, by: str = "", new: str = "") -> Any:
        told = self.tell(*args, "--json", by=by, new=new)
        assert told.status == 0, told.err
        return told.json()

    def refused(self, *args: str, by: str = "", says: str = "", new: str = "") -> str:
        """The sentence."""
        told = self.tell(*args, by=by, says=says, new=new)
        assert told.status == 1, (told.status, told.err)
        assert told.err.count("\n") == 1
        return told.err

    def forward(self, **by: float) -> None:
        self.time.shift(timedelta(**by))

    def entries(self) -> list[tuple[str, str, str, str]]:
        """Verb, actor, subject and reason of every audit entry."""
        with sqlite3.connect(self.root / "catalog" / "catalog.db") as db:
            found = db.execute("SELECT verb, actor, subject, reason FROM audit_event ORDER BY sequence").fetchall()
        db.close()
        return found

    def problems(self) -> list[str]:
        installation = Installation.open(Home.at(self.root))
        with installation.vault() as vault:
            return person_problems(installation, vault, rules_in_force(installation, vault))

    def notes(self) -> list[str]:
        installation = Installation.open(Home.at(self.root))
        with installation.vault() as vault:
            return person_notes(installation, vault)

    def edit(self, change: str) -> None:
        """Behind everybody's back."""
        with sqlite3.connect(self.root / "people" / "people.db") as db:
            db.execute(change)
        db.close()

    def users(self) -> dict[str, dict[str, Any]]:
        return {u["name"]: u for u in self.done("users", "list")["users"]}

    def copy(self, root: Path) -> "Place":
        """The same home elsewhere."""
        for suffix in ("", "-keys", "-keys-master"):
            shutil.copytree(f"{self.root}{suffix}", root.with_name(root.name + suffix))
        return Place(root, self.time)
