"""The certificate of an incident's destruction, as a file or as words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.app.look import open_vault
from pipeline.app.people import authenticate
from pipeline.core.errors import ConfigError
from pipeline.custody.explain import sees_all
from pipeline.export.certificate import certify
from pipeline.export.form import certificate_bytes
from pipeline.vault.cases import Cases
from pipeline.vault.holds import Holds
from pipeline.vault.vault import Vault


def certificate(home: Home, incident_id: str, *, to: Path | None, name: str | None = None) -> dict[str, Any]:
    """The certificate; an unambiguous beginning of the incident's id is enough.

    `to` must not exist yet; it is made before anything is entered, so that no certificate is issued in vain. `name`
    is the person who issues it, None the operating system's user.
    """
    installation = Installation.open(home)
    person = authenticate(installation, name) if name else None
    by = person.actor if person else actor()
    with open_vault(installation) as vault:
        hidden = frozenset[str]() if sees_all(person) else Holds(vault.parts).hidden()
        whole = _named(vault, incident_id, hidden)
        if to is None:
            return certify(vault.parts, whole, by=by)
        try:
            handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ConfigError(f"{to} exists: name a new file") from None
        try:
            with os.fdopen(handle, "wb") as out:
                document = certify(vault.parts, whole, by=by)
                out.write(certificate_bytes(document))
                out.flush()
                os.fsync(out.fileno())
        except BaseException:
            to.unlink()
            raise
        return document


def _named(vault: Vault, incident_id: str, hidden: frozenset[str]) -> str:
    matching = [i for i in Cases(vault.parts).beginning(incident_id) if i not in hidden]
    if len(matching) == 1:
        return matching[0]
    many = "several incidents begin" if matching else "no incident begins"
    raise ConfigError(f"{many} with {incident_id!r}: `watchkeep incidents list` names them")


def words(document: dict[str, Any]) -> list[str]:
    """What the certificate says, line by line."""
    said = document["statement"]
    how = said["sanitization"]
    parties = ", ".join(said["destroyed"])
    scope = "the whole incident" if not said["kept"] else f"{parties} only; {', '.join(said['kept'])} is kept"
    lines = [
        f"incident {said['incident']}, sealed {said['sealed_at']}",
        f"destroyed: {scope}",
        f"method: {how['category']}, {how['method']} ({how['tool']})",
        f"media: {len(said['media'])} sealed items in {len(said['files'])} files",
    ]
    lines += [f"key {k['key_id']} of {k['party']}: {k['at']} by {k['actor']}: {k['reason']}" for k in said["keys"]]
    lines += [f"file {f['file']}: {f['state']}" for f in said["files"]]
    numbers = [item["entry"]["sequence"] for item in document["entries"]]
    return [*lines, f"audit entries {', '.join(map(str, numbers))}; issued {said['issued_at']} by {said['issued_by']}"]
