"""Proof of the vault, and the one development-mode way to look at a record."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.core.errors import ConfigError
from pipeline.recordings.lock import HomeLock
from pipeline.vault.disclose import DevelopmentGrant


def verify(home: Home, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Walk the whole vault; `problems` holds a sentence for each wrong place, the first one first."""
    installation = Installation.open(home)
    with HomeLock(installation.home.lock, at=installation.clock.now()):
        vault = installation.vault()
        try:
            found = vault.verify(say, actor=actor())
        finally:
            vault.close()
    counts = {
        "incidents": found.incidents,
        "records": found.records,
        "files": found.files,
        "audit_entries": found.entries,
        "orphans": len(found.orphans.files) + len(found.orphans.keys),
    }
    words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    state = "broken" if found.problems else "whole"
    return {"state": state, "problems": list(found.problems), **counts, "summary": f"{state}: {words}"}


def open_record(home: Home, record_id: str, *, reason: str, to: Path | None) -> bytes:
    """The plaintext of one record under a development grant, audited before it is read.

    Raises DisclosureError in production mode, for severe classes, or without a reason. `to` must not exist yet.
    """
    installation = Installation.open(home)
    if to is not None and to.exists():
        raise ConfigError(f"{to} exists: name a new file")
    vault = installation.vault()
    try:
        body = vault.open_evidence(
            record_id, actor=actor(), reason=reason, grant=DevelopmentGrant(mode=installation.settings.mode.value)
        )
    finally:
        vault.close()
    if to is not None:
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(body)
    return body
