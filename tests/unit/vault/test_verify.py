"""Verification finds whatever was changed in files, keys, catalog and chain, and names the place."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.core.errors import IntegrityError
from pipeline.vault import parquet, tables
from pipeline.vault.blobs import FileStore
from pipeline.vault.canonical import canonical, leaf_hash
from pipeline.vault.catalog import Catalog
from pipeline.vault.keys import FileKeyStore
from pipeline.vault.parquet import EvidenceFile, write_file
from pipeline.vault.schema import EvidenceRow
from pipeline.vault.vault import Vault
from pipeline.vault.verify_file import FileCheck
from tests.unit.vault.conftest import (
    INSTALLATION_KEY,
    MASTER,
    Place,
    drafts,
    incident,
    recording,
    seal_one,
    span,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings in two files, sealed once for all tests here."""
    place = Place(tmp_path_factory.mktemp("template"))
    with place.open() as vault:
        vault.begin_run("run-1", "os:ada(1000)")
        for number, categories in enumerate((("nudity", "weapon"), ("nudity",))):
            of, at = recording(number), span(1 + number, 2 + number)
            pairs = [(incident(of, at, category=category), drafts(at)) for category in categories]
            seal_one(vault, of, pairs, conclusion=f"c{number + 1}")
    return place.root


@pytest.fixture
def place_of_two(template: Path, tmp_path: Path) -> Place:
    """The template's copy, in a vault that is closed."""
    shutil.copytree(template, tmp_path / "copy")
    return Place(tmp_path / "copy")


def problems(place: Place) -> tuple[str, ...]:
    with place.open() as vault:
        return vault.verify().problems


def the_problem(place: Place) -> str:
    (problem,) = problems(place)
    return problem


@contextmanager
def tampering(place: Place) -> Iterator[sqlite3.Connection]:
    """The catalog in the hands of somebody who first takes the triggers away."""
    db = sqlite3.connect(place.home / "catalog/catalog.db")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    yield db
    db.commit()
    db.close()


def test_a_sound_vault_has_no_problems_and_says_what_was_looked_at(place_of_two: Place) -> None:
    said: list[str] = []
    with place_of_two.open() as vault:
        found = vault.verify(said.append, actor="os:ada(1000)")
    assert found.problems == ()
    assert not found.orphans
    assert (found.files, found.records, found.incidents) == (2, 15, 3)
    assert any("vault file 2 of 2" in line for line in said)


def test_verification_is_itself_audited(sealed: Vault, place: Place) -> None:
    before = sealed.verify(actor="os:ada(1000)").entries
    assert sealed.verify().entries == before + 1
    with sqlite3.connect(place.home / "catalog/catalog.db") as db:
        rows = db.execute("SELECT actor FROM audit_event WHERE verb = 'vault.verify' ORDER BY sequence").fetchall()
    db.close()
    assert rows == [("os:ada(1000)",), ("watchkeep",)]


def test_a_flipped_bit_anywhere_in_a_vault_file_is_found_and_the_file_named(place_of_two: Place) -> None:
    path = place_of_two.files()[0]
    sound = path.read_bytes()
    ends = {*range(12), *range(len(sound) - 12, len(sound))}
    keys = FileKeyStore(place_of_two.keys / "store", MASTER, ledger=place_of_two.keys / "ledger/destroyed.jsonl")
    check = FileCheck(FileStore(place_of_two.home / "vault"), keys, INSTALLATION_KEY)
    catalog = Catalog(place_of_two.home / "catalog")
    with catalog.read() as tx:
        file = tx.execute(select(tables.evidence_file).where(tables.evidence_file.c.name.contains(path.name))).one()
        for spot in sorted(ends | set(random.Random(1).sample(range(len(sound)), 400))):
            flipped = bytearray(sound)
            flipped[spot] ^= 1 << spot % 8
            path.write_bytes(flipped)
            with pytest.raises(IntegrityError, match=path.name):
                pytest.fail(f"byte {spot} was flipped unseen in {check.check(tx, file)} records")
        path.write_bytes(sound)
        assert check.check(tx, file) > 0
    catalog.close()


