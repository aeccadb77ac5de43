"""The recovery kit of an installation: it alone opens the keys folder, then and after every later sweep."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.app.compose import Installation
from pipeline.app.home import Home, unlock
from pipeline.app.kit import kit_checks, prove_kit, restore_kit, write_kit
from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.vault.keys import FileKeyStore, open_keys
from pipeline.vault.kit import read_kit


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WATCHKEEP_HOME", "WATCHKEEP_KEYS", "WATCHKEEP_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    store_of(home)
    return home


def store_of(home: Home) -> FileKeyStore:
    """The store as the vault opens it."""
    return open_keys(home.keys / "vault", Installation.open(home).epoch())


@pytest.fixture
def kit(home: Home, tmp_path: Path) -> Path:
    """A copy of the kit that was made at the first start."""
    return Path(shutil.copy(home.master / "recovery-kit.txt", tmp_path / "printed.txt"))


def states(home: Home) -> list[str]:
    return [state for state, _ in kit_checks(home)]


def test_the_first_start_makes_the_epoch_and_the_kit_for_the_user_alone(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    assert kit_checks(home) == []
    unlock(home)
    files = {p.name: p.stat().st_mode & 0o777 for p in home.master.iterdir()}
    assert files == dict.fromkeys(("master.key", "epoch", "ledger-head", "recovery-kit.txt", "lock"), 0o600)
    assert not home.keys.joinpath("vault").exists()


def test_the_doctor_reminds_until_a_copy_of_the_kit_was_tested(home: Home, kit: Path) -> None:
    ((state, words),) = kit_checks(home)
    assert state == "note" and "never tested" in words and str(home.master / "recovery-kit.txt") in words
    with pytest.raises(ConfigError, match="would be lost with"):
        prove_kit(home, home.master / "recovery-kit.txt")
    assert states(home) == ["note"]
    assert prove_kit(home, kit)["keys"] == "none yet"
    ((state, words),) = kit_checks(home)
    assert state == "ok" and words.startswith("tested on 20")
    (home.master / "kit-tested").write_text("{}", encoding="utf-8")
    assert states(home) == ["note"]


def test_a_kit_alone_opens_a_living_key_and_says_none_of_its_secrets(home: Home, kit: Path) -> None:
    store_of(home).create("file-1")
    for name in ("epoch", "master.key", "ledger-head"):
        (home.master / name).unlink()
    told = prove_kit(home, kit)
    assert told["keys"] == "one opened"
    known = read_kit(kit)
    assert known.root is not None
    assert not any(secret.hex() in str(told) for secret in (known.root, known.epoch.chain))


def test_an_older_kit_opens_the_keys_of_every_later_epoch(home: Home, kit: Path) -> None:
    store = store_of(home)
    store.create("file-1")
    wrapped = store.wrap("file-1", bytes(32))
    for _ in range(3):
        store.renew()
    told = prove_kit(home, kit)
    assert (told["epoch"], told["keys"]) == (0, "one opened")
    shutil.rmtree(home.master)
    told = restore_kit(home, kit)
    assert told["epoch"] == 3 and len(told["restored"]) == 3
    assert store_of(home).unwrap("file-1", wrapped) == bytes(32)


def test_the_kit_of_another_installation_is_refused(home: Home, tmp_path: Path) -> None:
    other = Home.at(tmp_path / "other")
    unlock(other)
    with pytest.raises(ConfigError, match="does not open the keys in"):
        prove_kit(home, other.master / "recovery-kit.txt")
    assert states(home) == ["note"]
    shutil.rmtree(home.master)
    with pytest.raises(ConfigError, match="does not open the keys in"):
        restore_kit(home, other.master / "recovery-kit.txt")
    assert not home.master.exists()


def test_a_newer_kit_opens_no_older_keys_folder(home: Home, tmp_path: Path) -> None:
    store = store_of(home)
    store.create("file-1")
    shutil.copytree(home.keys, tmp_path / "old-keys")
    store.renew()
    write_kit(home, tmp_path / "newer.txt")
    shutil.rmtree(home.keys)
    shutil.copytree(tmp_path / "old-keys", home.keys)
    with pytest.raises(ConfigError, match="is of epoch 0 and this is of epoch 1: the folder is an old copy"):
        prove_kit(home, tmp_path / "newer.txt")


def test_the_kit_in_the_master_folder_follows_every_epoch(home: Home) -> None:
    """Or it would be the one thing there that opens an old copy of the keys."""
    first = read_kit(home.master / "recovery-kit.txt")
    store_of(home).renew()
    now = read_kit(home.master / "recovery-kit.txt")
    assert (first.epoch.number, now.epoch.number) == (0, 1)
    assert first.epoch.chain.hex()[:16] not in (home.master / "recovery-kit.txt").read_text().replace(" ", "")
    assert now.root == first.root


def test_a_kit_in_the_master_folder_that_cannot_be_read_does_not_outlive_its_epoch(home: Home) -> None:
    file = home.master / "recovery-kit.txt"
    file.write_text(file.read_text().replace("chain-2", "chain 2"), encoding="utf-8")
    store_of(home).renew()
    assert not file.exists()
    assert write_kit(home, None)["epoch"] == 1 and file.exists()


def test_a_lost_master_folder_is_named_with_the_remedy_and_nothing_is_made_anew(home: Home, kit: Path) -> None:
    store_of(home).create("file-1")
    (home.root / "vault").mkdir(parents=True)
    shutil.rmtree(home.master)
    with pytest.raises(ConfigError, match=r"master\.key is missing but .* restore-kit FILE"):
        unlock(home)
    shutil.rmtree(home.root, ignore_errors=True)  # keys without their home are no fresh start either
    with pytest.raises(ConfigError, match=r"master\.key is missing but .*store holds sealed data"):
        unlock(home)
    assert not home.master.exists()
    restore_kit(home, kit)
    assert store_of(home).ids() == ["file-1"]


def test_only_what_is_missing_is_restored(home: Home, kit: Path) -> None:
    store_of(home).renew()
    with pytest.raises(ConfigError, match="nothing is missing"):
        restore_kit(home, kit)
    (home.master / "epoch").unlink()
    assert restore_kit(home, kit) == {"restored": [str(home.master / "epoch")], "epoch": 1}
    (home.master / "epoch").unlink()
    (home.master / "master.key").write_bytes(bytes(32))
    with pytest.raises(ConfigError, match="is another master key than the kit's: move it away first"):
        restore_kit(home, kit)
    assert not (home.master / "epoch").exists()


def test_a_restored_master_folder_still_knows_how_long_the_ledger_was(home: Home, tmp_path: Path) -> None:
    store = store_of(home)
    store.create("file-1")
    old = tmp_path / "old-keys"
    shutil.copytree(home.keys, old)
    store.destroy("file-1")
    write_kit(home, tmp_path / "later.txt")
    shutil.rmtree(home.keys)
    shutil.copytree(old, home.keys)
    shutil.rmtree(home.master)
    with pytest.raises(IntegrityError, match="0 of 1 are there: it is an old copy"):
        restore_kit(home, tmp_path / "later.txt")


def test_a_kit_is_not_written_where_the_keys_or_the_evidence_lie(home: Home, tmp_path: Path) -> None:
    home.root.mkdir(exist_ok=True)
    for folder in (home.root, home.keys, home.keys / "vault"):
        with pytest.raises(ConfigError, match="name a file elsewhere"):
            write_kit(home, folder / "kit.txt")
    (tmp_path / "there").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="exists: name a new file"):
        write_kit(home, tmp_path / "there")
    told = write_kit(home, tmp_path / "stick.txt")
    assert told == {"file": str(tmp_path / "stick.txt"), "epoch": 0, "master_key": "in it"}
    assert (tmp_path / "stick.txt").stat().st_mode & 0o777 == 0o600


def test_a_master_key_that_is_kept_apart_is_on_no_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEP_MASTER_KEY", "5a" * 32)
    home = Home.at(tmp_path / "home")
    store_of(home)
    printed = Path(shutil.copy(home.master / "recovery-kit.txt", tmp_path / "printed.txt"))
    assert read_kit(printed).root is None and not home.master_file.exists()
    assert prove_kit(home, printed)["keys"] == "none yet"
    assert "ok" in states(home)
    monkeypatch.delenv("WATCHKEEP_MASTER_KEY")
    with pytest.raises(ConfigError, match="is not on this kit: give it as WATCHKEEP_MASTER_KEY"):
        prove_kit(home, printed)


def test_a_kit_that_keeps_a_master_key_which_was_taken_away_is_wrong(home: Home, kit: Path) -> None:
    home.master_file.unlink()
    assert states(home) == ["note", "wrong"]


def test_an_installation_from_before_there_were_epochs_gets_one_and_a_kit(home: Home) -> None:
    for name in ("epoch", "ledger-head", "recovery-kit.txt"):
        (home.master / name).unlink()
    shutil.rmtree(home.keys / "vault" / "store")
    unlock(home)
    kit = read_kit(home.master / "recovery-kit.txt")
    assert kit.epoch.number == 0 and kit.root == home.master_file.read_bytes()


def test_the_epoch_lies_in_the_master_folder_and_is_the_one_the_vault_uses(home: Home) -> None:
    Installation.open(home).vault().close()
    assert {p.name for p in home.keys.parent.iterdir()} == {"home", "home-keys", "home-keys-master"}
    assert {p.name for p in home.keys.iterdir()} == {"installation.key", "recordings", "vault"}
