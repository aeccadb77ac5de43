"""Tampering with an installation from outside, and the command's answer: no, and where."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.config.shipped import shipped
from tests.command import Told, command
from tests.home import TestHome

SAMPLES = shipped("configs/samples")
FOLDERS = ("home", "home-keys", "home-keys-master")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of an installation with two incidents in two vault files."""
    home = TestHome(tmp_path_factory.mktemp("sealed"))
    ben = (SAMPLES / "session" / "ben.mp4").read_bytes()
    other = home.root.parent / "other.mp4"
    other.write_bytes(ben + b"\0\0\0\x08free")  # an empty box at its end: the same sound, other content
    report = home.json("scan", str(SAMPLES / "session" / "ben.mp4"), str(other), "--ray", "off")
    assert report["totals"]["incidents"] == 2
    return home.root.parent


@pytest.fixture
def root(sealed: Path, tmp_path: Path) -> Path:
    """A copy to be broken."""
    for name in FOLDERS:
        shutil.copytree(sealed / name, tmp_path / name, symlinks=True)
    return tmp_path


def _verify(root: Path) -> Told:
    return command("evidence", "verify", home=root / "home")


def _scan(root: Path) -> Told:
    return command("scan", str(SAMPLES / "photo.jpg"), "--ray", "off", home=root / "home")


def _files(root: Path) -> list[Path]:
    return sorted((root / "home" / "vault").rglob("*.parquet"))


def _sql(root: Path, *statements: str) -> None:
    with closing(sqlite3.connect(root / "home" / "catalog" / "catalog.db")) as catalog:
        triggers = [name for (name,) in catalog.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for statement in (*(f"DROP TRIGGER {name}" for name in triggers), *statements):
            catalog.execute(statement)
        catalog.commit()


def _one(root: Path, question: str) -> str:
    with closing(sqlite3.connect(root / "home" / "catalog" / "catalog.db")) as catalog:
        return str(catalog.execute(question).fetchone()[0])


def test_what_nobody_touched_is_whole(root: Path) -> None:
    told = _verify(root)
    assert told.status == 0 and told.out.startswith("whole: 2 incidents"), told.err


REGIONS: dict[str, Callable[[int], int]] = {
    "magic": lambda size: 1,
    "first page": lambda size: 200,
    "quarter": lambda size: size // 4,
    "middle": lambda size: size // 2,
    "three quarters": lambda size: size * 3 // 4,
    "footer": lambda size: size - 60,
    "last byte": lambda size: size - 1,
}


@pytest.mark.parametrize("region", REGIONS)
def test_a_flipped_bit_anywhere_in_a_vault_file_names_the_file(root: Path, region: str) -> None:
    file = _files(root)[0]
    body = bytearray(file.read_bytes())
    body[REGIONS[region](len(body))] ^= 1
    file.chmod(0o600)
    file.write_bytes(body)
    told = _verify(root)
    assert told.status == 3 and file.name in told.out and "broken" in told.out
    assert _files(root)[1].name not in told.out


def test_evidence_of_a_changed_file_is_not_given_out(root: Path) -> None:
    for file in _files(root):
        body = bytearray(file.read_bytes())
        for at in range(1000, len(body) - 1000, 2000):
            body[at] ^= 1
        file.chmod(0o600)
        file.write_bytes(body)
    record = _one(root, "SELECT record_id FROM evidence_record WHERE kind = 'packets'")
    to = root / "out"
    told = command("evidence", "open", record, "--reason", "test", "--to", str(to), home=root / "home")
    assert told.status == 3 and len(told.err.splitlines()) == 1 and not to.exists()


def test_two_vault_files_that_changed_places_are_both_named(root: Path) -> None:
    one, two = _files(root)
    third = one.with_name("aside")
    one.rename(third)
    two.rename(one)
    third.rename(two)
    told = _verify(root)
    assert told.status == 3 and one.name in told.out and two.name in told.out


def test_a_missing_vault_file_is_named(root: Path) -> None:
    file = _files(root)[0]
    file.unlink()
    told = _verify(root)
    assert told.status == 3 and file.name in told.out


@pytest.mark.parametrize(
    ("place", "statement"),
    [
        ("entry 3", "DELETE FROM audit_event WHERE sequence = 3"),
        ("entry 3", "UPDATE audit_event SET actor = 'os:nobody(65534)' WHERE sequence = 3"),
        ("entry 2", "UPDATE audit_event SET reason = 'asked by the court' WHERE sequence = 2"),
        ("", "DELETE FROM audit_event WHERE sequence > 3"),
        ("", "DELETE FROM audit_event"),
    ],
    ids=["one gone", "actor", "reason", "tail gone", "all gone"],
)
def test_a_changed_audit_log_is_named_and_nothing_more_is_sealed_under_it(
    root: Path, place: str, statement: str
) -> None:
    _sql(root, statement)
    told = _verify(root)
    said = told.out + told.err
    assert told.status == 3 and "audit" in said and place in said, said
    if not place:  # what a scan adds to no longer ends where the signed head says
        scanned = _scan(root)
        assert scanned.status == 3 and "audit" in scanned.err and len(scanned.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("incident", "UPDATE incident SET severity = 1"),
        ("incident", "UPDATE incident SET review = 'dismissed'"),
        ("incident", "UPDATE incident SET end_ns = end_ns + 1"),
        ("finding", "UPDATE finding SET policy_sha256 = 'x'"),
        ("evidence_record", "UPDATE evidence_record SET sha256 = 'x'"),
        ("evidence_file", "UPDATE evidence_file SET sealed_at = '2020-01-01T00:00:00.000000Z'"),
        ("conclusion", "UPDATE conclusion SET degraded = '[\"x\"]'"),
        ("fence", "UPDATE fence SET actor = 'os:nobody(65534)'"),
    ],
    ids=lambda value: value.split("SET ")[-1],
)
def test_an_edited_catalog_row_is_named(root: Path, table: str, statement: str) -> None:
    owner = {"evidence_file": "file_id", "conclusion": "conclusion_id", "fence": "run_id"}.get(table, "incident_id")
    name = _one(root, f"SELECT {owner} FROM {table}")  # noqa: S608
    _sql(root, statement)
    told = _verify(root)
    assert told.status == 3, told.out
    assert any(name in problem for problem in told.out.splitlines()), told.out


