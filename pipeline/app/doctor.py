"""A look over the installation: what is wrong, what is worth knowing, and what to do about it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.app.actor import actor
from pipeline.app.compose import Installation
from pipeline.app.doctor_keeping import keeping, ordinary
from pipeline.app.home import Home
from pipeline.app.look import untouched
from pipeline.config.settings import Mode
from pipeline.core.errors import BusyError, ConfigError, WatchkeepError
from pipeline.core.recording import UNKNOWN
from pipeline.recordings.lock import HomeLock
from pipeline.runtime.memory import MEMORY_FOLDER, in_memory
from pipeline.vault.holds import Holds
from pipeline.vault.orphans import Orphans

LOW_DISK_BYTES = 10 << 30

Check = dict[str, Any]


def examine(home: Home, *, repair: bool) -> list[Check]:
    """Checks as {"state": "ok" | "note" | "wrong", "what", "words"}; `repair` removes orphans of the vault."""
    try:
        installation = Installation.open(home)
    except ConfigError as error:
        return [_check("wrong", "configuration", problem) for problem in error.problems]
    checks = [_check("ok", "configuration", f"policy {installation.policy.ref.name} {installation.policy.ref.version}")]
    looks: dict[str, Callable[[Installation], Iterator[Check]]] = {
        "terms": _terms,
        "folders": _folders,
        "disk": _disk,
        "models": _models,
        "ray": _ray,
        "ledger": _ledger,
        "vault": partial(_vault, repair=repair),
        "keeping": _keeping,
    }
    for what, look in looks.items():
        try:
            checks += look(installation)
        except BusyError as error:
            checks.append(_check("note", what, f"not looked at: {error}"))
        except WatchkeepError as error:
            checks.append(_check("wrong", what, str(error)))
        except OSError as error:
            checks.append(_check("wrong", what, f"{error.filename or 'this machine'}: {error.strerror or error}"))
    return checks


def _check(state: str, what: str, words: str) -> Check:
    return {"state": state, "what": what, "words": words}


def _terms(found: Installation) -> Iterator[Check]:
    if found.settings.mode is Mode.DEVELOPMENT:
        yield _check("note", "mode", "development: evidence open works, unset terms are allowed; set mode: production")
    defaults = found.settings.defaults
    if unset := [n for n in ("policy_version", "jurisdiction", "legal_basis") if getattr(defaults, n) == UNKNOWN]:
        words = f"{', '.join(unset)} unknown: where a recording does not say, the strictest rule applies"
        yield _check("note", "defaults", words)
    if all(rule.permitted for rule in (found.policy.scanning.otherwise, *found.policy.scanning.rules)):
        yield _check("note", "scanning", "the policy permits automated scanning everywhere: set its rules with counsel")
    for name in sorted(found.policy.detectors - {e.name for e in found.enabled()}):
        yield _check("note", "detector", f"the policy asks {name}, which is switched off: decisions say so")


def _folders(found: Installation) -> Iterator[Check]:
    home, keys, master = found.home.root, found.home.keys, found.home.master_file.parent
    inside = "a backup of one would hold both, and erasure by destroying keys would prove nothing"
    if keys == home or home in keys.parents or keys in home.parents:
        yield _check("wrong", "keys", f"{keys} and {home} share a folder: {inside}; set WATCHKEEP_KEYS elsewhere")
    else:
        yield _check("ok", "keys", f"{keys}, apart from {home}")
    if found.home.master_file.exists():
        words = f"{found.home.master_file} lies on this machine: keep it elsewhere and give it as WATCHKEEP_MASTER_KEY"
        yield _check("wrong" if master == keys or keys in master.parents else "note", "master key", words)
    for folder in (home, keys, master):
        if folder.exists() and folder.stat().st_mode & 0o077:
            yield _check("wrong", "permissions", f"others may enter {folder}: chmod 700 it")
    for there in dict.fromkeys(map(_nearest, (home, keys, master))):
        if not os.access(there, os.W_OK | os.X_OK):
            yield _check("wrong", "permissions", f"{there} cannot be written: a scan has to")


def _disk(found: Installation) -> Iterator[Check]:
    free = shutil.disk_usage(_nearest(found.home.root)).free
    state = "note" if free < LOW_DISK_BYTES else "ok"
    yield _check(state, "disk", f"{free / (1 << 30):.0f} GiB free for {found.home.root}")


def _nearest(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if p.exists())


def _models(found: Installation) -> Iterator[Check]:
    for entry in found.enabled():
        state = found.store.state(entry)
        words = f"{entry.name} {entry.version}: {state}"
        if state == "absent":
            yield _check("note", "model", f"{words}; the first scan fetches it")
        else:
            yield _check("ok" if state == "present" else "wrong", "model", words)


def _ray(found: Installation) -> Iterator[Check]:
    if in_memory():
        yield _check("ok", "ray", f"its sessions lie in {MEMORY_FOLDER}, on no disk")
    else:
        yield _check("note", "ray", f"{MEMORY_FOLDER} is no memory file system here: scans need --ray off")


def _ledger(found: Installation) -> Iterator[Check]:
    if found.home.recordings.exists():
        ledger = found.ledger()
        try:
            runs = ledger.runs()
        finally:
            ledger.close()
        yield _check("ok", "ledger", f"{len(runs)} runs; `watchkeep runs list` names them")


def _vault(found: Installation, *, repair: bool) -> Iterator[Check]:
    if untouched(found):
        yield _check("note", "vault", "empty: nothing was scanned yet")
        return
    with HomeLock(found.home.lock, at=found.clock.now()):
        vault = found.vault()
        try:
            orphans = vault.orphans()
            if orphans and repair:
                vault.remove_orphans(actor=actor())
                yield _check("ok", "orphans", f"{_count(orphans)} removed")
            elif orphans:
                yield _check(
                    "note", "orphans", f"{_count(orphans)} of runs that were cut off: doctor --repair removes them"
                )
            hidden = Holds(vault.parts).hidden()
            incidents = [i for i in vault.incidents() if i.incident_id not in hidden]
            yield _check("ok", "vault", f"{len(incidents)} incidents; `watchkeep evidence verify` walks it all")
            for name in ("participant", "jurisdiction", "legal_basis"):
                if unknown := sum(getattr(i, name) == UNKNOWN for i in incidents):
                    words = f"{unknown} of {len(incidents)} incidents: the strictest rule applies to them"
                    yield _check("note", f"unknown {name}", words)
        finally:
            vault.close()


def _keeping(found: Installation) -> Iterator[Check]:
    for state, what, words in (*keeping(found), *ordinary(found.home)):
        yield _check(state, what, words)


def _count(orphans: Orphans) -> str:
    return f"{len(orphans.files)} files and {len(orphans.keys)} keys"
