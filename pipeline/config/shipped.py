"""Where the files that come with Watchkeep lie: inside the wheel, or beside the package in a checkout.

Found from the package's own location, never by searching sys.path: an editable install leaves a stale copy of shipped
files in site-packages, which `importlib.resources` would find first.
"""

from __future__ import annotations

from pathlib import Path

import pipeline
from pipeline.core.errors import ConfigError


def shipped(name: str) -> Path:
    """The shipped file or folder `name`, e.g. "configs/taxonomy.yaml" or "models/registry.yaml".

    Raises ConfigError if this installation lacks it.
    """
    package = Path(pipeline.__file__).resolve().parent
    for root in (package / "_shipped", package.parent):
        if (root / name).exists():
            return root / name
    raise ConfigError(f"{name} is missing from this installation; install watchkeep again")
