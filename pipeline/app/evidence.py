"""Proof of the vault, and the one development-mode way to look at a record."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.app.look import open_vault, record
from pipeline.core.errors import ConfigError
from pipeline.recordings.lock import HomeLock
from pipeline.vault.disclose import DevelopmentGrant


def verify(home: Home, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Walk the whole vault; `problems` holds a sentence for each wrong place, the first one first.

    Raises ConfigError where nothing was ever sealed: an empty place proves nothing.
    """
    installation = Installation.open(home)
    with open_vault(installation) as vault, HomeLock(installation.home.lock, at=installation.clock.now()):
        found = vault.verify(say, actor=actor())
    counts = {
        "incidents": found.incidents,
        "records": found.records,
        "files": found.files,
        "audit_entries": found.entries,
        "destroyed": found.destroyed,
        "orphans": len(found.orphans.files) + len(found.orphans.keys),
    }
    words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    state = "broken" if found.problems else "whole"
    told = {"problems": list(found.problems), "lost": list(found.lost)}
    return {"state": state, **told, **counts, "summary": f"{state}: {words}"}


def open_record(home: Home, record_id: str, *, reason: str, to: Path | None) -> bytes:
    """The plaintext of one record under a development grant, audited before it is read.

    An unambiguous beginning of the id is enough. Raises DisclosureError in production mode, for severe classes, or
    without a reason. `to` must not exist yet; it is made before anything is opened, so that no look is in vain.
    """
    installation = Installation.open(home)
    grant = DevelopmentGrant(mode=installation.settings.mode.value)
    with open_vault(installation) as vault:
        whole, _ = record(vault, record_id, legal=False)
        if to is None:
            return vault.open_evidence(whole, actor=actor(), reason=reason, grant=grant)
        try:
            handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ConfigError(f"{to} exists: name a new file") from None
        try:
            with os.fdopen(handle, "wb") as out:
                body = vault.open_evidence(whole, actor=actor(), reason=reason, grant=grant)
                out.write(body)
        except BaseException:
            to.unlink()
            raise
        return body
