"""The key store and a disk that stops: at every step of founding, creating, destroying, renewing and taking over."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.core.errors import IntegrityError, KeyDestroyedError, SealError
from pipeline.vault.kit import first_kit, read_kit
from tests.unit.vault.key_places import MASTER, epoch_of, old_store, slots_in, store_at, wrapped_under
from tests.unit.vault.power import every_cut, every_failure

GONE, KEPT = ("file-1", "file-2"), ("file-3", "file-4", "file-5")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Five keys, a kit in the master folder, one destroyed key."""
    store = store_at(tmp_path / "base")
    for key_id in (*GONE, *KEPT, "file-0"):
        store.create(key_id)
    store.destroy("file-0")
    first_kit(epoch_of(tmp_path / "base" / "keys"), MASTER)
    return tmp_path / "base"


@pytest.fixture
def wrapped(base: Path) -> dict[str, bytes]:
    store = store_at(base)
    return {key_id: store.wrap(key_id, bytes(32)) for key_id in (*GONE, *KEPT)}


def _tidy(place: Path) -> None:
    """One folder of keys, one epoch, a kit of that epoch, and no slot or chain of another."""
    epoch = epoch_of(place / "keys")
    number = epoch.read().number
    assert {p.name for p in (place / "keys/store").iterdir()} == {str(number), "lock"}
    assert {p.name for p in epoch.path.parent.iterdir()} == {"epoch", "ledger-head", "lock", "recovery-kit.txt"}
    assert read_kit(epoch.kit_file).epoch == epoch.read()


def _all_whole(place: Path, wrapped: dict[str, bytes], key_ids: tuple[str, ...]) -> None:
    store = store_at(place)
    assert all(store.unwrap(key_id, wrapped[key_id]) == bytes(32) for key_id in key_ids)
    with pytest.raises(KeyDestroyedError):
        store.exists("file-0")


def test_a_renewal_cut_at_any_step_is_finished_or_never_happened(
    base: Path, tmp_path: Path, wrapped: dict[str, bytes]
) -> None:
    outcomes = set()
    for place, ended in every_cut(base, tmp_path, lambda p: store_at(p).renew()):
        if ended:
            assert epoch_of(place / "keys").read().number == 1
            _tidy(place)  # before anybody opens it
        _all_whole(place, wrapped, (*GONE, *KEPT))
        _tidy(place)
        number = epoch_of(place / "keys").read().number
        outcomes.add(number)
        shutil.rmtree(place / "keys/store")
        shutil.copytree(base / "keys/store", place / "keys/store")  # the copy of before
        if number == 1:
            with pytest.raises(IntegrityError, match="old copy"):
                store_at(place)
        else:
            _all_whole(place, wrapped, (*GONE, *KEPT))
    assert outcomes == {0, 1}


def test_a_destruction_cut_at_any_step_is_whole_for_each_key_and_may_be_given_again(
    base: Path, tmp_path: Path, wrapped: dict[str, bytes]
) -> None:
    outcomes = set()
    for place, ended in every_cut(base, tmp_path, lambda p: store_at(p).destroy(*GONE)):
        before = {name for _, _, name in slots_in(place / "keys/store")}
        store = store_at(place)
        alive = {key_id for key_id in GONE if key_id in store.ids()}
        outcomes.add(len(alive))
        assert not (ended and alive) and not (ended and before & set(GONE))
        assert {name for _, _, name in slots_in(place / "keys/store") if name} == alive | set(KEPT)
        for key_id in GONE:
            if key_id in alive:
                assert store.unwrap(key_id, wrapped[key_id]) == bytes(32)
            else:
                with pytest.raises(KeyDestroyedError):
                    store.unwrap(key_id, wrapped[key_id])
        store.destroy(*GONE)
        assert store.ids() == list(KEPT)
        _all_whole(place, wrapped, KEPT)
        _tidy(place)
    assert {0, 2} <= outcomes


def test_a_key_that_was_made_is_on_the_disk_and_half_of_one_is_none(
    base: Path, tmp_path: Path, wrapped: dict[str, bytes]
) -> None:
    for place, ended in every_cut(base, tmp_path, lambda p: store_at(p).create("file-9")):
        store = store_at(place)
        if ended or store.exists("file-9"):
            assert store.wrap("file-9", bytes(32))
        else:
            store.create("file-9")
        assert store.ids() == sorted((*GONE, *KEPT, "file-9"))
        _all_whole(place, wrapped, (*GONE, *KEPT))


def test_the_first_start_cut_at_any_step_can_be_given_again(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    for place, ended in every_cut(tmp_path / "base", tmp_path, lambda p: store_at(p).create("file-1")):
        store = store_at(place)
        assert store.ids() == ["file-1"] or not ended
        store.create("file-2")
        assert "file-2" in store_at(place).ids()


def test_taking_over_an_old_folder_cut_at_any_step_loses_no_key(tmp_path: Path) -> None:
    keys = old_store(tmp_path / "base", *KEPT, "file-0", destroyed=("file-0",))
    for place, _ in every_cut(tmp_path / "base", tmp_path, store_at):
        _all_whole(place, wrapped_under(keys), KEPT)
        assert {p.name for p in (place / "keys/store").iterdir()} == {"0", "lock"}


@pytest.mark.parametrize(
    "work",
    [
        lambda p: store_at(p).renew(),
        lambda p: store_at(p).destroy(*GONE),
        lambda p: store_at(p).create("file-9"),
    ],
    ids=["renew", "destroy", "create"],
)
def test_a_disk_that_fails_at_one_step_loses_nothing_and_the_next_start_goes_on(
    base: Path, tmp_path: Path, wrapped: dict[str, bytes], work: Callable[[Path], object]
) -> None:
    def tried(place: Path) -> None:
        try:
            work(place)
        except SealError as error:
            assert isinstance(error.__cause__, OSError)
            raise error.__cause__ from None

    failures = 0
    for place, error in every_failure(base, tmp_path, tried):
        failures += error is not None
        store = store_at(place)
        if "file-9" not in store.ids():
            store.create("file-9")
        store.renew()
        store.destroy(*GONE)
        assert store.ids() == [*KEPT, "file-9"]
        _all_whole(place, wrapped, KEPT)
        _tidy(place)
    assert failures >= 3


def test_a_process_whose_disk_failed_once_goes_on_without_being_started_anew(
    base: Path, tmp_path: Path, wrapped: dict[str, bytes]
) -> None:
    def all_of_it(place: Path) -> None:
        store, problem = store_at(place), None
        for act in (lambda: store.create("file-9"), lambda: store.destroy(*GONE), store.renew):
            try:
                act()
            except (OSError, SealError) as error:
                problem = error
                act()
        assert store.ids() == [*KEPT, "file-9"]
        assert all(store.unwrap(key_id, wrapped[key_id]) == bytes(32) for key_id in KEPT)
        if problem is not None:
            raise OSError(str(problem))

    for place, _ in every_failure(base, tmp_path, all_of_it):
        _all_whole(place, wrapped, KEPT)
