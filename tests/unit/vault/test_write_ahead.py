"""What is about to be destroyed is on record before it goes, durable, and may still be stopped."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pipeline.core.evidence import Party
from pipeline.core.retention import Disposition
from pipeline.vault.blobs import FileStore
from pipeline.vault.claims import Claims
from pipeline.vault.destroy import Destroyer
from pipeline.vault.keys import FileKeyStore
from pipeline.vault.marks import Marks
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, row
from tests.unit.vault.conftest import Place
from tests.unit.vault.sweeps import key_states, let_tick, sealed_in, sweep


def committed(place: Place, verb: str) -> list[str]:
    """The subjects of entries that another process sees by now."""
    with closing(sqlite3.connect(f"file:{place.home / 'catalog/catalog.db'}?mode=ro", uri=True)) as db:
        return [s for (s,) in db.execute("SELECT subject FROM audit_event WHERE verb = ?", (verb,))]


def test_no_key_goes_before_its_claim_is_committed(vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = sealed_in(vault, 0, "nudity", "drugs")
    seen: list[list[str]] = []
    real = FileKeyStore.destroy

    def destroy(store: FileKeyStore, *key_ids: str) -> None:
        seen.append(sorted(committed(place, "incident.claim")))
        real(store, *key_ids)

    monkeypatch.setattr(FileKeyStore, "destroy", destroy)
    assert set(sweep(vault, *ids).destroyed) == set(ids)
    assert seen and set(map(tuple, seen)) == {tuple(sorted(f"incident:{i}" for i in ids))}


def test_no_party_s_key_goes_before_its_claim_is_committed(
    vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = sealed_in(vault, 0, "nudity")
    let_tick(vault)
    seen: list[list[str]] = []
    real = FileKeyStore.destroy

    def destroy(store: FileKeyStore, *key_ids: str) -> None:
        seen.append(committed(place, "party.claim"))
        real(store, *key_ids)

    monkeypatch.setattr(FileKeyStore, "destroy", destroy)
    Destroyer(vault.parts).erase_party(one, Party.COUNTERPART, reason="asked", by=BY)
    assert seen == [[f"incident:{one}"]]


def test_no_file_goes_before_its_end_is_committed(vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = sealed_in(vault, 0, "nudity")
    seen: list[int] = []
    real = FileStore.remove

    def remove(store: FileStore, *names: str) -> None:
        seen.append(len(committed(place, "file.unlink")))
        real(store, *names)

    monkeypatch.setattr(FileStore, "remove", remove)
    assert sweep(vault, one).files
    assert seen == [1]


def test_a_pause_that_begins_after_the_claim_still_stops_it(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = sealed_in(vault, 0, "nudity")
    real = Claims.claim

    def claim(claims: Claims, batch: list[Disposition]) -> dict[str, Disposition]:
        claimed = real(claims, batch)
        Marks(vault.parts).pause("somebody found something", by=BY)
        return claimed

    monkeypatch.setattr(Claims, "claim", claim)
    done = sweep(vault, one)
    assert done.destroyed == () and "somebody found something" in done.pause
    assert (row(vault, one)["custody"], key_states(vault, one)) == ("active", {"alive"})
