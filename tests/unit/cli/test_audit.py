"""`watchkeep audit` as a user types it: what it prints, and with which status it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from pipeline.app.compose import Installation
from pipeline.app.home import Home
from pipeline.cli import audit
from pipeline.cli.certificate import certificate
from pipeline.core.errors import ConfigError

APP = typer.Typer()
APP.add_typer(audit.app, name="audit")
APP.command("certificate")(certificate)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which a run began, with nothing of the test's own environment."""
    for name in ("WATCHKEEP_KEYS", "WATCHKEEP_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir(mode=0o700)
    _begin(tmp_path / "home", "run-1")
    return tmp_path / "home"


def _begin(home: Path, run: str) -> None:
    with Installation.open(Home.at(home)).vault() as vault:
        vault.begin_run(run, "os:ada(1000)")


def said(*args: str, expect: int = 0) -> Result:
    done = CliRunner().invoke(APP, args)
    if isinstance(done.exception, Exception):
        raise done.exception
    assert done.exit_code == expect, done.output
    return done


def test_an_outsider_checks_an_export_with_the_key_that_was_shown(home: Path, tmp_path: Path) -> None:
    key = said("audit", "key").stdout.strip()
    out = tmp_path / "log.jsonl"
    written = json.loads(said("audit", "export", "--to", str(out), "--json").stdout)
    assert written["key"] == key == json.loads(said("audit", "checkpoint", "--json").stdout)["key"]
    assert out.stat().st_mode & 0o777 == 0o600
    check = ("audit", "verify", "--export", str(out), "--key", key)
    shutil.rmtree(home)  # whoever checks has neither home nor keys
    assert said(*check).stdout.startswith(f"whole: export of {written['entries']} entries")
    out.write_bytes(out.read_bytes().replace(b"os:ada", b"os:eve"))
    found = json.loads(said(*check, "--json", expect=3).stdout)
    assert (found["state"], found["problems"]) == ("broken", ["audit chain: entry 2 was changed"])


def test_r24_a_home_put_back_whole_is_found_by_the_second_place(home: Path, tmp_path: Path) -> None:
    keys, second = tmp_path / "home-keys", tmp_path / "second"
    (home / "config.yaml").write_text(f"audit: {{checkpoint_to: {second}}}\n")
    with pytest.raises(ConfigError, match="make the first one"):
        said("audit", "verify")
    shutil.copytree(home, tmp_path / "old")
    shutil.copytree(keys, tmp_path / "old-keys")
    said("audit", "checkpoint")
    assert "which vouch for entries 1 to 3" in said("audit", "verify").stdout
    for place in (home, keys):
        shutil.rmtree(place)
        shutil.copytree(tmp_path / place.name.replace("home", "old"), place)
    assert "entries 3 to 3 are missing" in said("audit", "verify", expect=3).stdout


def test_without_a_second_place_the_note_itself_is_printed(home: Path) -> None:
    assert said("audit", "checkpoint").stdout.startswith("watchkeep.audit/")


@pytest.mark.parametrize("folder", ["home/second", "home-keys/second"])
def test_a_place_beside_the_log_is_no_second_place(home: Path, tmp_path: Path, folder: str) -> None:
    with pytest.raises(ConfigError, match="is no second place"):
        said("audit", "checkpoint", "--to", str(tmp_path / folder))
    (home / "config.yaml").write_text(f"audit: {{checkpoint_to: {tmp_path / folder}}}\n")
    with pytest.raises(ConfigError, match=r"config.yaml:1 audit.checkpoint_to: .* is no second place"):
        said("audit", "checkpoint")


def test_a_file_without_a_key_and_a_key_without_a_file_are_wrong_usage(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    said("audit", "verify", "--export", str(tmp_path / "x"), expect=2)
    said("audit", "verify", "--key", "00", expect=2)
    file = str(tmp_path / "x")
    said("audit", "verify", "--export", file, "--certificate", file, "--key", "00", expect=2)


def test_where_nothing_was_sealed_nothing_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "empty"))
    for command in ("verify", "checkpoint", "key"):
        with pytest.raises(ConfigError, match="nothing was scanned"):
            said("audit", command)
    assert not (tmp_path / "empty").exists()


def test_a_certificate_of_nothing_is_refused_and_leaves_no_file(home: Path, tmp_path: Path) -> None:
    for beginning in ("ab", ""):
        with pytest.raises(ConfigError, match="no incident begins with"):
            said("certificate", "--incident", beginning, "--to", str(tmp_path / "c"))
    assert not (tmp_path / "c").exists()
