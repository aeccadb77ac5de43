"""The configuration of an installation, checked and shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.config.policy_file import load_policy
from pipeline.config.registry import load_registry
from pipeline.config.settings import load_settings
from pipeline.config.taxonomy_file import load_taxonomy
from pipeline.core.errors import ConfigError


def check(home: Home, policy: Path | None = None) -> dict[str, Any]:
    """The files that were read, and every problem of every file (none if all is right); `policy` instead of the home's.

    Files that a bad settings file would name are not looked at.
    """
    try:
        found = Installation.open(home, policy=policy)
    except ConfigError as error:
        problems = [*error.problems, *_others(home, policy)]
        return {"files": [], "problems": list(dict.fromkeys(problems))}
    config = home.root / "config.yaml"
    own = home.root / "models.yaml"
    files = [
        f"settings  {config if config.exists() else 'defaults (no ' + str(config) + ')'}",
        f"policy    {policy or found.settings.files.policy} ({found.policy.ref.name} {found.policy.ref.version}, "
        f"{len(found.policy.rules)} rules)",
        f"taxonomy  {found.settings.files.taxonomy} ({len(found.taxonomy.categories)} categories)",
        f"registry  {found.settings.files.registry}" + (f" and {own}" if own.exists() else ""),
    ]
    return {"files": files, "problems": []}


def _others(home: Home, policy: Path | None) -> Iterator[str]:
    """Problems of registry, taxonomy and policy, each looked at whatever is wrong with the others."""
    try:
        files = load_settings(home.root).files
    except ConfigError:
        return
    own = home.root / "models.yaml"
    registries = [files.registry, *([own] if own.exists() else [])]
    for read in (
        lambda: load_registry(*registries),
        lambda: load_taxonomy(files.taxonomy),
        lambda: load_policy(policy or files.policy, load_taxonomy(files.taxonomy)),
    ):
        try:
            read()
        except ConfigError as error:
            yield from error.problems


def show(home: Home) -> list[dict[str, str]]:
    """Every setting with its value and where it was set."""
    return [{"name": s.key, "value": s.value, "source": s.origin} for s in Installation.open(home).settings.flat()]
