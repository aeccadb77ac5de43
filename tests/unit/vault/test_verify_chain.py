"""Verification finds whatever was done to the audit chain and its signed head."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.core.errors import IntegrityError
from pipeline.vault.canonical import canonical, leaf_hash
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import (
    Place,
)
from tests.unit.vault.tampered import place_of_two, problems, tampering, template

__all__ = ["place_of_two", "template"]


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


def test_an_entry_written_anew_with_a_digest_of_its_own_does_not_lead_to_the_next(place_of_two: Place) -> None:
    columns = ("sequence", "at", "actor", "verb", "subject", "reason", "after", "previous")
    with tampering(place_of_two) as db:
        row = db.execute("SELECT * FROM audit_event WHERE sequence = 4").fetchone()
        anew = {**dict(zip(columns, row, strict=False)), "actor": "os:eve(0)"}
        digest = leaf_hash(canonical(anew))
        db.execute("UPDATE audit_event SET actor = 'os:eve(0)', digest = ? WHERE sequence = 4", (digest,))
    assert "audit chain: entry 5 does not follow the entry before it" in problems(place_of_two)


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
