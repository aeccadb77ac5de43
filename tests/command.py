"""The command in this process: the same tree, refusals and exit statuses as `watchkeep`, without its start-up time."""

import io
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipeline.cli.main import obey


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON object that standard output must be."""
        return json.loads(self.out)


def command(*args: str, home: Path | None = None, env: Mapping[str, str] | None = None) -> Told:
    """Run `watchkeep ARGS` on `home`; of our variables it sees those in `env` alone."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("WATCHKEEP_")}
    ours |= env or {}
    if home is not None:
        ours["WATCHKEEP_HOME"] = str(home)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace") for _ in range(2))
    with patch.dict(os.environ, ours, clear=True), redirect_stdout(out), redirect_stderr(err):
        status = obey(args)
    said = []
    for stream in (out, err):
        stream.flush()
        said.append(stream.buffer.getvalue().decode("utf-8"))  # type: ignore[attr-defined]  # a BytesIO
    return Told(status=status, out=said[0], err=said[1])
