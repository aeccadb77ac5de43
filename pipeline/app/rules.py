"""A change of the rules in force, asked for at the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.app.acts import ask
from pipeline.app.desk import in_production, sitting
from pipeline.app.home import Home
from pipeline.config.retention_file import parse_rules
from pipeline.core.errors import ConfigError
from pipeline.custody import rules


def change(home: Home, name: str, file: Path) -> dict[str, Any]:
    """Ask two people to agree to the rules in `file`; ConfigError with every problem if it is not sound."""
    if not file.is_file():
        raise ConfigError(f"{file}: no such rule file")
    body = file.read_text(encoding="utf-8")
    with sitting(home, name) as here:
        parse_rules(body, str(file), production=in_production(here.installation))
        return ask(here, rules.CHANGE, rules.change_params(file.name, body, by=here.by))