@pytest.mark.parametrize("part", [0, 0.3, 0.7, 1])
def test_verification_names_a_file_with_a_flipped_bit_once(place_of_two: Place, part: float) -> None:
    path = place_of_two.files()[1]
    body = bytearray(path.read_bytes())
    body[round(part * (len(body) - 1))] ^= 0x80
    path.write_bytes(body)
    assert path.name in the_problem(place_of_two)


def test_the_row_that_was_changed_is_named(place_of_two: Place) -> None:
    path = place_of_two.files()[0]
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    assert f"vault file {path.parent.name}/{path.name} is not what was sealed, at its row 0" in the_problem(
        place_of_two
    )


@pytest.mark.parametrize("cut", [0, 3, 100, -1, -9])
def test_a_truncated_file_is_found(place_of_two: Place, cut: int) -> None:
    path = place_of_two.files()[0]
    path.write_bytes(path.read_bytes()[:cut])
    assert path.name in the_problem(place_of_two)


def test_swapped_files_are_both_found(place_of_two: Place) -> None:
    one, two = place_of_two.files()
    kept = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(kept)
    assert [one.name in problems(place_of_two)[0], two.name in problems(place_of_two)[1]] == [True, True]


def test_swapped_files_are_found_even_if_the_catalog_follows(place_of_two: Place) -> None:
    one, two = place_of_two.files()
    kept = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(kept)
    with tampering(place_of_two) as db:
        sha = dict(db.execute("SELECT name, sha256 FROM evidence_file").fetchall())
        names = sorted(sha)
        for name, other in zip(names, names[::-1], strict=True):
            db.execute("UPDATE evidence_file SET sha256 = ? WHERE name = ?", (sha[other], name))
    said = problems(place_of_two)
    assert sum("at its footer" in p for p in said) == 2
    assert sum("file:" in p and "was changed since its last audit entry" in p for p in said) == 2


def test_missing_foreign_and_uncommitted_files_are_told_apart(place_of_two: Place) -> None:
    one, _ = place_of_two.files()
    one.unlink()
    (place_of_two.home / "vault/note.txt").write_text("hello")
    stray = place_of_two.home / "vault/ab" / f"{'ab' * 16}.parquet"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    with place_of_two.open() as vault:
        found = vault.verify()
    assert [one.name in found.problems[0], "'note.txt'" in found.problems[1]] == [True, True]
    assert found.orphans.files == (f"ab/{stray.name}",)


def test_a_missing_or_exchanged_key_is_found(place_of_two: Place) -> None:
    live = place_of_two.keys / "store/live"
    one, two = sorted(live.glob("incident-*"))[:2]
    kept = one.read_bytes()
    one.unlink()
    missing = problems(place_of_two)
    assert any(f"key {one.name} of" in p and "is missing" in p for p in missing)
    shutil.copy(two, one)
    assert any(one.name in p for p in problems(place_of_two))
    one.write_bytes(kept)
    assert problems(place_of_two) == ()


@pytest.mark.parametrize(
    ("statement", "place_named"),
    [
        ("UPDATE incident SET category = 'spam' WHERE category = 'weapon'", "incident:"),
        ("UPDATE incident SET severity = 1 WHERE category = 'weapon'", "incident:"),
        ("UPDATE incident SET end_ns = end_ns + 1 WHERE category = 'weapon'", "incident:"),
        ("UPDATE incident SET custody = 'purged' WHERE category = 'weapon'", "incident:"),
        ("UPDATE incident SET review = 'dismissed' WHERE category = 'weapon'", "incident:"),
        ("UPDATE incident SET restricted = 1 WHERE category = 'weapon'", "incident:"),
        ("UPDATE incident SET revision = X'00' WHERE category = 'weapon'", "incident:"),
        ("UPDATE finding SET rule = 'other' WHERE rule = 'nudity' AND category = 'weapon'", "incident:"),
        ("DELETE FROM finding WHERE category = 'weapon'", "incident:"),
        ("UPDATE evidence_record SET start_ns = 0 WHERE rowid = 1", "incident:"),
        ("UPDATE evidence_file SET retention_class = 'X' WHERE rowid = 1", "file:"),
        ("UPDATE conclusion SET degraded = '[\"x\"]' WHERE conclusion_id = 'c1'", "conclusion:c1"),
        ("UPDATE conclusion SET recording_id = '00' WHERE conclusion_id = 'c1'", "conclusion:c1"),
        ("DELETE FROM fence", "run:run-1 is gone"),
        ("UPDATE fence SET actor = 'os:eve(0)'", "run:run-1"),
        ("INSERT INTO fence VALUES (9, 'run-9', 'x', 'y')", "run:run-9 was put in"),
        ("UPDATE key_ref SET party = 'subject2' WHERE party = 'counterpart' AND rowid < 4", "incident:"),
        ("INSERT INTO key_ref VALUES ('incident-99', 'nobody', 'subject')", "key incident-99 belongs to nobody"),
    ],
)
def test_every_edited_catalog_row_is_found(place_of_two: Place, statement: str, place_named: str) -> None:
    with tampering(place_of_two) as db:
        assert db.execute(statement).rowcount >= 1
    assert any(place_named in p for p in problems(place_of_two))


