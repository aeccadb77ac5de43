"""An installation of its own for a test, driven through the real command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.models import fetched_models


class TestHome:
    """A home folder under `root` with the real models linked in; `run` is the command as a user types it."""

    __test__ = False

    def __init__(self, root: Path, *, keys_of: "TestHome | None" = None) -> None:
        self.root = root / "home"
        self.root.mkdir(parents=True, mode=0o700)
        (self.root / "models").symlink_to(fetched_models().folder)
        self.keys = root / "home-keys"
        self.master = root / "home-keys-master"
        if keys_of is not None:
            # The installation and master keys only: ids agree between the two homes, evidence keys do not exist yet.
            self.keys.mkdir(mode=0o700)
            for name in ("installation.key", "recordings"):
                source = keys_of.keys / name
                (shutil.copytree if source.is_dir() else shutil.copy2)(source, self.keys / name)
            shutil.copytree(keys_of.master, self.master)

    @property
    def environ(self) -> dict[str, str]:
        drop = ("WATCHKEEP_HOME", "WATCHKEEP_KEYS", "WATCHKEEP_MASTER_KEY")
        kept = {k: v for k, v in os.environ.items() if k not in drop}
        return {**kept, "WATCHKEEP_HOME": str(self.root), "PYTHONWARNINGS": "default"}

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *args],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, expect: int | None = 0, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *args],
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert expect is None or done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *args: str, expect: int | None = 0, timeout: float = 300) -> Any:
        return json.loads(self.run(*args, "--json", expect=expect, timeout=timeout).stdout)

    def incidents(self) -> list[dict[str, Any]]:
        """Every incident as `incidents show` tells it, without starting the command for each."""
        program = (
            "import json, sys; from pathlib import Path;"
            "from pipeline.app import look; from pipeline.app.home import Home;"
            "home = Home.at(Path(sys.argv[1]));"
            "print(json.dumps([look.incident(home, i['incident_id']) for i in look.incidents(home)]))"
        )
        command = [sys.executable, "-c", program, str(self.root)]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=True)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def configure(self, text: str) -> None:
        (self.root / "config.yaml").write_text(text, encoding="utf-8")
