"""Backup and restore through the real command: copied while work goes on, drilled, lost and put back."""

from __future__ import annotations

import gc
import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from pipeline.config.shipped import shipped
from tests.models import fetched_models
from tests.unit.app.place import Place, phrase

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FOUNDERS = {"carla": "admin", "lena": "legal", "piet": "privacy_officer"}
CANARY = b"zz-canary-note"


@pytest.fixture(scope="module")
def flagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with officers who waited long enough, a reviewer, and the shipped samples scanned."""
    root = tmp_path_factory.mktemp("backup") / "home"
    samples = root.with_name("samples")
    shutil.copytree(shipped("configs/samples"), samples)
    root.mkdir(mode=0o700)
    (root / "models").symlink_to(fetched_models().folder)
    with time_machine.travel(START - timedelta(days=8)) as time:
        place = Place(root, time)
        for name, role in FOUNDERS.items():
            place.done("users", "add", name, "--role", role, new=phrase(name))
        place.done("users", "add", "rik", "--role", "reviewer", by="carla", new=phrase("rik"))
        for _ in range(8):
            place.forward(days=1)
            place.done("sweep", "--apply")
        scanned = place.tell("scan", "--manifest", str(samples / "samples.jsonl"), "--ray", "off")
        assert scanned.status == 0, scanned.err
    return root


@pytest.fixture
def place(flagged: Path, tmp_path: Path) -> Iterator[Place]:
    with time_machine.travel(START + timedelta(minutes=10)) as time:
        yield Place(flagged, time).copy(tmp_path / "home")


def whole(*roots: Path) -> str:
    """One digest over every name and byte of the folders."""
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(root.rglob("*")):
            digest.update(str(path.relative_to(root)).encode() + b"\0")
            if path.is_file() and not path.is_relative_to(root / "models"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def folders(place: Place) -> list[Path]:
    return [place.root, *(place.root.with_name(place.root.name + end) for end in ("-keys", "-keys-master"))]


def settle(place: Place) -> list[str]:
    """The incident that nobody wants is dismissed, and goes on its day."""
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    note = ("--note", f"a film, {CANARY.decode()}")
    place.done("incidents", "decide", incident, "--outcome", "dismissed", *note, by="rik")
    for _ in range(9):
        place.forward(days=1)
        if gone := place.done("sweep", "--apply")["destroyed"]:
            break
    return list(gone)


def accept_restore(place: Place) -> None:
    """Two people confirm the holds; the last one ends the pause."""
    (pause,) = place.tell("sweep", "--apply", "--json", by="carla").json()["pauses"]
    for officer in ("lena", "piet"):
        place.done("approvals", "approve", pause["request"], by=officer)


def test_a_drill_proves_a_backup_and_touches_nothing(place: Place, tmp_path: Path) -> None:
    taken = place.done("backup", str(tmp_path / "out"))
    assert taken["problems"] == [] and taken["files"] >= 3
    before = whole(*folders(place))
    told = place.done("restore", str(tmp_path / "out"), "--drill")
    assert told["state"] == "whole" and told["problems"] == [] and told["opened"] == told["records"] > 0
    assert whole(*folders(place)) == before
    assert not list(tmp_path.glob(".home.drill"))
    said = place.tell("restore", str(tmp_path / "out"), "--drill")
    assert said.status == 0 and "whole: backup of" in said.out


def test_a_drill_that_was_killed_is_cleaned_by_the_next(place: Place, tmp_path: Path) -> None:
    place.done("backup", str(tmp_path / "out"))
    left = tmp_path / ".home.drill" / "home" / "vault"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    assert place.done("restore", str(tmp_path / "out"), "--drill")["state"] == "whole"
    assert not left.parent.parent.exists()


def test_a_lost_home_comes_back_with_its_people_and_its_chain(place: Place, tmp_path: Path) -> None:
    place.done("backup", str(tmp_path / "out"))
    incidents = place.done("incidents", "list")["incidents"]
    for name in ("catalog", "vault", "people"):
        shutil.rmtree(place.root / name)
    told = place.done("restore", str(tmp_path / "out"))
    assert told["state"] == "restored" and "two people" in told["summary"]
    assert place.done("incidents", "list")["incidents"] == incidents
    assert place.tell("evidence", "verify").status == 0 and place.tell("audit", "verify").status == 0
    assert place.problems() == [] and set(place.users()) == {"carla", "lena", "piet", "rik"}
    (pause,) = place.tell("sweep", "--apply", "--json").json()["pauses"]
    assert "confirm every hold" in pause["words"]
    accept_restore(place)
    assert place.done("sweep", "--apply")["pauses"] == []


def test_what_was_destroyed_stays_destroyed_whatever_is_restored(place: Place, tmp_path: Path) -> None:
    """R16: catalog, vault and keys are backed up; each alone and all together bring nothing back."""
    incident = place.done("incidents", "list")["incidents"][0]["incident_id"]
    record = place.done("incidents", "show", incident)["evidence"][0]["record_id"]
    (tmp_path / "old").mkdir()
    old = place.copy(tmp_path / "old" / "home")
    place.done("backup", str(tmp_path / "out"), "--keys", str(tmp_path / "apart" / "keys"))
    assert settle(place) == [incident]
    now = place.copy(tmp_path / "old" / "now")

    def put_back() -> None:
        for folder, source in zip(folders(place), folders(now), strict=True):
            shutil.rmtree(folder)
            shutil.copytree(source, folder, symlinks=True)

    for names in (("catalog",), ("vault",), ("keys",), ("catalog", "vault", "keys")):
        put_back()
        for name in names:
            target = folders(place)[1] if name == "keys" else place.root / name
            shutil.rmtree(target)
            shutil.copytree(folders(old)[1] if name == "keys" else old.root / name, target)
        told = place.tell("evidence", "open", record, "--reason", "R16", "--to", str(tmp_path / "plain"))
        assert told.status in (1, 3), (names, told.out)
        assert not (tmp_path / "plain").exists()
    put_back()
    drilled = place.done("restore", str(tmp_path / "out"), "--drill")
    assert drilled["problems"] == [] and drilled["destroyed_since"] == [incident]
    place.done("restore", str(tmp_path / "out"), "--force-older")
    assert place.tell("evidence", "open", record, "--reason", "R16", "--to", str(tmp_path / "plain")).status == 1
    verified = place.done("evidence", "verify")
    assert verified["problems"] == [] and "went lost in the restore" in verified["lost"][0]
    assert "is gone" in place.tell("explain", "--incident", incident).out
    for path in [p for folder in folders(place) for p in folder.rglob("*")]:
        if path.is_file() and not path.is_relative_to(place.root / "models"):
            body = path.read_bytes()
            assert CANARY not in body and b"demo-account-0001" not in body, path


def test_what_was_scanned_since_is_scanned_again(place: Place, flagged: Path, tmp_path: Path) -> None:
    """The job ledger is ordinary data and not restored: it must not say of lost evidence that it is sealed."""
    other = tmp_path / "other.mp4"
    ben = (flagged.with_name("samples") / "session" / "ben.mp4").read_bytes()
    other.write_bytes(ben + b"\0\0\0\x08free")
    place.done("backup", str(tmp_path / "out"))
    place.forward(minutes=5)
    scanned = place.tell("scan", str(other), "--ray", "off", "--json")
    assert scanned.json()["totals"]["incidents"] == 1
    before = len(place.done("incidents", "list")["incidents"])
    gc.collect()  # a scan ends with its process, and here this one goes on
    place.done("restore", str(tmp_path / "out"), "--force-older")
    assert len(place.done("incidents", "list")["incidents"]) == before - 1
    again = place.tell("scan", str(other), "--ray", "off", "--json")
    assert again.json()["totals"]["incidents"] == 1
    assert len(place.done("incidents", "list")["incidents"]) == before
    assert place.tell("evidence", "verify").status == 0


def test_where_a_backup_may_not_go(place: Place, tmp_path: Path) -> None:
    out, keys = tmp_path / "out", tmp_path / "home-keys"
    lie = "lie in one another"
    assert lie in place.refused("backup", str(place.root / "backup"))
    assert lie in place.refused("backup", str(tmp_path))
    assert lie in place.refused("backup", str(keys / "b"))
    assert lie in place.refused("backup", str(out), "--keys", str(out / "keys"))
    assert lie in place.refused("backup", str(out / "home"), "--keys", str(out))
    assert lie in place.refused("backup", str(out), "--keys", str(out))
    assert lie in place.refused("backup", str(out), "--keys", str(place.root / "keys"))
    (tmp_path / "link").symlink_to(place.root)
    assert lie in place.refused("backup", str(tmp_path / "link" / "backup"))
    assert not out.exists()
    place.done("backup", str(out))
    assert "is not empty" in place.refused("backup", str(out))
    assert "--force-older" in place.refused("restore", str(out))
    assert "no finished backup" in place.refused("restore", str(tmp_path / "nothing"), "--drill")


def test_a_copy_of_the_keys_says_what_it_means(place: Place, tmp_path: Path) -> None:
    told = place.tell("backup", str(tmp_path / "out"), "--keys", str(tmp_path / "apart"))
    assert told.status == 0
    assert "can be opened from" in told.err and "within 30 days" in told.err and "lie on one disk" in told.err
    assert not list((tmp_path / "apart").rglob("master.key")) and not list((tmp_path / "apart").rglob("epoch"))
    assert (tmp_path / "apart" / "installation.key").is_file()
    alone = place.tell("backup", str(tmp_path / "out2"))
    assert "without the keys folder nothing in it opens" in alone.err
