"""Destruction against everything that happens at the same time, and against crashes between its steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, BinaryIO

import pytest

from pipeline.core.errors import KeyDestroyedError
from pipeline.vault import claims as claims_module
from pipeline.vault.blobs import FileStore
from pipeline.vault.claims import Claims
from pipeline.vault.destroy import Destroyer
from pipeline.vault.keys import FileKeyStore
from pipeline.vault.purge import Purge
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, entries, hold_on, keys_of, row
from tests.unit.vault.conftest import Place
from tests.unit.vault.sweeps import LATER, destructions, key_states, let_tick, plan, sealed_in, sweep
from tests.unit.vault.test_disclose import OPEN


class PowerCut(BaseException):
    """Nothing after this happens."""


def cut(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, after: bool = False) -> None:
    """The process dies when `name` is called, or when it has done its work."""
    really: Callable[..., Any] = getattr(owner, name)

    def dying(*args: Any, **options: Any) -> Any:
        if after:
            really(*args, **options)
        raise PowerCut

    monkeypatch.setattr(owner, name, dying)


def resumed(place: Place) -> Vault:
    """The vault in a process that begins after the crash."""
    return place.open()


def test_a_hold_placed_after_the_plan_still_wins(vault: Vault) -> None:
    """R1: the loser of the row sees the other."""
    (kept,) = sealed_in(vault, 0, "nudity")
    old = plan(vault, kept)
    hold_on(vault, [kept], until=None)
    assert sweep(vault, of=old).destroyed == ()
    assert key_states(vault, kept) == {"alive"} and row(vault, kept)["custody"] == "active"


def test_of_a_hold_and_a_sweep_at_the_same_moment_one_wins_and_the_other_is_told(vault: Vault, place: Place) -> None:
    """R1, I6: "OK but gone" never happens."""
    ids = [i for n in range(6) for i in sealed_in(vault, n, "nudity")]
    let_tick(vault)
    outcomes: dict[str, str] = {}
    for incident_id in ids:
        going, both = plan(vault, incident_id), threading.Barrier(2)

        def hold(incident_id: str = incident_id, both: threading.Barrier = both) -> None:
            with place.open() as other:
                both.wait()
                try:
                    hold_on(other, [incident_id], until=None)
                    outcomes[incident_id] = "held"
                except KeyDestroyedError:
                    outcomes[incident_id] = "told"

        thread = threading.Thread(target=hold)
        thread.start()
        both.wait()
        done = Destroyer(vault.parts).carry_out(going, now=LATER, actor=BY, allow_unreviewed=False)
        thread.join()
        assert outcomes[incident_id] == ("told" if done.destroyed else "held")
        assert key_states(vault, incident_id) == ({"destroyed"} if done.destroyed else {"alive"})
    assert vault.verify().problems == ()


def test_a_hold_on_what_is_claimed_calls_it_back(vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """R2: in DELETING with living keys a hold cancels, and the sweep's next step fails."""
    (kept,) = sealed_in(vault, 0, "nudity")
    really = Claims.destroy

    def late(claims: Claims, claimed: Any) -> None:
        assert row(vault, kept)["custody"] == "deleting"
        with place.open() as other:
            hold_on(other, [kept], until=None)
        really(claims, claimed)

    monkeypatch.setattr(Claims, "destroy", late)
    done = sweep(vault, kept)
    assert (done.destroyed, done.skipped) == ((), ((kept, "it was changed since it was planned: plan anew"),))
    assert row(vault, kept)["custody"] == "active" and key_states(vault, kept) == {"alive"}
    assert vault.verify().problems == ()


