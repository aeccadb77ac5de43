"""The configuration of an installation, checked and shown."""

from __future__ import annotations

from typing import Any

from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.core.errors import ConfigError


def check(home: Home) -> dict[str, Any]:
    """The files that were read, and every problem (none if all is right)."""
    try:
        found = Installation.open(home)
    except ConfigError as error:
        return {"files": [], "problems": list(error.problems)}
    config = home.root / "config.yaml"
    own = home.root / "models.yaml"
    files = [
        f"settings  {config if config.exists() else 'defaults (no ' + str(config) + ')'}",
        f"policy    {found.settings.files.policy} ({found.policy.ref.name} {found.policy.ref.version}, "
        f"{len(found.policy.rules)} rules)",
        f"taxonomy  {found.settings.files.taxonomy} ({len(found.taxonomy.categories)} categories)",
        f"registry  {found.settings.files.registry}" + (f" and {own}" if own.exists() else ""),
    ]
    return {"files": files, "problems": []}


def show(home: Home) -> list[dict[str, str]]:
    """Every setting with its value and where it was set."""
    return [{"name": s.key, "value": s.value, "source": s.origin} for s in Installation.open(home).settings.flat()]
