"""A certificate of destruction says what went, how and why, and a public key is all that is needed to check it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.decision import Review, Severity
from pipeline.core.errors import IntegrityError, TransitionError, WatchkeepError
from pipeline.core.evidence import Party
from pipeline.core.retention import Disposition, Verdict
from pipeline.export.certificate import certify
from pipeline.export.form import ISSUE, certificate_bytes, subject_of
from pipeline.export.verifier import verify, verify_certificate
from pipeline.vault.canonical import digest_of_rows
from pipeline.vault.decisions import Decisions
from pipeline.vault.destroy import Destroyer
from pipeline.vault.log import Log
from pipeline.vault.marks import Marks
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import Place
from tests.unit.vault.tampered import place_of_two, tampering, template

__all__ = ["place_of_two", "template"]

BY = "os:ada(1000)"


@pytest.fixture
def opened(place_of_two: Place) -> Iterator[Vault]:
    with place_of_two.open() as vault:
        yield vault


@pytest.fixture
def key(opened: Vault) -> bytes:
    return opened.parts.head.public_key


def ids(vault: Vault) -> tuple[str, str, str]:
    """Two incidents that share a file, and one that has a file to itself."""
    views = vault.incidents()
    by_file = {v.incident_id: v.records[0].file for v in views}
    other = next(v.incident_id for v in views if v.category == "weapon")
    beside = next(i for i, file in by_file.items() if file == by_file[other] and i != other)
    return beside, other, next(i for i in by_file if i not in (beside, other))


def ready(vault: Vault) -> datetime:
    """The clock has spoken, so that something may be destroyed; the trusted time."""
    day, now = timedelta(days=1), vault.parts.clock.now()
    assert Marks(vault.parts).tick(now, max_backward=day, max_forward=day) == ""
    return now


def destroy(vault: Vault, incident_id: str) -> None:
    now = ready(vault)
    plan = Disposition(
        incident_id=incident_id,
        revision=vault.incident(incident_id).revision,
        verdict=Verdict.DESTROY,
        reason="UNCONFIRMED_FLAG P30D",
        due_at=None,
        unreviewed=True,
    )
    done = Destroyer(vault.parts).carry_out([plan], now=now, actor="watchkeep", allow_unreviewed=True)
    assert done.destroyed == (incident_id,)


def written(to: Path, document: dict[str, Any]) -> Path:
    to.write_bytes(certificate_bytes(document))
    return to


@pytest.fixture(scope="module")
def issued(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, bytes]:
    """A vault in which an incident went with its file, and that incident's certificate."""
    place = Place(shutil.copytree(template, tmp_path_factory.mktemp("issued") / "copy"))
    with place.open() as vault:
        *_, alone = ids(vault)
        destroy(vault, alone)
        return place, certificate_bytes(certify(vault.parts, alone, by="os:zo\udcff\u00eb(7)"))


@pytest.fixture
def certificate(issued: tuple[Place, bytes], tmp_path: Path) -> Path:
    (tmp_path / "certificate.json").write_bytes(issued[1])
    return tmp_path / "certificate.json"


@pytest.fixture
def issuer(issued: tuple[Place, bytes]) -> bytes:
    """The public key of that vault."""
    return bytes.fromhex(json.loads((issued[0].keys / "audit/head.json").read_bytes())["public_key"])


def test_it_names_media_method_keys_time_person_reason_and_proof(
    issued: tuple[Place, bytes], certificate: Path, issuer: bytes
) -> None:
    said = verify(certificate, issuer).statement
    assert said is not None
    with issued[0].open() as vault:
        *_, alone = ids(vault)
        view = vault.incident(alone)
        assert vault.verify().problems == ()
    assert (said["incident"], said["scope"], said["kept"]) == (alone, "whole incident", [])
    assert said["destroyed"] == ["counterpart", "subject"]
    assert {m["record_id"] for m in said["media"]} == {r.record_id for r in view.records}
    assert {m["sha256"] for m in said["media"]} == {r.sha256 for r in view.records}
    assert (said["sanitization"]["category"], said["sanitization"]["method"]) == ("purge", "cryptographic erase")
    assert {(k["actor"], k["reason"]) for k in said["keys"]} == {("watchkeep", "UNCONFIRMED_FLAG P30D")}
    assert all(k["at"].startswith("2026-11-22T") for k in said["keys"])
    (file,) = said["files"]
    assert file["unlinked_at"] and file["neighbours"] == 0 and file["state"] == "removed with all it held"
    assert said["issued_by"] == "os:zo\\udcffë(7)"


def test_its_entries_tell_of_claim_destruction_and_unlinking(certificate: Path) -> None:
    verbs = [item["entry"]["verb"] for item in json.loads(certificate.read_bytes())["entries"]]
    assert verbs == ["incident.claim", "incident.destroy", "file.unlink", "certificate.issue"]


def test_a_file_that_a_neighbour_keeps_alive_is_said_to_be_there(opened: Vault, tmp_path: Path, key: bytes) -> None:
    beside, *_ = ids(opened)
    destroy(opened, beside)
    path = written(tmp_path / "c", certify(opened.parts, beside, by=BY))
    said = verify(path, key).statement
    assert said is not None
    (file,) = said["files"]
    assert (file["unlinked_at"], file["neighbours"]) == ("", 1)
    assert "still there for what is kept in it (1)" in file["state"]


