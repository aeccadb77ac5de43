"""Verification finds whatever was changed in files, keys and catalog rows, and names the place."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from pipeline.core.errors import IntegrityError
from pipeline.vault import parquet, tables
from pipeline.vault.blobs import FileStore
from pipeline.vault.catalog import Catalog
from pipeline.vault.epoch import master_epoch_beside
from pipeline.vault.key_slots import ID_BYTES, SLOT_BYTES
from pipeline.vault.keys import open_keys
from pipeline.vault.orphans import file_name, fresh_file_id
from pipeline.vault.parquet import EvidenceFile, write_file
from pipeline.vault.schema import EvidenceRow
from pipeline.vault.vault import Vault
from pipeline.vault.verify_file import FileCheck
from tests.unit.vault.conftest import (
    INSTALLATION_KEY,
    MASTER,
    Place,
)
from tests.unit.vault.key_places import slot_of, slots_in
from tests.unit.vault.tampered import place_of_two, problems, tampering, template, the_problem

__all__ = ["place_of_two", "template"]


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
    keys = open_keys(place_of_two.keys, master_epoch_beside(place_of_two.keys, MASTER))
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
    stray = put(place_of_two, fresh_file_id(INSTALLATION_KEY, "run-1"))
    with place_of_two.open() as vault:
        found = vault.verify()
    assert [one.name in found.problems[0], "'note.txt'" in found.problems[1]] == [True, True]
    assert found.orphans.files == (stray,)


def put(place: Place, file_id: str) -> str:
    """A file under the vault's own kind of name that no row speaks of."""
    path = place.home / "vault" / file_name(file_id)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    return file_name(file_id)


def test_a_file_of_a_run_that_an_old_catalog_does_not_know_is_no_leftover(place_of_two: Place) -> None:
    newer = put(place_of_two, fresh_file_id(INSTALLATION_KEY, "a run after the backup"))
    with place_of_two.open() as vault:
        living = vault._keys.ids()
        vault._keys.create("incident-of-the-newer-run")
        assert newer in vault.verify().problems[0] and "older than the vault" in vault.verify().problems[0]
        with pytest.raises(IntegrityError, match="nothing was removed"):
            vault.remove_orphans(actor="os:ada(1000)")
        assert vault._keys.ids() == sorted([*living, "incident-of-the-newer-run"])
    assert (place_of_two.home / "vault" / newer).exists()


def test_a_missing_or_exchanged_key_is_found(place_of_two: Place) -> None:
    store = place_of_two.keys / "store"
    one, two = sorted(name for _, _, name in slots_in(store) if name.startswith("incident-"))[:2]
    (path, at), (other, there) = slot_of(store, one), slot_of(store, two)
    kept, name = path.read_bytes(), one.encode().ljust(ID_BYTES, b"\0")
    exchanged = name + other.read_bytes()[there + ID_BYTES : there + SLOT_BYTES]
    for slot, said in ((bytes(SLOT_BYTES), "is missing"), (exchanged, "cannot be unlocked")):
        path.write_bytes(kept[:at] + slot + kept[at + SLOT_BYTES :])
        assert any(f"key {one}" in p and said in p for p in problems(place_of_two))
    path.write_bytes(kept)
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


def rewrite(place: Place, change: Callable[[int, EvidenceRow], EvidenceRow]) -> str:
    """What somebody with the keys can do: write a file anew, whole in itself; its name."""
    keys = open_keys(place.keys, master_epoch_beside(place.keys, MASTER))
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
