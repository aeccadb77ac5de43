"""Verification names the very place, whatever else would notice too."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.vault.envelope import Content, seal, unseal
from pipeline.vault.schema import EvidenceRow
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import Place
from tests.unit.vault.tampered import place_of_two, problems, tampering, template
from tests.unit.vault.test_verify import rewrite

__all__ = ["place_of_two", "template"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE evidence_record SET content_mac = '00' WHERE rowid = 1", "other content than the catalog"),
        ("UPDATE evidence_file SET row_count = row_count + 1 WHERE rowid = 1", "rows that are not those"),
        ("DELETE FROM evidence_record WHERE row = 9", "row 9 is missing in the catalog"),
        ("DELETE FROM incident WHERE category = 'weapon'", "points at a row of incident that is not there"),
    ],
)
def test_an_edited_row_is_named_where_it_is_held_against_the_file(
    place_of_two: Place, statement: str, words: str
) -> None:
    with tampering(place_of_two) as db:
        assert db.execute(statement).rowcount == 1
    assert any(words in p for p in problems(place_of_two))


def test_facts_that_do_not_speak_of_their_body_are_found(sealed: Vault, place: Place) -> None:
    def other_facts(number: int, row: EvidenceRow) -> EvidenceRow:
        if number != 2:
            return row
        key, ids = (
            sealed.parts.keys.unwrap(row.key_id, row.wrapped_data_key),
            (row.record_id.hex(), row.incident_id.hex()),
        )
        facts = json.loads(unseal(key, *ids, Content.FACTS, row.facts)) | {"sha256": "00" * 32}
        return replace(row, facts=seal(key, *ids, Content.FACTS, json.dumps(facts).encode()))

    name = rewrite(place, other_facts)
    assert f"vault file {name} row 2 holds other content than its sealed digest says" in sealed.verify().problems


def test_a_database_that_is_not_whole_is_named_even_if_every_row_is_read(place_of_two: Place) -> None:
    path = place_of_two.home / "catalog/catalog.db"
    with tampering(place_of_two) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    body = bytearray(path.read_bytes()) + bytes(size)  # a page that belongs to nothing
    body[28:32] = (len(body) // size).to_bytes(4, "big")
    path.write_bytes(body)
    assert any(p.startswith("catalog database: ") and "never used" in p for p in problems(place_of_two))
