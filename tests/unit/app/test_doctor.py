"""The doctor names what is wrong and changes nothing by looking."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.app.compose import Installation
from pipeline.app.home import Home
from tests.command import command


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that was opened once, and nothing scanned in it."""
    for name in ("WATCHKEEP_HOME", "WATCHKEEP_KEYS", "WATCHKEEP_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    installation = Installation.open(Home.at(root))
    installation.ledger().close()
    installation.vault().close()
    return root


def _wrong(root: Path) -> dict[str, str]:
    told = command("doctor", "--json", home=root)
    checks: list[dict[str, Any]] = told.json()["checks"]
    wrong = {c["what"]: c["words"] for c in checks if c["state"] == "wrong"}
    assert told.status == (1 if wrong else 0)
    return wrong


def test_a_sound_installation_has_nothing_wrong(root: Path) -> None:
    assert _wrong(root) == {}


def test_looking_at_a_home_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert _wrong(tmp_path / "nothing") == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keys", ["inside", "."])
def test_keys_in_the_folder_of_the_home_are_wrong(root: Path, keys: str) -> None:
    shutil.rmtree(root / "catalog")
    shutil.rmtree(root / "vault")
    shutil.rmtree(root / "recordings")
    (root / "config.yaml").write_text(f"keys: {{folder: {keys}}}\n", encoding="utf-8")
    assert "share a folder" in _wrong(root)["keys"]


def test_folders_that_others_may_enter_are_wrong(root: Path) -> None:
    root.chmod(0o755)
    assert "chmod 700" in _wrong(root)["permissions"]


@pytest.mark.parametrize(("what", "file"), [("ledger", "recordings/recordings.db"), ("vault", "catalog/catalog.db")])
def test_a_damaged_database_is_wrong_and_named(root: Path, what: str, file: str) -> None:
    (root / file).write_bytes(b"\xff" * 5000)
    assert str(root / file) in _wrong(root)[what]


def test_keys_without_the_home_they_belong_to_are_no_fresh_start(root: Path) -> None:
    vault = Installation.open(Home.at(root)).vault()
    vault.begin_run("a run", "somebody")
    vault.close()
    for name in ("catalog", "vault", "recordings"):
        shutil.rmtree(root / name)
    assert "audit chain" in _wrong(root)["vault"]


def test_a_lost_key_is_wrong(root: Path) -> None:
    (root.with_name("home-keys") / "installation.key").unlink()
    assert {"ledger", "vault"} <= set(_wrong(root))
