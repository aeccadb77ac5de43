"""R16: a backup comes back whole, nothing destroyed comes back with it, and nobody takes the fork for tampering."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.core.errors import (
    BusyError,
    ConfigError,
    IntegrityError,
    KeyDestroyedError,
    TransitionError,
    WatchkeepError,
)
from pipeline.vault.marks import Marks
from pipeline.vault.replacing import STAGE, Replacing
from pipeline.vault.restore import Restore
from tests.unit.vault.acts import BY, entries, hold_on, keys_of, last, row
from tests.unit.vault.conftest import CANARIES, Place
from tests.unit.vault.restores import accept, backup, drilled, living, of, open_all, restore, take
from tests.unit.vault.sweeps import bytes_under, key_states, plan, sealed_in, sweep
from tests.unit.vault.test_disclose import OPEN

__all__ = ["backup"]


def test_a_drill_opens_every_record_and_changes_nothing(place: Place, backup: Path, tmp_path: Path) -> None:
    before = bytes_under(place.home, place.keys, tmp_path / "keys-master")
    found = drilled(place, backup, tmp_path / "drill")
    assert found.found.problems == () and (found.found.records, found.found.destroyed) == (15, 0)
    assert found.lost is None and found.destroyed == ()
    assert bytes_under(place.home, place.keys, tmp_path / "keys-master") == before
    assert not [c for body in bytes_under(tmp_path / "drill").values() for c in CANARIES if c in body]


def test_a_drill_of_an_old_backup_says_what_is_not_in_it(place: Place, backup: Path, tmp_path: Path) -> None:
    with place.open() as vault:
        gone, end = of(vault, "weapon"), last(vault)
        sweep(vault, gone)
        sealed_in(vault, 2, "nudity")
        now = last(vault)
    before = bytes_under(place.home, place.keys, tmp_path / "keys-master")
    found = drilled(place, backup, tmp_path / "drill")
    assert found.found.problems == () and found.destroyed == (gone,) and found.found.destroyed == 5
    assert found.lost is not None and (found.lost.first, found.lost.last) == (end + 1, now)
    assert bytes_under(place.home, place.keys, tmp_path / "keys-master") == before


@pytest.mark.parametrize("what", ["changed", "gone", "catalog"])
def test_a_backup_of_which_a_file_was_changed_or_lost_proves_nothing(
    place: Place, backup: Path, tmp_path: Path, what: str
) -> None:
    file = backup / "catalog" / "catalog.db" if what == "catalog" else min((backup / "vault").rglob("*.parquet"))
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.unlink()
    if what != "gone":
        file.write_bytes(body)
    with pytest.raises(IntegrityError, match=rf"{file.name} (was changed|is gone)"):
        drilled(place, backup, tmp_path / "drill")


def test_an_empty_home_gets_back_all_of_it(place: Place, backup: Path) -> None:
    before = {p.relative_to(place.home): p.read_bytes() for p in place.files()}
    shutil.rmtree(place.home)
    place.home.mkdir()
    found = restore(place, backup)
    with place.open() as vault:
        assert vault.verify().problems == () and found.lost is None
        assert {p.relative_to(place.home): p.read_bytes() for p in place.files()} == before
        assert [open_all(vault, v.incident_id) for v in vault.incidents()] == [5, 5, 5]
        assert ("vault.restore", "restores") in [(v, s) for v, s, _ in entries(vault)]


def test_a_home_that_is_whole_is_not_replaced_unless_somebody_insists(place: Place, backup: Path) -> None:
    before = bytes_under(place.home, place.keys)
    with pytest.raises(ConfigError, match=r"is whole and its audit chain has .* --force-older"):
        restore(place, backup)
    assert bytes_under(place.home, place.keys) == before
    restore(place, backup, older=True)
    with place.open() as vault:
        assert vault.verify().problems == ()


@pytest.mark.parametrize("how", ["damaged", "cut", "gone", "empty"])
def test_a_broken_catalog_is_replaced_and_moved_aside_never_deleted(place: Place, backup: Path, how: str) -> None:
    with place.open() as vault:
        sealed_in(vault, 2, "nudity")
    path = place.home / "catalog" / "catalog.db"
    if how == "damaged":
        body = bytearray(path.read_bytes())
        body[4096 * 3 : 4096 * 40] = bytes(4096 * 37)
        path.write_bytes(body)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif how == "gone":
        shutil.rmtree(path.parent)
    else:
        path.write_bytes(b"")
    old = {body for at, body in bytes_under(place.home).items() if at.name == "catalog.db" or at.suffix == ".parquet"}
    restore(place, backup)
    with place.open() as vault:
        assert vault.verify().problems == () and len(vault.incidents()) == 3
    (aside,) = place.home.glob("replaced-*")
    assert old <= set(bytes_under(aside).values()) and not (place.home / STAGE).exists()


def test_what_was_destroyed_since_stays_destroyed_and_its_file_goes_again(place: Place, backup: Path) -> None:
    """R16: catalog and vault restored together."""
    with place.open() as vault:
        shared, alone = of(vault, "drugs"), of(vault, "weapon")
        assert set(sweep(vault, shared, alone).destroyed) == {shared, alone}
        assert key_states(vault, alone) == {"destroyed"}
    found = restore(place, backup, older=True)
    assert set(found.destroyed) == {shared, alone}
    with place.open() as vault:
        assert [row(vault, i)["custody"] for i in (shared, alone)] == ["key_destroyed", "purged"]
        assert (open_all(vault, shared), open_all(vault, alone)) == (0, 0)
        assert open_all(vault, of(vault, "nudity")) == 5 and len(place.files()) == 1
        assert vault.verify().problems == ()


def test_nothing_is_destroyed_until_two_people_confirmed_the_holds(place: Place, backup: Path) -> None:
    """R16: a hold that was placed since is not in the backup; the pause says so and holds everything."""
    with place.open() as vault:
        held = of(vault, "nudity")
        hold_on(vault, [held], until=None)
        start, end = last(vault) - 1, last(vault)
    restore(place, backup, older=True)
    with place.open() as vault:
        (pause,) = Marks(vault.parts).open_pauses()
        assert "confirm every hold against the published audit log" in pause.reason
        assert f"to {end} of the audit chain are not in it" in pause.reason and start < end
        assert sweep(vault, held).destroyed == () and key_states(vault, held) == {"alive"}
        accept(vault)
        assert sweep(vault, held).destroyed == (held,)


def test_keys_of_what_was_sealed_since_are_no_leftovers_while_it_is_paused(place: Place, backup: Path) -> None:
    with place.open() as vault:
        (newer,) = sealed_in(vault, 2, "nudity")
        keys, ids = set(keys_of(vault, newer).values()), set(vault.parts.keys.ids())
    restore(place, backup, older=True)
    with place.open() as vault:
        assert keys <= set(vault.orphans().keys)
        with pytest.raises(TransitionError, match="destruction is paused"):
            vault.remove_orphans()
        assert set(vault.parts.keys.ids()) == ids
        accept(vault)
        vault.remove_orphans()
        assert not vault.orphans()


class Cut(BaseException):
    """The process is gone."""


def test_a_restore_cut_off_at_any_step_is_finished_by_the_same_command(
    place: Place, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then nobody opens the vault; before it counts, everything is as it was."""
    with place.open() as vault:
        sweep(vault, of(vault, "weapon"))
    for name in ("home", "keys", "keys-master"):
        shutil.copytree(tmp_path / name, tmp_path / "base" / name)
    step, ended, states = 0, False, set()
    while not ended:
        step += 1
        for name in ("home", "keys", "keys-master"):
            shutil.rmtree(tmp_path / name)
            shutil.copytree(tmp_path / "base" / name, tmp_path / name)
        with monkeypatch.context() as patch:
            count = cut_at(patch, step)
            try:
                restore(place, backup, older=True)
                ended = True
            except Cut:
                pass
        if count[0] < step and not ended:
            continue
        try:
            with place.open() as vault:
                whole = vault.verify().problems
                assert whole == () or ended or "sweep --apply" in " ".join(whole), step
                states.add("restored" if Marks(vault.parts).open_pauses() else "as it was")
        except ConfigError as error:
            assert "is not finished" in str(error)
            states.add("between")
        restore(place, backup, older=True)
        with place.open() as vault:
            assert vault.verify().problems == () and len(vault.incidents()) == 3, step
            assert Marks(vault.parts).open_pauses() and open_all(vault, of(vault, "weapon")) == 0
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
    assert states == {"as it was", "between", "restored"} and step > 12


