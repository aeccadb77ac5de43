"""Homes and keys: made once, refused when half of them is gone, never made anew over sealed data."""

import os
import pwd
from pathlib import Path

import pytest

from pipeline.app.actor import actor
from pipeline.app.home import Home, unlock
from pipeline.core.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WATCHKEEP_HOME", "WATCHKEEP_KEYS", "WATCHKEEP_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_keys_are_made_once_for_the_user_alone_and_lie_apart_from_home_and_master(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    first = unlock(home)
    assert unlock(home) == first
    files = [home.master_file, home.keys / "installation.key", home.keys / "recordings" / "recordings.key"]
    assert [f.stat().st_mode & 0o777 for f in files] == [0o600] * 3
    assert home.keys == tmp_path / "home-keys" and home.master_file == tmp_path / "home-keys-master" / "master.key"
    assert not home.root.exists() and not home.used
    assert repr(first) == "Secrets(...)"


@pytest.mark.parametrize("lost", ["home-keys-master/master.key", "home-keys/installation.key"])
@pytest.mark.parametrize("kept", ["catalog", "vault", "recordings"])
def test_a_lost_key_is_never_made_anew_over_what_was_kept(tmp_path: Path, lost: str, kept: str) -> None:
    home = Home.at(tmp_path / "home")
    unlock(home)
    (home.root / kept).mkdir(parents=True)
    (tmp_path / lost).unlink()
    with pytest.raises(ConfigError, match=r"is missing but .* holds sealed data: restore it, or "):
        unlock(home)
    assert not (tmp_path / lost).exists()


def test_a_damaged_key_file_and_a_mistyped_master_key_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home.at(tmp_path / "home")
    unlock(home)
    home.master_file.write_bytes(b"short")
    with pytest.raises(ConfigError, match=r"master\.key has 5 bytes instead of 32"):
        unlock(home)
    monkeypatch.setenv("WATCHKEEP_MASTER_KEY", "secret words")
    with pytest.raises(ConfigError, match="not 64 hexadecimal digits") as refused:
        unlock(home)
    assert "secret" not in str(refused.value)


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(ConfigError, match="is a file, and a home is a folder"):
        Home.at(tmp_path / "f")


def test_what_to_type_to_find_a_home_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Home.at(tmp_path / "my home").option == f" --home '{tmp_path}/my home'"
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path))
    assert Home.at(tmp_path).option == ""


def test_the_actor_is_the_system_s_word_and_not_the_environment_s(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert actor() == f"os:{pwd.getpwuid(os.getuid()).pw_name}({os.getuid()})"