def test_a_deleted_catalog_row_is_named(root: Path) -> None:
    incident = _one(root, "SELECT incident_id FROM incident")
    tables = ("evidence_record", "finding", "incident")
    _sql(root, *(f"DELETE FROM {table} WHERE incident_id = '{incident}'" for table in tables))  # noqa: S608
    told = _verify(root)
    assert told.status == 3 and incident in told.out


@pytest.mark.parametrize("kind", ["incident", "file"])
def test_a_deleted_evidence_key_is_named(root: Path, kind: str) -> None:
    key = _one(root, f"SELECT key_id FROM key_ref WHERE key_id LIKE '{kind}-%'")  # noqa: S608
    (slots,) = (p for p in (root / "home-keys" / "vault" / "store").rglob("*.keys") if key.encode() in p.read_bytes())
    slots.write_bytes(slots.read_bytes().replace(key.encode(), bytes(len(key))))
    told = _verify(root)
    assert told.status == 3 and key in told.out


@pytest.mark.parametrize("lost", ["installation.key", "recordings/recordings.key"])
def test_a_deleted_installation_key_is_a_sentence_and_is_not_made_anew(root: Path, lost: str) -> None:
    (root / "home-keys" / lost).unlink()
    for told in (_verify(root), _scan(root), command("incidents", "list", home=root / "home")):
        assert told.status == 1 and lost in told.err and len(told.err.splitlines()) == 1
    assert not (root / "home-keys" / lost).exists()


def test_a_model_with_one_changed_byte_is_refused_by_name_and_not_used(root: Path) -> None:
    models = root / "home" / "models"
    fetched = models.resolve()
    models.unlink()
    shutil.copytree(fetched, models)
    file = next(models.glob("opennsfw-*/model.onnx"))
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)
    for args in (("models", "verify"), ("models", "fetch"), ("scan", str(SAMPLES / "photo.jpg"), "--ray", "off")):
        told = command(*args, home=root / "home")
        assert told.status == 1 and f"{file} was altered" in told.err and "models fetch" in told.err
    listed = command("models", "list", "--json", home=root / "home").json()["models"]
    assert [m["state"].split(":")[0] for m in listed] == ["altered", "present"]
    assert command("runs", "list", "--json", home=root / "home").json()["runs"][0]["recordings"] == 2
