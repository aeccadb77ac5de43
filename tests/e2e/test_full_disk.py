"""A disk without a byte of room: nothing more comes in, and all that is sealed can still be listed and proved."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.shipped import shipped
from tests.home import TestHome

SAMPLES = shipped("configs/samples")
DRIVER = """
import json, os, shutil, sys
from pathlib import Path
from tests.command import command
base, disk, sample = map(Path, sys.argv[1:4])
for name in ("home", "home-keys", "home-keys-master"):
    shutil.copytree(base / name, disk / name, symlinks=True)
home, told = disk / "home", {}
def tell(name, *args):
    done = command(*args, home=home)
    told[name] = {"status": done.status, "out": done.out, "err": done.err}
tell("before", "incidents", "list", "--json")
with open(disk / "fill", "wb", buffering=0) as fill:
    for size in (1 << 20, 4096):
        try:
            while fill.write(bytes(size)) == size:
                pass
        except OSError:
            pass
assert os.statvfs(disk).f_bavail == 0
incident = json.loads(told["before"]["out"])["incidents"][0]["incident_id"]
tell("list", "incidents", "list", "--json")
tell("verify", "evidence", "verify", "--json")
tell("audit", "audit", "verify", "--json")
tell("explain", "explain", "--incident", incident)
tell("holds", "hold", "list", "--json")
tell("sweep", "sweep")
tell("apply", "sweep", "--apply")
tell("scan", "scan", str(sample), "--ray", "off")
tell("still", "evidence", "verify", "--json")
(disk / "fill").unlink()
tell("again", "scan", str(sample), "--ray", "off", "--json")
tell("after", "evidence", "verify", "--json")
sys.stdout.write(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each command said on a disk of 24 MB of its own."""
    root = tmp_path_factory.mktemp("full")
    disk = root / "disk"
    disk.mkdir()
    mounting = f"mount -t tmpfs -o size=24m,mode=700 tmpfs {disk}"
    tried = subprocess.run(["unshare", "-rm", "sh", "-c", mounting], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no disk of its own can be mounted here: {tried.stderr.strip()}")
    home = TestHome(root / "base")
    home.json("scan", str(SAMPLES / "session" / "ben.mp4"), "--ray", "off")
    sample = root / "other.mp4"
    sample.write_bytes((SAMPLES / "session" / "ben.mp4").read_bytes() + b"\0\0\0\x08free")
    (root / "driver.py").write_text(DRIVER)
    inside = f'{mounting} && exec "$0" "$@"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", inside, sys.executable, str(root / "driver.py"), str(root / "base"), str(disk),
         str(sample)],
        capture_output=True,
        text=True,
        check=False,
        env={**home.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", ["list", "verify", "audit", "explain", "holds", "sweep", "still"])
def test_what_is_sealed_can_be_read_and_proved_on_a_full_disk(told: dict[str, Any], name: str) -> None:
    assert told[name]["status"] == 0, told[name]["err"]
    assert "Traceback" not in told[name]["err"]
    if name in ("verify", "still"):
        assert json.loads(told[name]["out"])["state"] == "whole"


@pytest.mark.parametrize("name", ["scan", "apply"])
def test_what_would_write_is_refused_in_one_sentence_that_says_what_to_do(told: dict[str, Any], name: str) -> None:
    assert told[name]["status"] == 1, told[name]
    (sentence,) = told[name]["err"].strip().splitlines()
    assert "make room" in sentence


def test_once_there_is_room_the_same_command_goes_on(told: dict[str, Any]) -> None:
    assert told["again"]["status"] == 0, told["again"]["err"]
    assert json.loads(told["again"]["out"])["totals"]["incidents"] == 1
    assert json.loads(told["after"]["out"])["problems"] == []
