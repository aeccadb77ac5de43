"""The built wheel: it holds what the command needs and nothing else, and works where no checkout is."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.models import fetched_models

ROOT = Path(__file__).resolve().parents[2]
WANTED = (
    r"pipeline/([a-z_]+/)*[a-z0-9_]+\.py",
    r"pipeline/vault/migrations/versions/v[0-9]{4}_[a-z]+\.sql",
    r"pipeline/_shipped/configs/((taxonomy|retention)\.yaml|policies/[a-z-]+\.yaml)",
    r"pipeline/_shipped/configs/samples/(session/)?[A-Za-z_-]+(\.(mp4|webm|mkv|ogg|jpg|jsonl|md|py))?",
    r"pipeline/_shipped/models/(registry\.yaml|notices/[a-z0-9-]+\.txt)",
    r"watchkeep-[0-9.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/.+)",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built as pip builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    if done.returncode and re.search(r"hatchling|Could not find a version|connection|No module named pip", done.stderr):
        pytest.skip(f"building needs hatchling from a package index: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_it_holds_every_module_and_every_shipped_file(names: list[str]) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "pipeline", "configs", "models"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("this checkout has no git to say which files are the project's")
    shipped = [n if n.startswith("pipeline/") else f"pipeline/_shipped/{n}" for n in tracked.stdout.splitlines()]
    assert len(shipped) > 100 and not sorted({*shipped} - {*names})


def test_it_holds_no_stray_file(names: list[str]) -> None:
    assert not [n for n in names if not any(re.fullmatch(wanted, n) for wanted in WANTED)]
    assert not [n for n in names if n.startswith("pipeline/") and "/migrations/" not in n and "test" in Path(n).name]


def test_it_works_from_its_own_files_and_scans(wheel: Path, tmp_path: Path) -> None:
    unpacked, home = tmp_path / "unpacked", tmp_path / "home"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    home.mkdir(mode=0o700)
    (home / "models").symlink_to(fetched_models().folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCHKEEP_")}
    environ = {**kept, "PYTHONPATH": str(unpacked), "WATCHKEEP_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}

    def watchkeep(*args: str) -> dict[str, object]:
        command = [sys.executable, "-m", "pipeline", *args, "--json"]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said: dict[str, object] = json.loads(done.stdout)
        return said

    files = watchkeep("config", "check")["files"]
    assert isinstance(files, list)
    assert sum(str(unpacked / "pipeline" / "_shipped") in line for line in files) == 3, files
    ben = unpacked / "pipeline" / "_shipped" / "configs" / "samples" / "session" / "ben.mp4"
    report = watchkeep("scan", str(ben), "--ray", "off")
    assert report["totals"]["canary"] == "ok"  # type: ignore[index]  # JSON
    assert len(report["recordings"][0]["incidents"]) == 1  # type: ignore[index]  # JSON
