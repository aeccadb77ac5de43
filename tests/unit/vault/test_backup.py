"""Backups: whole while work goes on, refused where they would hide or mix something, and worth nothing without keys."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.vault.backup import MANIFEST, Backup, Taken, copy_keys, read_manifest
from pipeline.vault.head import SignedHead
from pipeline.vault.vault import Vault
from tests.unit.vault.acts import BY, entries, last
from tests.unit.vault.conftest import CANARIES, MASTER, Place, drafts, incident, recording, seal_one, span
from tests.unit.vault.restores import restore, take
from tests.unit.vault.sweeps import bytes_under, plan, sealed_in, sweep


def test_a_backup_lists_every_file_with_its_digest_and_ends_where_the_chain_did(
    sealed: Vault, place: Place, tmp_path: Path
) -> None:
    taken = take(sealed, tmp_path / "backup")
    manifest = read_manifest(tmp_path / "backup", sealed.parts.head)
    listed = list(manifest.listed())
    assert {name for name, _, _ in listed} == {"catalog/catalog.db"} | {
        f"vault/{p.relative_to(place.home / 'vault').as_posix()}" for p in place.files()
    }
    for name, sha256, size in listed:
        body = (tmp_path / "backup" / name).read_bytes()
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (sha256, size)
    assert (manifest.head.sequence, taken.problems) == (last(sealed), ())
    assert entries(sealed)[-1] == ("vault.backup", "vault", f"to {tmp_path / 'backup'}")
    assert {p.stat().st_mode & 0o077 for p in (tmp_path / "backup").rglob("*")} == {0}


def test_a_backup_holds_no_key_and_nothing_in_the_clear(sealed: Vault, place: Place, tmp_path: Path) -> None:
    take(sealed, tmp_path / "backup")
    secret = [p.read_bytes() for p in (place.keys / "store" / "0").glob("*.keys")]
    for path, body in bytes_under(tmp_path / "backup").items():
        assert not [c for c in CANARIES if c in body], path
        assert not [slots for slots in secret if slots[68:128] in body], path


def test_a_folder_that_is_not_empty_is_refused_and_nothing_is_entered(sealed: Vault, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "note.txt").write_text("mine")
    before = last(sealed)
    with pytest.raises(ConfigError, match="is not empty"):
        take(sealed, tmp_path / "backup")
    assert last(sealed) == before and (tmp_path / "backup" / "note.txt").read_text() == "mine"


def test_a_backup_without_its_manifest_is_unfinished(sealed: Vault, tmp_path: Path) -> None:
    taking = Backup(sealed.parts, tmp_path / "backup", by=BY)
    taking.catalog()
    with pytest.raises(ConfigError, match="holds no finished backup"):
        read_manifest(tmp_path / "backup", sealed.parts.head)


@pytest.mark.parametrize("line", [0, -1])
def test_a_manifest_of_which_a_byte_was_changed_is_refused(sealed: Vault, tmp_path: Path, line: int) -> None:
    take(sealed, tmp_path / "backup")
    path = tmp_path / "backup" / MANIFEST
    lines = path.read_bytes().splitlines(keepends=True)
    said = json.loads(lines[line])
    said["size" if line == 0 else "entries"] += 1
    lines[line] = json.dumps(said, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(IntegrityError, match="was changed"):
        read_manifest(tmp_path / "backup", sealed.parts.head)


def test_a_backup_of_another_installation_is_refused(sealed: Vault, tmp_path: Path) -> None:
    take(sealed, tmp_path / "backup")
    with pytest.raises(IntegrityError, match="of another installation"):
        read_manifest(tmp_path / "backup", SignedHead(tmp_path / "other", MASTER))


def test_while_scans_and_sweeps_go_on_a_backup_is_of_one_moment(place: Place, tmp_path: Path) -> None:
    with place.open() as vault:
        vault.begin_run("run-1", BY)
        going = [sealed_in(vault, number, "nudity")[0] for number in range(4)]
        failed: list[Exception] = []

        def work() -> None:
            try:
                with place.open() as other:
                    for number, incident_id in enumerate(going):
                        of = recording(100 + number)
                        pairs = [(incident(of, span(1, 2)), drafts(span(1, 2)))]
                        seal_one(other, of, pairs, conclusion=f"meanwhile-{number}")
                        sweep(other, incident_id)
            except Exception as error:  # noqa: BLE001  # told below, in the thread that can
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        taken: list[Taken] = []
        while thread.is_alive() or len(taken) < 2:
            taken.append(take(vault, tmp_path / f"backup-{len(taken)}"))
        thread.join()
        assert not failed and all(t.problems == () for t in taken)
        assert vault.verify().problems == ()
    for number in {0, len(taken) // 2, len(taken) - 1}:
        again = restore(place, tmp_path / f"backup-{number}", older=True)
        assert again.found.problems == (), number


def test_a_file_that_is_not_what_was_sealed_is_named_and_the_others_are_copied(
    vault: Vault, place: Place, tmp_path: Path
) -> None:
    for number in range(3):
        sealed_in(vault, number, "nudity")
    changed, gone, _ = place.files()
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    gone.unlink()
    taken = take(vault, tmp_path / "backup")
    assert len(taken.problems) == 2
    assert all(any(p.name in words for words in taken.problems) for p in (changed, gone))
    assert taken.files == 1 + 2


def test_a_copy_of_the_keys_opens_nothing_after_the_next_sweep(vault: Vault, place: Place, tmp_path: Path) -> None:
    gone, _ = sealed_in(vault, 0, "nudity", "drugs")
    count = copy_keys(vault.parts, place.keys, place.keys, tmp_path / "copy")
    copied = {p.relative_to(tmp_path / "copy").as_posix() for p in (tmp_path / "copy").rglob("*") if p.is_file()}
    assert count == len(copied) - 1 and MANIFEST in copied and "audit/signing.key" in copied
    assert not [name for name in copied if "lock" in name or "part" in name or "epoch" in name]
    assert sweep(vault, of=plan(vault, gone)).destroyed == (gone,)
    vault.close()
    place.keys.rename(tmp_path / "lost")
    (tmp_path / "copy").rename(place.keys)
    with pytest.raises(IntegrityError, match="old copy"):
        place.open()


def test_a_copy_of_the_keys_is_no_backup(sealed: Vault, place: Place, tmp_path: Path) -> None:
    copy_keys(sealed.parts, place.keys, place.keys, tmp_path / "copy")
    with pytest.raises(ConfigError, match="is a copy of keys"):
        read_manifest(tmp_path / "copy", sealed.parts.head)
