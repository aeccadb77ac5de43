"""Model weights: which the registry has, and bringing and checking them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.core.errors import ConfigError, ModelError
from pipeline.score.entry import ModelEntry, Task
from pipeline.score.frames import load_frames
from pipeline.score.sounds import load_sounds


def listing(home: Home) -> list[dict[str, Any]]:
    """Every model of the registry and its state here."""
    installation = Installation.open(home)
    on = {e.name for e in installation.enabled()}
    return [_row(installation, entry, on) for entry in installation.registry.values()]


def fetch(home: Home, names: tuple[str, ...], *, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Bring the models named, or all that are switched on; ModelError for the first that cannot be had."""
    installation = Installation.open(home)
    wanted = _wanted(installation, names)
    for entry in wanted:
        if entry.remark:
            say(f"{entry.name}: {entry.remark}")
        installation.store.fetch(entry, say)
    return [_row(installation, e, {x.name for x in installation.enabled()}) for e in wanted]


def verify(home: Home, names: tuple[str, ...], *, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Check every byte and probe each model that is named or switched on; ModelError names the first wrong file."""
    installation = Installation.open(home)
    wanted = _wanted(installation, names)
    for entry in wanted:
        say(f"{entry.name}: reading {installation.store.path(entry)}")
        if installation.store.state(entry) == "absent":
            raise ModelError(f"model {entry.name} is not here: `watchkeep models fetch` brings it")
        installation.store.verify(entry)
        provider = installation.settings.score.provider
        (load_frames if entry.task is Task.FRAMES else load_sounds)(entry, installation.store, provider=provider)
    return [_row(installation, e, {x.name for x in installation.enabled()}) for e in wanted]


def _wanted(installation: Installation, names: tuple[str, ...]) -> tuple[ModelEntry, ...]:
    if unknown := [n for n in names if n not in installation.registry]:
        raise ConfigError(f"no model {unknown[0]!r}: the registry has {', '.join(sorted(installation.registry))}")
    wanted = tuple(installation.registry[n] for n in dict.fromkeys(names)) if names else installation.enabled()
    if not wanted:
        raise ConfigError(
            "the settings switch every model off: name one of " + ", ".join(sorted(installation.registry))
        )
    return wanted


def _row(installation: Installation, entry: ModelEntry, on: set[str]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "version": entry.version,
        "task": entry.task.value,
        "enabled": "on" if entry.name in on else "off",
        "state": installation.store.state(entry),
        "licence": entry.licence,
        "notice": entry.remark,
    }
