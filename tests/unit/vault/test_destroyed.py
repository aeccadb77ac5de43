"""Destroyed keys: what they sealed stays gone, and is told from what is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from pipeline.core.decision import Incident
from pipeline.core.errors import SealError
from pipeline.core.evidence import Draft, Party
from pipeline.vault import tables
from pipeline.vault.schema import EvidenceRow
from pipeline.vault.vault import Vault
from pipeline.vault.views import IncidentView
from tests.unit.vault.conftest import Place, draft, incident, recording, seal_one, span
from tests.unit.vault.test_vault import decide
from tests.unit.vault.test_verify import rewrite


def key_of(view: IncidentView, party: Party) -> str:
    return next(r.key_id for r in view.records if r.party is party)


def test_an_incident_whose_key_was_destroyed_stays_closed_on_a_rescan(sealed: Vault, place: Place) -> None:
    of, was = recording(), sealed.incidents()[0]
    sealed._keys.destroy(key_of(was, Party.SUBJECT))
    pairs = [(incident(of, span(1, 9), rule="other"), (draft(span(8, 9)),))]
    assert seal_one(sealed, of, pairs, conclusion="c2") == (was.incident_id,)
    now = sealed.incident(was.incident_id)
    assert (now.findings, now.records, now.revision) == (was.findings, was.records, was.revision)
    assert len(place.files()) == 1


def test_a_counterpart_who_was_erased_is_not_sealed_again(sealed: Vault) -> None:
    of, was = recording(), sealed.incidents()[0]
    sealed._keys.destroy(key_of(was, Party.COUNTERPART))
    new = (draft(span(8, 9)), draft(span(8, 9), party=Party.COUNTERPART))
    seal_one(sealed, of, [(incident(of, span(1, 9), rule="other"), new)], conclusion="c2")
    added = set(sealed.incident(was.incident_id).records) - set(was.records)
    assert [r.party for r in added] == [Party.SUBJECT]


def test_a_key_destroyed_while_its_incident_grows_seals_nothing_and_may_be_tried_again(sealed: Vault) -> None:
    of, was = recording(), sealed.incidents()[0]
    pair = (incident(of, span(1, 9), rule="other"), (draft(span(8, 9)),))

    def meanwhile() -> Iterator[tuple[Incident, tuple[Draft, ...]]]:
        sealed._keys.destroy(key_of(was, Party.SUBJECT))
        yield pair

    with pytest.raises(SealError, match="conclude it again"):
        seal_one(sealed, of, meanwhile(), conclusion="c2")  # type: ignore[arg-type]
    assert seal_one(sealed, of, [pair], conclusion="c2") == (was.incident_id,)


@pytest.mark.parametrize("party", [Party.SUBJECT, Party.COUNTERPART])
def test_verification_tells_what_was_destroyed_from_what_is_broken(sealed: Vault, party: Party) -> None:
    was = sealed.incidents()[0]
    decide(sealed, was.incident_id, custody="key_destroyed")
    sealed._keys.destroy(key_of(was, party))
    found = sealed.verify()
    gone = [r for r in was.records if r.party is party]
    assert (found.problems, found.destroyed) == ((), len(gone))
    assert found.records == sum(len(v.records) for v in sealed.incidents())


def test_a_file_whose_key_was_destroyed_with_all_its_incidents_is_no_problem(sealed: Vault) -> None:
    with sealed._catalog.read() as tx:
        (key_id,) = tx.execute(select(tables.evidence_file.c.key_id)).scalars()
    sealed._keys.destroy(key_id)
    (problem,) = sealed.verify().problems
    assert key_id in problem and "was destroyed" in problem
    for view in sealed.incidents():
        decide(sealed, view.incident_id, custody="key_destroyed")
    assert sealed.verify().problems == ()


def test_what_was_destroyed_is_still_compared_by_its_ciphertext(sealed: Vault, place: Place) -> None:
    was = sealed.incidents()[0]
    decide(sealed, was.incident_id, custody="key_destroyed")
    sealed._keys.destroy(key_of(was, Party.COUNTERPART))
    (gone,) = (r for r in was.records if r.party is Party.COUNTERPART)

    def flipped(number: int, row: EvidenceRow) -> EvidenceRow:
        return replace(row, body=bytes(row.body[:-1]) + b"?") if number == gone.row else row

    name = rewrite(place, flipped)
    (problem,) = sealed.verify().problems
    assert f"vault file {name} row {gone.row}: its ciphertext is" in problem