def test_a_deleted_incident_is_found(place_of_two: Place) -> None:
    with tampering(place_of_two) as db:
        (gone,) = db.execute("SELECT min(incident_id) FROM incident").fetchone()
        db.execute("DELETE FROM finding WHERE incident_id = ?", (gone,))
        db.execute("DELETE FROM evidence_record WHERE incident_id = ?", (gone,))
        db.execute("DELETE FROM incident WHERE incident_id = ?", (gone,))
    assert any(f"incident:{gone} is gone" in p for p in problems(place_of_two))


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM audit_event WHERE sequence = 3", "entry 3 is missing"),
        ("DELETE FROM audit_event WHERE sequence = 1", "entry 1 is missing"),
        ("UPDATE audit_event SET actor = 'os:eve(0)' WHERE sequence = 4", "entry 4 was changed"),
        ("UPDATE audit_event SET reason = X'00' WHERE sequence = 4", "entry 4 was changed"),
        ("UPDATE audit_event SET digest = '00' WHERE sequence = 4", "entry 4 was changed"),
        ("UPDATE audit_event SET sequence = 99 WHERE sequence = 4", "entry 4 is missing"),
        (
            "INSERT INTO audit_event SELECT 99, at, actor, verb, subject, reason, after, previous, digest "
            "FROM audit_event WHERE sequence = 2",
            "is missing",
        ),
    ],
)
def test_a_deleted_edited_or_added_audit_entry_is_named(place_of_two: Place, statement: str, sentence: str) -> None:
    with tampering(place_of_two) as db:
        assert db.execute(statement).rowcount == 1
    assert any(p.startswith("audit chain:") and sentence in p for p in problems(place_of_two))


def test_a_truncated_chain_is_found_and_nothing_is_written_onto_it(place_of_two: Place) -> None:
    with tampering(place_of_two) as db:
        (last,) = db.execute("SELECT max(sequence) FROM audit_event").fetchone()
        db.execute("DELETE FROM audit_event WHERE sequence >= ?", (last - 1,))
    assert any(f"entries {last - 1} to {last} are missing" in p for p in problems(place_of_two))
    with place_of_two.open() as vault, pytest.raises(IntegrityError, match="are missing"):
        vault.begin_run("run-2", "os:ada(1000)")


def test_an_old_catalog_is_behind_its_head(place_of_two: Place, tmp_path: Path) -> None:
    shutil.copytree(place_of_two.home / "catalog", tmp_path / "old")
    with place_of_two.open() as vault:
        vault.begin_run("run-2", "os:ada(1000)")
    shutil.rmtree(place_of_two.home / "catalog")
    shutil.copytree(tmp_path / "old", place_of_two.home / "catalog")
    assert any("signed head" in p for p in problems(place_of_two))
    shutil.rmtree(place_of_two.home / "catalog")
    with pytest.raises(IntegrityError, match="entries 1 to"):
        place_of_two.open()