def test_one_erased_in_part_says_which_party(opened: Vault, tmp_path: Path, key: bytes) -> None:
    *_, alone = ids(opened)
    ready(opened)
    Decisions(opened.parts).decide(
        alone,
        revision=opened.incident(alone).revision,
        outcome=Review.DISMISSED,
        category="nudity",
        severity=Severity.HIGH,
        retention_class="DISMISSED",
        note="nothing",
        floors=(),
        by=BY,
        person_id="p1",
    )
    Destroyer(opened.parts).erase_party(alone, Party.COUNTERPART, reason="request r1", by=BY)
    said = verify(written(tmp_path / "c", certify(opened.parts, alone, by=BY)), key).statement
    assert said is not None
    assert (said["scope"], said["destroyed"], said["kept"]) == ("one party", ["counterpart"], ["subject"])
    assert {m["party"] for m in said["media"]} == {"counterpart"}
    (file,) = said["files"]
    assert file["unlinked_at"] == ""


def test_what_is_not_destroyed_is_not_certified_and_nothing_is_entered(opened: Vault) -> None:
    beside, *_ = ids(opened)
    before = opened.parts.head.read()
    with pytest.raises(TransitionError, match=rf"incident {beside} is not destroyed, so .* `watchkeep explain"):
        certify(opened.parts, beside, by=BY)
    with pytest.raises(WatchkeepError, match="there is no incident 00"):
        certify(opened.parts, "00", by=BY)
    assert opened.parts.head.read() == before


def test_every_changed_byte_is_refused(certificate: Path, issuer: bytes) -> None:
    body, chance = certificate.read_bytes(), random.Random(7)
    for at in chance.sample(range(len(body)), 400):
        other = chance.choice([b for b in range(256) if b != body[at]])
        certificate.write_bytes(body[:at] + bytes([other]) + body[at + 1 :])
        with pytest.raises(IntegrityError, match="certificate: "):
            verify_certificate(certificate, issuer)


def _entry(document: dict[str, Any], **changes: object) -> None:
    document["entries"][1]["entry"] |= changes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["statement"].update(issued_by="os:eve(0)"), r"statement is not the one that entry \d+ names"),
        (lambda d: d["statement"]["keys"].pop(), "statement is not the one"),
        (lambda d: d["statement"].update(ratio=0.5), "taken from it or put in"),
        (lambda d: d["statement"].pop("keys"), "taken from it or put in"),
        (lambda d: d.update(note="believe me"), "form was changed"),
        (lambda d: d.pop("checkpoint"), "form was changed"),
        (lambda d: _entry(d, actor="os:eve(0)"), r"entry \d+ was changed"),
        (lambda d: _entry(d, more="x"), "taken from it or put in"),
        (lambda d: d["entries"][1].update(more="x"), r"entry \d+ was changed"),
        (lambda d: d["entries"][1]["proof"].pop(), r"entry \d+ is not in the signed log"),
        (lambda d: d["entries"][1]["proof"].append("00" * 32), r"entry \d+ is not in the signed log"),
        (lambda d: d["entries"].pop(1), "do not tell what the statement says"),
        (lambda d: d["entries"].pop(), "statement is not the one that entry"),
        (lambda d: d["entries"].clear(), "taken from it or put in"),
        (lambda d: d["entries"].insert(0, d["entries"][0]), "do not tell what the statement says"),
        (lambda d: d.update(checkpoint=d["checkpoint"].replace("\ntime 2026", "\ntime 2025")), "this key signed"),
        (lambda d: d.update(checkpoint=7), "this key signed"),
    ],
)
def test_what_was_changed_in_it_is_named(
    certificate: Path, issuer: bytes, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    document = json.loads(certificate.read_bytes())
    change(document)
    with pytest.raises(IntegrityError, match=words):
        verify_certificate(written(certificate, document), issuer)


def test_a_statement_that_no_entry_bears_out_is_refused_whoever_signed_it(
    issued: tuple[Place, bytes], certificate: Path, issuer: bytes
) -> None:
    document = json.loads(issued[1])
    statement = document["statement"]
    statement["keys"][0]["at"] = "2026-11-01T00:00:00.000000Z"
    with issued[0].open() as vault:
        with vault.parts.journal.act(BY) as act:
            act.record(ISSUE, subject_of(statement["incident"]), after=digest_of_rows(statement))
            number = act.tip.sequence
        with vault.parts.catalog.read() as tx:
            signed, proven = Log(vault.parts).prove(tx, [*statement["entries"], number])
    items = [{"entry": p.entry._asdict(), "proof": [step.hex() for step in p.proof]} for p in proven]
    document |= {"entries": items, "checkpoint": signed.note}
    with pytest.raises(IntegrityError, match="do not tell what the statement says"):
        verify_certificate(written(certificate, document), issuer)


def test_a_certificate_of_another_log_is_not_of_this_key(certificate: Path, tmp_path: Path) -> None:
    with Place(tmp_path / "other").open() as other, pytest.raises(IntegrityError, match="this key signed"):
        verify(certificate, other.parts.head.public_key)


def test_a_destruction_that_no_entry_tells_of_is_not_certified(place_of_two: Place) -> None:
    with place_of_two.open() as vault:
        beside, *_ = ids(vault)
        destroy(vault, beside)
    with tampering(place_of_two) as db:
        db.execute("UPDATE destruction SET at = '2026-11-22T11:00:00.000000Z'")
    with place_of_two.open() as vault, pytest.raises(IntegrityError, match="no entry tells of the destruction"):
        certify(vault.parts, beside, by=BY)


def test_a_key_that_lives_is_not_certified_as_destroyed(place_of_two: Place) -> None:
    with place_of_two.open() as vault:
        beside, other, _ = ids(vault)
        destroy(vault, beside)
    with tampering(place_of_two) as db:
        db.execute(
            "INSERT INTO destruction SELECT key_id, owner, party, 'CE_INCIDENT', 'x', '2026', 'os:eve(0)' "
            "FROM key_ref WHERE owner = ?",
            (other,),
        )
    with place_of_two.open() as vault, pytest.raises(IntegrityError, match="but not in the key store"):
        certify(vault.parts, other, by=BY)