def cut_at(patch: pytest.MonkeyPatch, number: int) -> list[int]:
    """The process ends before the given change of names that the replacing makes."""
    steps = [0]

    def watched(real: object) -> object:
        def step(*args: object, **kwargs: object) -> object:
            steps[0] += 1
            if steps[0] == number:
                raise Cut
            return real(*args, **kwargs)  # type: ignore[operator]

        return step

    for name in ("go", "swap", "end", "clear", "free"):
        patch.setattr(Replacing, name, watched(getattr(Replacing, name)))
    for name in ("rename", "unlink"):
        patch.setattr(Path, name, watched(getattr(Path, name)))
    return steps


def test_what_is_open_in_another_process_is_not_moved(
    place: Place, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.vault.catalog.BUSY_TIMEOUT_S", 0.1)
    with place.open() as vault:
        before = last(vault)
        with pytest.raises(BusyError, match="is open in another process"):
            restore(place, backup, older=True)
        assert last(vault) == before


def test_what_was_written_while_it_was_prepared_is_not_lost(place: Place, backup: Path) -> None:
    work = Restore(place.home, living(place))
    going, _ = work.begin(backup, by=BY, older=True, damaged=False)
    with pytest.raises(ConfigError, match="is not finished"):
        place.open()
    go = place.home / STAGE / "go"
    held = go.read_bytes()
    go.unlink()
    with place.open() as vault:
        hold_on(vault, [of(vault, "nudity")], until=None)
    go.write_bytes(held)
    with pytest.raises(BusyError, match="written to meanwhile"):
        work.finish(going, lambda: None)
    with place.open() as vault:
        assert vault.verify().problems == () and not Marks(vault.parts).open_pauses()


def test_a_backup_that_is_not_whole_is_restored_only_if_somebody_insists(place: Place, tmp_path: Path) -> None:
    with place.open() as vault:
        vault.begin_run("run-1", BY)
        sealed_in(vault, 0, "nudity")
        sealed_in(vault, 1, "weapon")
        place.files()[0].unlink()
        take(vault, tmp_path / "backup")
    with pytest.raises(IntegrityError, match=r"is not whole .* nothing was restored"):
        restore(place, tmp_path / "backup", older=True)
    assert not (place.home / STAGE).exists()
    restore(place, tmp_path / "backup", older=True, damaged=True)
    with place.open() as vault:
        assert len(vault.verify().problems) == 1


@pytest.mark.parametrize("folders", [("catalog",), ("vault",), ("keys",), ("catalog", "vault"), ("all",)])
def test_old_copies_alone_or_together_bring_nothing_back(
    place: Place, tmp_path: Path, folders: tuple[str, ...]
) -> None:
    """R16 whole: catalog, vault and key folder of before, put back by hand; no call returns the plaintext."""
    old = tmp_path / "old"
    with place.open() as vault:
        vault.begin_run("run-1", BY)
        gone, kept = sealed_in(vault, 0, "nudity")[0], sealed_in(vault, 1, "drugs")[0]
        records = [record.record_id for record in vault.incident(gone).records]
    shutil.copytree(place.home, old / "home")
    shutil.copytree(place.keys, old / "keys")
    with place.open() as vault:
        assert sweep(vault, of=plan(vault, gone)).destroyed == (gone,)
    for name in ("catalog", "vault", "keys") if folders == ("all",) else folders:
        target = place.keys if name == "keys" else place.home / name
        shutil.rmtree(target)
        shutil.copytree(old / "keys" if name == "keys" else old / "home" / name, target)
    try:
        with place.open() as vault:
            for record_id in records:
                with pytest.raises((KeyDestroyedError, IntegrityError)):
                    vault.open_evidence(record_id, **OPEN)  # type: ignore[arg-type]
            assert key_states(vault, kept) == {"alive"}
    except WatchkeepError as error:  # an old key folder opens no more at all
        assert "old copy" in str(error) and {"keys", "all"} & set(folders)
    else:
        assert not {"keys", "all"} & set(folders)
    canaries = [*CANARIES, *(c[::-1] for c in CANARIES)]
    for path, body in bytes_under(place.home, place.keys).items():
        assert not [c for c in canaries if c in body], path
