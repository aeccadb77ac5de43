"""Destroyed keys: what they sealed stays gone, and is told from what is broken."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from pipeline.core.decision import Incident
from pipeline.core.errors import SealError
from pipeline.core.evidence import Draft, Party
from pipeline.vault import tables
from pipeline.vault.schema import EvidenceRow
from pipeline.vault.states import state_of
from pipeline.vault.vault import Vault
from pipeline.vault.views import IncidentView
from tests.unit.vault.acts import hold_on
from tests.unit.vault.conftest import Place, draft, incident, recording, seal_one, span
from tests.unit.vault.sweeps import sealed_in, sweep
from tests.unit.vault.tampered import tampering
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


def only_problem(vault: Vault) -> str:
    (problem,) = vault.verify().problems
    return problem


def test_verification_tells_what_was_destroyed_from_what_is_broken(vault: Vault) -> None:
    gone, _ = sealed_in(vault, 0, "nudity", "drugs")
    was = vault.incident(gone)
    sweep(vault, gone)
    found = vault.verify()
    assert (found.problems, found.destroyed) == ((), len(was.records))
    assert found.records == sum(len(v.records) for v in vault.incidents())


def test_a_file_that_went_with_all_its_incidents_is_no_problem_and_is_counted(vault: Vault) -> None:
    gone = sealed_in(vault, 0, "nudity", "drugs")
    sweep(vault, *gone)
    found = vault.verify()
    assert (found.problems, found.files, found.destroyed, found.records) == ((), 1, 10, 10)


def test_a_file_key_that_went_while_its_incidents_are_kept_is_a_problem(sealed: Vault) -> None:
    with sealed._catalog.read() as tx:
        (key_id,) = tx.execute(select(tables.evidence_file.c.key_id)).scalars()
    sealed._keys.destroy(key_id)
    problem = only_problem(sealed)
    assert key_id in problem and "was destroyed" in problem


def test_what_was_destroyed_is_still_compared_by_its_ciphertext(vault: Vault, place: Place) -> None:
    was, _ = (vault.incident(i) for i in sealed_in(vault, 0, "nudity", "drugs"))
    sweep(vault, was.incident_id)
    (gone,) = (r for r in was.records if r.party is Party.COUNTERPART)

    def flipped(number: int, row: EvidenceRow) -> EvidenceRow:
        return replace(row, body=bytes(row.body[:-1]) + b"?") if number == gone.row else row

    name = rewrite(place, flipped)
    assert f"vault file {name} row {gone.row}: its ciphertext is" in only_problem(vault)


def tamper(vault: Vault, statement: str, *values: str) -> None:
    """A change by somebody who first takes the triggers away, written down as an act of theirs."""
    with vault.parts.journal.act("os:eve(1001)") as act:
        for (name,) in act.tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            act.tx.exec_driver_sql(f"DROP TRIGGER {name}")
        act.tx.exec_driver_sql(statement, values)
        for (incident_id,) in act.tx.exec_driver_sql("SELECT incident_id FROM incident").all():
            subject = f"incident:{incident_id}"
            act.record("test.tamper", subject, after=state_of(act.tx, subject))


def test_a_destruction_that_no_row_tells_of_is_a_problem(vault: Vault) -> None:
    gone, _ = sealed_in(vault, 0, "nudity", "drugs")
    sweep(vault, gone)
    tamper(vault, "DELETE FROM destruction WHERE party = 'subject'")
    assert "was destroyed, and that is not written down" in only_problem(vault)


def test_a_destruction_that_the_key_store_knows_nothing_of_is_a_problem(vault: Vault) -> None:
    (kept,) = sealed_in(vault, 0, "nudity")
    key_id = key_of(vault.incident(kept), Party.SUBJECT)
    row = (key_id, kept, "subject", "CE_INCIDENT", "", "2026-12-01T00:00:00.000000Z", "os:eve(1001)")
    tamper(vault, "INSERT INTO destruction VALUES (?, ?, ?, ?, ?, ?, ?)", *row)
    problem = only_problem(vault)
    assert key_id in problem and "is back, although it was destroyed at 2026-12-01" in problem


def test_an_incident_that_is_said_to_be_destroyed_while_its_keys_live_is_a_problem(vault: Vault) -> None:
    (kept,) = sealed_in(vault, 0, "nudity")
    tamper(vault, "UPDATE incident SET custody = 'key_destroyed'")
    found = vault.verify().problems
    assert {p.split(" of ")[1] for p in found} == {
        f"{party} {kept} lives, although the incident is key_destroyed: stop and look"
        for party in ("counterpart", "subject")
    }


def test_a_destroyed_key_of_which_the_ledger_knows_nothing_is_a_problem(vault: Vault, place: Place) -> None:
    gone, _ = sealed_in(vault, 0, "nudity", "drugs")
    sweep(vault, gone)
    tamper(vault, "UPDATE destruction SET key_id = 'incident-other' WHERE party = 'subject'")
    with vault.parts.journal.act("os:eve(1001)") as act:
        act.tx.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in ("key_ref", "evidence_record"):
            act.tx.exec_driver_sql(
                f"UPDATE {table} SET key_id = 'incident-other' WHERE party = 'subject' AND "  # noqa: S608
                f"{'owner' if table == 'key_ref' else 'incident_id'} = ?",
                (gone,),
            )
        act.record("test.tamper", f"incident:{gone}", after=state_of(act.tx, f"incident:{gone}"))
    assert any("the destruction ledger does not know it" in p for p in vault.verify().problems)


def test_an_edit_of_what_belongs_to_an_incident_is_found(vault: Vault, place: Place) -> None:
    gone, kept = sealed_in(vault, 0, "nudity", "drugs")
    (alone,) = sealed_in(vault, 1, "nudity")
    sweep(vault, gone, alone)
    hold_on(vault, [kept], until=None)
    vault.close()
    edits = {
        f"UPDATE destruction SET reason = 'other' WHERE incident_id = '{gone}'": f"incident:{gone}",  # noqa: S608
        "UPDATE unlinked SET at = '2020'": "file:",
        "UPDATE involved SET person = 'other' WHERE person != 'erased'": f"incident:{kept}",
        "UPDATE hold SET until = '2020-01-01T00:00:00.000000Z'": "hold:",
        "DELETE FROM hold_item": "hold:",
        "UPDATE tick SET at = '2020-01-01T00:00:00.000000Z'": "tick:1",
        "UPDATE sweep SET destroyed = 0": "sweep:",
    }
    for number, (edit, named) in enumerate(edits.items()):
        copy = Place(place.root / "copies" / str(number))
        shutil.copytree(place.root, copy.root, ignore=shutil.ignore_patterns("copies"))
        with tampering(copy) as db:
            assert db.execute(edit).rowcount, edit
        with copy.open() as opened:
            found = opened.verify().problems
        assert any(f"catalog: {named}" in p and "was changed" in p for p in found), (edit, found)
