"""Files of destroyed incidents, and old copies of catalog and vault that come back."""

from __future__ import annotations

import shutil

import pytest

from pipeline.core.errors import IntegrityError, KeyDestroyedError
from pipeline.core.evidence import Party
from pipeline.vault.destroy import Destroyer
from pipeline.vault.keys import FileKeyStore
from pipeline.vault.requests import Requests
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, entries, hold_on, row
from tests.unit.vault.conftest import Place, drafts, incident, recording, seal_one, span
from tests.unit.vault.sweeps import destructions, key_states, sealed_in, sweep
from tests.unit.vault.test_destroy_races import PowerCut, cut
from tests.unit.vault.test_disclose import OPEN


def test_a_file_stays_as_long_as_one_of_its_incidents_and_names_what_is_gone(vault: Vault, place: Place) -> None:
    gone, neighbour = sealed_in(vault, 0, "nudity", "drugs")
    hold_on(vault, [neighbour], until=None)
    done = sweep(vault, gone, neighbour)
    assert (done.destroyed, done.files) == ((gone,), ()) and len(place.files()) == 1
    assert row(vault, gone)["custody"] == "key_destroyed"
    for r in vault.incident(neighbour).records:
        assert vault.open_evidence(r.record_id, **OPEN) is not None  # type: ignore[arg-type]
    found = vault.verify()
    assert (found.problems, found.destroyed) == ((), 5)


def test_a_file_goes_with_the_last_of_its_incidents_and_all_of_them_are_purged(vault: Vault, place: Place) -> None:
    first, last = sealed_in(vault, 0, "nudity", "drugs")
    assert sweep(vault, first).files == ()
    assert len(sweep(vault, last).files) == 1 and place.files() == []
    assert [row(vault, i)["custody"] for i in (first, last)] == ["purged", "purged"]
    assert [verb for verb, subject, _ in entries(vault) if subject.startswith("file:")] == ["file.seal", "file.unlink"]
    assert vault.verify().problems == ()


def test_a_person_is_found_as_long_as_evidence_of_them_is_left(vault: Vault) -> None:
    (first,), (second,) = (sealed_in(vault, n, "nudity") for n in range(2))
    asked = Requests(vault.parts)
    sweep(vault, first)
    assert asked.incidents_of("canary-account") == ((second, Party.SUBJECT),)
    sweep(vault, second)
    assert asked.incidents_of("canary-account") == ()


def test_what_was_destroyed_is_not_sealed_again_when_its_recording_is_scanned_again(vault: Vault, place: Place) -> None:
    (gone,) = sealed_in(vault, 0, "nudity")
    sweep(vault, gone)
    of, at = recording(0), span(1, 2)
    again = seal_one(vault, of, [(incident(of, at), drafts(at))], conclusion="c9")
    assert again == (gone,) and place.files() == [] and row(vault, gone)["custody"] == "purged"
    assert vault.verify().problems == ()


def test_an_old_catalog_brings_no_destroyed_incident_back(vault: Vault, place: Place) -> None:
    """R16: the ledger is asked before anything else, and the catalog follows it."""
    gone, kept = sealed_in(vault, 0, "nudity", "drugs")
    (alone,) = sealed_in(vault, 1, "nudity")
    records = {i: vault.incident(i).records[0].record_id for i in (gone, kept, alone)}
    vault.close()
    for part, name in ((place.home / "catalog", "catalog"), (place.keys / "audit", "audit")):
        shutil.copytree(part, place.root / "old" / name)
    with place.open() as later:
        assert sweep(later, gone, alone).destroyed == (gone, alone)
    for part, name in ((place.home / "catalog", "catalog"), (place.keys / "audit", "audit")):
        shutil.rmtree(part)
        shutil.copytree(place.root / "old" / name, part)
    with place.open() as restored:
        for incident_id in (gone, alone):
            assert row(restored, incident_id)["custody"] == "active"
            with pytest.raises((KeyDestroyedError, IntegrityError)):
                restored.open_evidence(records[incident_id], **OPEN)  # type: ignore[arg-type]
        assert "no act in the catalog gave its evidence up" in " ".join(restored.verify().problems)
        done = Destroyer(restored.parts).resume(actor=BY)
        assert sorted(done.destroyed) == sorted([gone, alone]) and len(done.files) == 1
        assert [row(restored, i)["custody"] for i in (gone, alone, kept)] == ["key_destroyed", "purged", "active"]
        assert [len(destructions(restored, i)) for i in (gone, alone, kept)] == [2, 2, 0]
        assert restored.open_evidence(records[kept], **OPEN)  # type: ignore[arg-type]
        assert restored.verify().problems == ()


def test_an_old_vault_brings_no_file_back(vault: Vault, place: Place) -> None:
    """R16: what was unlinked and is there again is unlinked again."""
    (gone,) = sealed_in(vault, 0, "nudity")
    shutil.copytree(place.home / "vault", place.root / "old")
    sweep(vault, gone)
    shutil.copytree(place.root / "old", place.home / "vault", dirs_exist_ok=True)
    (problem,) = vault.verify().problems
    assert "is back, although it was unlinked" in problem
    assert len(Destroyer(vault.parts).resume(actor=BY).files) == 1
    assert place.files() == [] and vault.verify().problems == ()
    assert Destroyer(vault.parts).resume(actor=BY).files == ()


def test_old_catalog_and_old_vault_together_bring_nothing_back(vault: Vault, place: Place) -> None:
    """R16."""
    (gone,) = sealed_in(vault, 0, "nudity")
    record_id = vault.incident(gone).records[0].record_id
    vault.close()
    parts = {"catalog": place.home / "catalog", "audit": place.keys / "audit", "vault": place.home / "vault"}
    for name, part in parts.items():
        shutil.copytree(part, place.root / "old" / name)
    with place.open() as later:
        assert sweep(later, gone).destroyed == (gone,)
    for name, part in parts.items():
        shutil.rmtree(part)
        shutil.copytree(place.root / "old" / name, part)
    with place.open() as restored:
        with pytest.raises(KeyDestroyedError):
            restored.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]
        Destroyer(restored.parts).resume(actor=BY)
        assert row(restored, gone)["custody"] == "purged" and place.files() == []
        assert key_states(restored, gone) == {"destroyed"} and restored.verify().problems == ()


def test_living_keys_are_renewed_once_a_sweep_destroyed_something(vault: Vault) -> None:
    gone, other = sealed_in(vault, 0, "nudity", "drugs")

    def told() -> list[str]:
        return [verb for verb, subject, _ in entries(vault) if subject == "keys"]

    Destroyer(vault.parts).resume(actor=BY)
    assert told() == []
    sweep(vault, gone)
    assert told() == ["keys.owe", "keys.renew"]
    sweep(vault, gone)
    assert told() == ["keys.owe", "keys.renew"]
    sweep(vault, other)
    assert told() == ["keys.owe", "keys.renew"] * 2


def test_a_renewal_that_a_crash_prevented_is_made_up_for(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    (gone,) = sealed_in(vault, 0, "nudity")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut(patch, FileKeyStore, "renew")
        sweep(vault, gone)
    assert entries(vault)[-1][0] != "keys.renew"
    Destroyer(vault.parts).resume(actor=BY)
    assert [verb for verb, subject, _ in entries(vault) if subject == "keys"] == ["keys.owe", "keys.renew"]
