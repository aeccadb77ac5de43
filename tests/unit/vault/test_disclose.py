"""The one way out: somebody, a reason, a grant, and an audit entry before the first byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.core.errors import DisclosureError, IntegrityError, KeyDestroyedError
from pipeline.core.evidence import Kind, Party
from pipeline.vault.blobs import FileStore
from pipeline.vault.disclose import DevelopmentGrant
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import Place, drafts, span
from tests.unit.vault.test_vault import decide

GRANT = DevelopmentGrant(mode="development")
OPEN: dict[str, object] = {"actor": "os:ada(1000)", "reason": "the sample looks wrong", "grant": GRANT}


def record(vault: Vault, category: str = "nudity", kind: Kind = Kind.FRAME, party: Party = Party.SUBJECT) -> str:
    (view,) = (v for v in vault.incidents() if v.category == category)
    return next(r.record_id for r in view.records if (r.kind, r.party) == (kind, party))


def entries(place: Place, verb: str) -> list[tuple[str, str, str]]:
    db = sqlite3.connect(place.home / "catalog/catalog.db")
    rows = db.execute("SELECT actor, subject, reason FROM audit_event WHERE verb = ?", (verb,)).fetchall()
    db.close()
    return rows


def test_every_record_opens_to_the_bytes_that_were_sealed(sealed: Vault) -> None:
    for draft in drafts(span(1, 2)):
        record_id = record(sealed, kind=draft.kind, party=draft.party)
        assert sealed.open_evidence(record_id, **OPEN) == draft.body  # type: ignore[arg-type]


def test_the_audit_entry_is_there_before_the_file_is_read(
    sealed: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    really: Callable[[FileStore, str], BinaryIO] = FileStore.open

    def watched(store: FileStore, name: str) -> BinaryIO:
        seen.append(len(entries(place, "evidence.open")))
        return really(store, name)

    monkeypatch.setattr(FileStore, "open", watched)
    record_id = record(sealed)
    sealed.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]
    assert seen == [1]
    assert entries(place, "evidence.open") == [("os:ada(1000)", f"record:{record_id}", "the sample looks wrong")]


@pytest.mark.parametrize(("actor", "reason"), [("os:ada(1000)", ""), ("os:ada(1000)", " \n"), ("", "curious")])
def test_evidence_is_not_opened_by_nobody_or_for_nothing(sealed: Vault, actor: str, reason: str) -> None:
    with pytest.raises(DisclosureError, match="for a reason"):
        sealed.open_evidence(record(sealed), actor=actor, reason=reason, grant=GRANT)


def test_a_development_grant_needs_a_development_installation() -> None:
    for mode in ("production", "", "Development"):
        with pytest.raises(DisclosureError, match="opened by review"):
            DevelopmentGrant(mode=mode)


def test_severe_evidence_stays_sealed_and_the_attempt_is_on_record(sealed: Vault, place: Place) -> None:
    record_id = record(sealed, "weapon")
    with pytest.raises(DisclosureError, match="severe classes"):
        sealed.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]
    assert entries(place, "evidence.open") == []
    assert [subject for _, subject, _ in entries(place, "evidence.refuse")] == [f"record:{record_id}"]


def test_restricted_evidence_stays_sealed(sealed: Vault) -> None:
    (view,) = (v for v in sealed.incidents() if v.category == "nudity")
    decide(sealed, view.incident_id, restricted=True)
    with pytest.raises(DisclosureError, match="is restricted"):
        sealed.open_evidence(record(sealed), **OPEN)  # type: ignore[arg-type]


def test_a_severity_edited_in_the_catalog_opens_nothing(sealed: Vault, place: Place) -> None:
    record_id = record(sealed, "weapon")
    db = sqlite3.connect(place.home / "catalog/catalog.db")
    db.execute("UPDATE incident SET severity = 1")
    db.commit()
    db.close()
    with pytest.raises(IntegrityError, match="run evidence verify"):
        sealed.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]


def test_an_unknown_record_is_refused(sealed: Vault) -> None:
    with pytest.raises(DisclosureError, match="no record"):
        sealed.open_evidence("00" * 16, **OPEN)  # type: ignore[arg-type]


def test_a_destroyed_key_opens_nothing_for_ever(sealed: Vault) -> None:
    (view,) = (v for v in sealed.incidents() if v.category == "nudity")
    subject = next(r for r in view.records if r.party is Party.SUBJECT)
    sealed._keys.destroy(subject.key_id)
    with pytest.raises(KeyDestroyedError):
        sealed.open_evidence(subject.record_id, **OPEN)  # type: ignore[arg-type]
    counterpart = next(r for r in view.records if r.party is Party.COUNTERPART)
    assert sealed.open_evidence(counterpart.record_id, **OPEN)  # type: ignore[arg-type]
    (problem,) = sealed.verify().problems
    assert subject.key_id in problem and "was destroyed" in problem


def test_no_part_of_an_altered_file_is_given(sealed: Vault, place: Place) -> None:
    record_id = record(sealed)
    (path,) = place.files()
    body = bytearray(path.read_bytes())
    body[len(body) // 3] ^= 1
    path.write_bytes(body)
    with pytest.raises(IntegrityError):
        sealed.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]


def test_plaintext_leaves_by_one_function_only() -> None:
    # `unseal` and `chunks` give plaintext; verification consumes it and gives none of it away.
    import pipeline.vault as package

    users = {
        path.name
        for path in Path(package.__path__[0]).glob("*.py")
        if "import Content, chunks" in path.read_text() or "import Content, unseal" in path.read_text()
    }
    assert users == {"disclose.py", "verify_file.py"}


def test_evidence_is_not_used_for_what_it_was_not_collected_for(sealed: Vault, place: Place) -> None:
    """I7: the purposes that were told when the data were collected bind every use; renewed consent is needed."""
    other = DevelopmentGrant(mode="development", purpose="TRAINING")
    options = {**OPEN, "grant": other}
    record_id = record(sealed)
    with pytest.raises(DisclosureError, match="collected for DETECT and not for TRAINING, which takes renewed consent"):
        sealed.open_evidence(record_id, **options)  # type: ignore[arg-type]
    assert [subject for _, subject, _ in entries(place, "evidence.refuse")] == [f"record:{record_id}"]
    assert sealed.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]


def test_what_was_collected_for_unknown_purposes_is_opened_as_before(sealed: Vault) -> None:
    unknown = DevelopmentGrant(mode="development", purpose="LEGAL_CLAIM")
    options = {**OPEN, "grant": unknown}
    assert sealed.open_evidence(record(sealed, party=Party.COUNTERPART), **options)  # type: ignore[arg-type]


def test_a_look_leaves_no_lease_behind_even_if_it_fails(sealed: Vault, place: Place) -> None:
    record_id = record(sealed)
    sealed.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]
    (path,) = place.files()
    path.unlink()
    with pytest.raises(IntegrityError):
        sealed.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]
    with sealed.parts.catalog.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM lease").scalar() == 0