def test_a_rewritten_chain_is_not_the_one_whose_head_was_signed(place_of_two: Place) -> None:
    columns = ("sequence", "at", "actor", "verb", "subject", "reason", "after", "previous")
    with tampering(place_of_two) as db:
        previous = "0" * 64
        for row in db.execute("SELECT * FROM audit_event ORDER BY sequence").fetchall():
            fields = {**dict(zip(columns, row, strict=False)), "previous": previous}
            if fields["verb"] == "run.begin":
                fields["actor"] = "os:eve(0)"
            previous_was, previous = previous, leaf_hash(canonical(fields))
            db.execute(
                "UPDATE audit_event SET actor = ?, previous = ?, digest = ? WHERE sequence = ?",
                (fields["actor"], previous_was, previous, fields["sequence"]),
            )
    assert any("is not the one whose head was signed" in p for p in problems(place_of_two))


def test_a_head_behind_its_chain_is_the_trace_of_a_crash_and_catches_up(sealed: Vault, place: Place) -> None:
    head = place.keys / "audit/head.json"
    old = head.read_bytes()
    sealed.begin_run("run-2", "os:ada(1000)")
    head.write_bytes(old)
    assert sealed.verify().problems == ()
    assert head.read_bytes() != old


@pytest.mark.parametrize("change", [b"", b"{}", b"[]"])
def test_a_changed_or_missing_head_is_found(place_of_two: Place, change: bytes) -> None:
    head = place_of_two.keys / "audit/head.json"
    held = head.read_bytes()
    for body in (change, held.replace(b'"sequence":', b'"sequence":1')):
        head.write_bytes(body)
        assert any("head of the audit chain" in p and "was changed" in p for p in problems(place_of_two))
    head.unlink()
    assert any("head of the audit chain" in p and "is gone" in p for p in problems(place_of_two))


def test_the_keys_folder_of_another_installation_is_refused(place_of_two: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other")
    other.open().close()
    shutil.rmtree(place_of_two.keys / "audit")
    shutil.copytree(other.keys / "audit", place_of_two.keys / "audit")
    assert any("names another signing key" in p for p in problems(place_of_two))


def test_a_damaged_database_is_an_integrity_error(place_of_two: Place) -> None:
    path = place_of_two.home / "catalog/catalog.db"
    body = bytearray(path.read_bytes())
    body[:100] = bytes(100)
    path.write_bytes(body)
    with pytest.raises(IntegrityError, match="damaged"):
        place_of_two.open()


def rewrite(place: Place, change: Callable[[int, EvidenceRow], EvidenceRow]) -> str:
    """What somebody with the keys can do: write a file anew, whole in itself; its name."""
    keys = FileKeyStore(place.keys / "store", MASTER, ledger=place.keys / "ledger/destroyed.jsonl")
    catalog, path = Catalog(place.home / "catalog"), place.files()[0]
    with catalog.read() as tx:
        file = tx.execute(select(tables.evidence_file).where(tables.evidence_file.c.name.contains(path.name))).one()
    catalog.close()
    file_key = keys.unwrap(file.key_id, file.wrapped_key)
    with path.open("rb") as source:
        held = EvidenceFile(source, name=file.name, file_id=file.file_id, file_key=file_key)
        rows = [change(i, row) for i, (row, _) in enumerate(held.rows())]
    with path.open("wb") as out:
        write_file(out, rows, file_id=file.file_id, file_key=file_key, footer={})
    return str(file.name)


def test_a_file_rewritten_with_its_own_key_is_found_and_the_row_named(place_of_two: Place) -> None:
    name = rewrite(place_of_two, lambda i, row: replace(row, media_type="text/plain") if i == 2 else row)
    assert f"vault file {name} row 2: its media type is text/plain" in the_problem(place_of_two)


def test_columns_that_the_catalog_does_not_repeat_are_bound_by_the_row_chain(place_of_two: Place) -> None:
    name = rewrite(place_of_two, lambda i, row: replace(row, legal_basis="CONSENT") if i == 2 else row)
    assert f"vault file {name} holds" in the_problem(place_of_two)


def test_a_broken_row_chain_is_named(place_of_two: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(parquet, "FIRST", bytes([1]) * 32)
        name = rewrite(place_of_two, lambda _, row: row)
    assert f"vault file {name} row 0 does not follow the row before it" in the_problem(place_of_two)