def test_a_hold_on_what_is_destroyed_is_refused_and_the_purge_ends(
    vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3."""
    (gone,) = sealed_in(vault, 0, "nudity")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut(patch, Purge, "after")
        sweep(vault, gone)
    assert row(vault, gone)["custody"] == "key_destroyed"
    with pytest.raises(KeyDestroyedError, match=gone):
        hold_on(vault, [gone], until=None)
    assert Destroyer(vault.parts).resume(actor=BY).files != ()
    assert row(vault, gone)["custody"] == "purged" and place.files() == []


def test_after_a_crash_between_key_and_file_the_file_goes(
    vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R7: restart goes on from KEY_DESTROYED, whether the file's row was written or not."""
    first, second = (sealed_in(vault, n, "nudity")[0] for n in range(2))
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut(patch, Purge, "_unlink")
        sweep(vault, first)
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut(patch, FileStore, "remove")
        sweep(vault, second)
    assert [row(vault, i)["custody"] for i in (first, second)] == ["key_destroyed"] * 2 and len(place.files()) == 2
    with resumed(place) as again:
        assert again.verify().problems != ()  # the second file's row says that it is gone
        assert len(Destroyer(again.parts).resume(actor=BY).files) == 2
        assert [row(again, i)["custody"] for i in (first, second)] == ["purged"] * 2 and place.files() == []
        assert again.verify().problems == ()


def test_after_a_crash_between_file_and_its_key_the_key_goes(
    vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R7."""
    (gone,) = sealed_in(vault, 0, "nudity")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut(patch, FileStore, "remove", after=True)
        sweep(vault, gone)
    with resumed(place) as again:
        (problem,) = again.verify().problems
        assert "lives, although its file was unlinked" in problem
        Destroyer(again.parts).resume(actor=BY)
        assert again.verify().problems == () and row(again, gone)["custody"] == "purged"


def test_after_a_crash_between_the_keys_and_their_record_it_is_recorded_once(
    vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R8: the ledger is the last word; the catalog follows it before anything else, and a hold is refused."""
    (gone,) = sealed_in(vault, 0, "nudity")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut(patch, FileKeyStore, "destroy", after=True)
        sweep(vault, gone)
    assert row(vault, gone)["custody"] == "deleting" and destructions(vault, gone) == []
    with resumed(place) as again:
        assert "was destroyed, and that is not written down" in again.verify().problems[0]
        with pytest.raises(KeyDestroyedError):
            hold_on(again, [gone], until=None)
        assert Destroyer(again.parts).resume(actor=BY).destroyed == (gone,)
        assert Destroyer(again.parts).resume(actor=BY).destroyed == ()
        assert row(again, gone)["custody"] == "purged" and len(destructions(again, gone)) == 2
        assert again.verify().problems == ()


def test_a_claim_that_a_crash_left_is_given_back_and_judged_anew(
    vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R8: DELETING with living keys is no reason to destroy."""
    (kept,) = sealed_in(vault, 0, "nudity")
    old = plan(vault, kept)
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut(patch, FileKeyStore, "destroy")
        sweep(vault, of=old)
    with resumed(place) as again:
        assert row(again, kept)["custody"] == "deleting"
        assert sweep(again, of=plan(again, kept)).skipped == ((kept, "it was claimed before: finish that first"),)
        assert Destroyer(again.parts).resume(actor=BY).released == (kept,)
        assert row(again, kept)["custody"] == "active" and key_states(again, kept) == {"alive"}
        assert sweep(again, of=old).destroyed == () and sweep(again, kept).destroyed == (kept,)
        assert again.verify().problems == ()


def test_when_only_one_of_two_keys_went_the_rest_is_kept_and_judged_anew(vault: Vault) -> None:
    """R8: the subject's key goes last, so an incident of which it lives was not destroyed."""
    (kept,) = sealed_in(vault, 0, "nudity")
    claims = Claims(vault.parts, now=LATER, actor=BY, allow_unreviewed=False)
    let_tick(vault)
    claims.claim(plan(vault, kept))
    keys = keys_of(vault, kept)
    with vault.parts.catalog.read() as tx:
        assert claims_module.keys_of(tx, [kept]) == {kept: [keys["counterpart"], keys["subject"]]}
    vault.parts.keys.destroy(keys["counterpart"])
    done = Destroyer(vault.parts).resume(actor=BY)
    assert (done.destroyed, done.parties, done.released) == ((), ((kept, "counterpart"),), (kept,))
    assert row(vault, kept)["custody"] == "active" and vault.verify().problems == ()
    with vault.parts.catalog.read() as tx:
        assert claims_module.keys_of(tx, [kept]) == {kept: [keys["subject"]]}
    assert sweep(vault, kept).destroyed == (kept,)


def test_two_workers_with_the_same_plan_destroy_once(vault: Vault, place: Place) -> None:
    """R10: one lock, one record."""
    ids = sealed_in(vault, 0, "nudity", "drugs")
    let_tick(vault)
    same, done = plan(vault, *ids), []

    def work() -> None:
        with place.open() as mine:
            done.append(Destroyer(mine.parts).carry_out(same, now=LATER, actor=BY, allow_unreviewed=False))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(d.destroyed) for d in done) == [0, 2]
    assert [len(destructions(vault, i)) for i in ids] == [2, 2]
    assert sum(verb == "incident.destroy" for verb, _, _ in entries(vault)) == 2
    assert vault.verify().problems == ()


def reading(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """While a file is opened for a reader, something else happens."""
    really: Callable[[FileStore, str], BinaryIO] = FileStore.open

    def slow(store: FileStore, name: str) -> BinaryIO:
        source = really(store, name)
        meanwhile()
        return source

    monkeypatch.setattr(FileStore, "open", slow)


def test_what_somebody_reads_is_passed_by_until_they_are_done(
    vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R20: a lease of a few minutes, taken with the entry of the look."""
    (read,) = sealed_in(vault, 0, "nudity")
    skipped: list[tuple[tuple[str, str], ...]] = []
    with monkeypatch.context() as patch:
        reading(patch, lambda: skipped.append(sweep(vault, read).skipped))
        record = vault.incident(read).records[0]
        assert vault.open_evidence(record.record_id, **OPEN)  # type: ignore[arg-type]
    assert skipped == [((read, "somebody is reading it: the next sweep takes it"),)]
    assert sweep(vault, read).destroyed == (read,)


def test_a_reader_who_takes_longer_than_the_lease_gets_nothing_of_what_went(
    vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R20: the read fails cleanly, even if the data were opened before the key went."""
    (gone,) = sealed_in(vault, 0, "nudity")

    def meanwhile() -> None:
        place.clock.at += timedelta(minutes=6)
        assert sweep(vault, gone).destroyed == (gone,)

    with monkeypatch.context() as patch:
        really = FileKeyStore.unwrap

        def slow(keys: FileKeyStore, key_id: str, wrapped: bytes) -> bytes:
            data_key = really(keys, key_id, wrapped)
            if key_id.startswith("incident-"):
                meanwhile()
            return data_key

        patch.setattr(FileKeyStore, "unwrap", slow)
        with pytest.raises(KeyDestroyedError):
            vault.open_evidence(vault.incident(gone).records[0].record_id, **OPEN)  # type: ignore[arg-type]
    with vault.parts.catalog.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM lease").scalar() == 0


def test_a_sweep_waits_for_the_one_before_it(vault: Vault, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """R10: what one has claimed, another's resuming does not give back under its hands."""
    (gone,) = sealed_in(vault, 0, "nudity")
    really, given_back = Claims.destroy, []

    def late(claims: Claims, claimed: Any) -> None:
        def work() -> None:
            with place.open() as mine:
                given_back.append(Destroyer(mine.parts).resume(actor=BY).released)

        other = threading.Thread(target=work)
        other.start()
        other.join(timeout=0.5)
        really(claims, claimed)
        threads.append(other)

    threads: list[threading.Thread] = []
    monkeypatch.setattr(Claims, "destroy", late)
    assert sweep(vault, gone).destroyed == (gone,)
    for thread in threads:
        thread.join()
    assert given_back == [()]
