"""The audit chain after a restore: what was lost is told, and only the fork that the restore signed is accepted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.core.checkpoint import Checkpoint, Published
from pipeline.core.clock import utc_text
from pipeline.core.errors import IntegrityError
from pipeline.export.audit_log import export_log
from pipeline.export.verifier import verify_export
from pipeline.vault.audit import losses
from pipeline.vault.log import Log
from pipeline.vault.marks import Marks
from tests.unit.vault.acts import BY, entries, last
from tests.unit.vault.conftest import Place
from tests.unit.vault.restores import backup, open_all, restore, take
from tests.unit.vault.sweeps import sealed_in

__all__ = ["backup"]


def test_the_chain_tells_of_what_was_lost_and_only_that_fork_is_accepted(
    place: Place, backup: Path, tmp_path: Path
) -> None:
    second, newer = tmp_path / "second", tmp_path / "newer"
    with place.open() as vault:
        Log(vault.parts).checkpoint(second, by=BY)
        sealed_in(vault, 2, "nudity")
        Log(vault.parts).checkpoint(second, by=BY)
        lost = last(vault)
    shutil.copytree(place.home / "catalog", newer)
    restore(place, backup, older=True)
    with place.open() as vault:
        end = next(n for n, e in enumerate(entries(vault), 1) if e[0] == "vault.restore")
        words = f"entries {end} to {lost} went lost in the restore"
        found = Log(vault.parts).check([second])
        assert found.problems == () and words in found.lost[0] and (found.checkpoints, found.strays) == (0, 2)
        seen = vault.verify()
        assert seen.problems == () and words in seen.lost[0]
        Log(vault.parts).checkpoint(second, by=BY)
        found = Log(vault.parts).check([second])
        assert found.problems == () and (found.checkpoints, found.strays) == (1, 2)
        export_log(vault.parts, tmp_path / "log.jsonl", by=BY)
        told = verify_export(tmp_path / "log.jsonl", vault.parts.head.public_key, checkpoints=second)
        assert words in told.what
        while last(vault) <= lost:
            take(vault, tmp_path / f"b{last(vault)}")
    shutil.rmtree(place.home / "catalog")
    newer.rename(place.home / "catalog")
    with place.open() as vault, pytest.raises(IntegrityError, match=r"are missing|is not the one whose head"):
        vault.begin_run("run-9", BY)


def test_after_a_restore_checkpoints_of_what_was_lost_differ_and_no_others(
    place: Place, backup: Path, tmp_path: Path
) -> None:
    with place.open() as vault:
        sealed_in(vault, 2, "nudity")
    restore(place, backup, older=True)
    with place.open() as vault:
        head, now = vault.parts.head, utc_text(place.clock.now())
        with vault.parts.catalog.read() as tx:
            (lost,) = losses(tx)
        before = "2026-01-01T00:00:00.000000Z"
        for number, (size, at) in enumerate(((lost.first - 1, before), (lost.first, now), (lost.last + 1, before))):
            signed = Checkpoint(size=size, root=bytes(32), at=at, key=head.public_key)
            lies(tmp_path / str(number), head.note(signed), size)
            found = Log(vault.parts).check([tmp_path / str(number)])
            assert len(found.problems) == 1 and found.strays == 0
        signed = Checkpoint(size=lost.first, root=bytes(32), at=before, key=head.public_key)
        lies(tmp_path / "stray", head.note(signed), lost.first)
        found = Log(vault.parts).check([tmp_path / "stray"])
        assert (found.problems, found.strays) == ((), 1)


def lies(folder: Path, note: str, size: int) -> None:
    """A checkpoint at a second place."""
    folder.mkdir()
    (folder / f"checkpoint-{size:012}.txt").write_text(Published(note=note, older=0, proof=()).text())


def test_a_fork_that_no_restore_signed_is_refused(place: Place, backup: Path) -> None:
    with place.open() as vault:
        sealed_in(vault, 2, "nudity")
    restore(place, backup, older=True)
    forks = place.keys / "audit" / "restores.jsonl"
    forks.write_bytes(forks.read_bytes().replace(b'"at":"20', b'"at":"19'))
    with place.open() as vault, pytest.raises(IntegrityError, match=r"list of restores .* was changed"):
        vault.begin_run("run-9", BY)


def test_a_chain_that_was_cut_off_without_a_restore_is_still_refused(place: Place, backup: Path) -> None:
    with place.open() as vault:
        sealed_in(vault, 2, "nudity")
    shutil.rmtree(place.home / "catalog")
    shutil.copytree(backup / "catalog", place.home / "catalog")
    with place.open() as vault, pytest.raises(IntegrityError, match="are missing"):
        vault.begin_run("run-9", BY)


@pytest.mark.parametrize("change", ["lost", "restored", "at"])
def test_a_list_of_restores_that_was_changed_is_refused(place: Place, backup: Path, change: str) -> None:
    with place.open() as vault:
        sealed_in(vault, 2, "nudity")
    restore(place, backup, older=True)
    path = place.keys / "audit" / "restores.jsonl"
    body = path.read_bytes()
    at = body.index(f'"{change}":'.encode()) + len(change) + 6
    path.write_bytes(body[:at] + (b"9" if body[at : at + 1] != b"9" else b"8") + body[at + 1 :])
    with place.open() as vault, pytest.raises(IntegrityError, match="was changed"):
        vault.begin_run("run-9", BY)


def test_the_newer_backup_may_be_restored_after_the_wrong_one(place: Place, backup: Path, tmp_path: Path) -> None:
    """The chain goes back to the branch that was left; checkpoints of either are told apart by their roots."""
    second = tmp_path / "second"
    with place.open() as vault:
        (newer,) = sealed_in(vault, 2, "nudity")
        Log(vault.parts).checkpoint(second, by=BY)
        take(vault, tmp_path / "newer")
        of_the_end = last(vault)
    restore(place, backup, older=True)
    with place.open() as vault:
        Log(vault.parts).checkpoint(second, by=BY)
        assert newer not in [v.incident_id for v in vault.incidents()]
    restore(place, tmp_path / "newer", older=True)
    with place.open() as vault:
        assert vault.verify().problems == () and open_all(vault, newer) == 5 and last(vault) > of_the_end
        found = Log(vault.parts).check([second])
        assert found.problems == () and (found.checkpoints, found.strays) == (1, 1)
        Log(vault.parts).checkpoint(second, by=BY)
        export_log(vault.parts, tmp_path / "log.jsonl", by=BY)
        assert (
            "went lost" in verify_export(tmp_path / "log.jsonl", vault.parts.head.public_key, checkpoints=second).what
        )


def test_two_restores_after_each_other_are_told_in_order(place: Place, backup: Path) -> None:
    for number in (2, 3):
        with place.open() as vault:
            vault.begin_run(f"run-{number}", BY)
            Marks(vault.parts).pause("a test", by=BY)
        restore(place, backup, older=True)
    with place.open() as vault:
        seen = vault.verify()
        assert seen.problems == () and len(seen.lost) == 1
        assert len(vault.parts.head.forks()) == 2
    assert len(list(place.home.glob("replaced-*"))) == 2
