"""Checkpoints at a second place find what was done to the chain, even by somebody who holds its head and its key."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from pipeline.core.chain import AuditEntry
from pipeline.core.checkpoint import Checkpoint, Published, note_key, origin, read_note, read_published
from pipeline.core.errors import ConfigError, IntegrityError, WatchkeepError
from pipeline.core.merkle import verify_consistency, verify_inclusion
from pipeline.export.verifier import verify_checkpoints
from pipeline.vault.audit import entries
from pipeline.vault.canonical import canonical, leaf_hash
from pipeline.vault.head import Head
from pipeline.vault.log import Log, LogCheck
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import Place
from tests.unit.vault.tampered import place_of_two, tampering, template

__all__ = ["place_of_two", "template"]

BY = "os:ada(1000)"


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return tmp_path / "second"


def checked(place: Place, second: Path) -> LogCheck:
    with place.open() as vault:
        return Log(vault.parts).check([second])


def chain(vault: Vault) -> list[AuditEntry]:
    with vault.parts.catalog.read() as tx:
        return list(entries(tx))


def grow(vault: Vault, acts: int) -> None:
    with vault.parts.journal.act(BY) as act:
        for number in range(acts):
            act.record("test.act", f"thing:{number}")


def test_the_root_that_is_signed_is_pymerkles_over_the_entries(place_of_two: Place) -> None:
    with place_of_two.open() as vault:
        signed = Log(vault.parts).checkpoint(None, by=BY)
        bodies = [entry.body() for entry in chain(vault)]
    assert signed.checkpoint.root == InmemoryTree.init_from_entries(bodies).get_root()
    assert signed.checkpoint.size == len(bodies)
    assert "checkpoint" in bodies[-1].decode()


def test_entries_are_proven_by_number_in_one_reading(place_of_two: Place) -> None:
    with place_of_two.open() as vault:
        grow(vault, 50)
        numbers = (1, 9, 40)
        with vault.parts.catalog.read() as tx:
            signed, proven = Log(vault.parts).prove(tx, numbers)
    top = signed.checkpoint
    assert tuple(p.entry.sequence for p in proven) == numbers
    for p in proven:
        verify_inclusion(bytes.fromhex(p.entry.digest), p.entry.sequence - 1, top.size, p.proof, top.root)


def test_each_checkpoint_goes_on_from_the_one_before_and_all_are_found_whole(place_of_two: Place, second: Path) -> None:
    with place_of_two.open() as vault:
        log = Log(vault.parts)
        signed = []
        for acts in (0, 1, 7, 20):
            grow(vault, acts)
            signed.append(log.checkpoint(second, by=BY))
        grow(vault, 3)
        found = log.check([second])
        public = vault.parts.head.public_key
    assert (found.problems, found.checkpoints, found.covered) == ((), 4, signed[-1].checkpoint.size)
    assert found.entries == found.covered + 3
    assert [s.path for s in signed] == sorted(second.iterdir())
    for older, newer in pairwise(signed):
        assert newer.path is not None
        text = read_published(newer.path.read_text())
        a, b = older.checkpoint, newer.checkpoint
        assert text.older == a.size
        verify_consistency(a.size, b.size, text.proof, a.root, b.root)
    assert verify_checkpoints(second, public).checkpoints == 4


def test_r24_a_chain_cut_off_together_with_its_head_is_found(place_of_two: Place, second: Path, tmp_path: Path) -> None:
    shutil.copytree(place_of_two.root, tmp_path / "before")
    with place_of_two.open() as vault:
        grow(vault, 5)
        Log(vault.parts).checkpoint(second, by=BY)
        vouched = len(chain(vault))
    before = Place(tmp_path / "before")
    with before.open() as vault:
        left = len(chain(vault))
        (problem,) = Log(vault.parts).check([second]).problems
        assert f"entries {left + 1} to {vouched} are missing" in problem and "checkpoint-" in problem
        with pytest.raises(IntegrityError, match="are missing"):
            Log(vault.parts).checkpoint(second, by=BY)
        grow(vault, vouched - left + 3)  # others instead of those
        (problem,) = Log(vault.parts).check([second]).problems
        assert f"entries 1 to {vouched} are not those of" in problem
        with pytest.raises(IntegrityError, match="written anew"):
            Log(vault.parts).checkpoint(second, by=BY)
    assert len(list(second.iterdir())) == 1


def test_a_history_written_anew_by_who_holds_the_key_is_found(place_of_two: Place, second: Path) -> None:
    with place_of_two.open() as vault:
        first = Log(vault.parts).checkpoint(second, by=BY).checkpoint.size
        grow(vault, 9)
        last = Log(vault.parts).checkpoint(second, by=BY).checkpoint.size
        rows = [entry._asdict() for entry in chain(vault)]
    with tampering(place_of_two) as db:
        previous = rows[0]["digest"]
        for row in rows[1:]:
            del row["digest"]
            row["previous"] = follows = previous
            if row["sequence"] == first + 4:
                row["reason"] = "another"
            previous = leaf_hash(canonical(row))
            values = (row["reason"], follows, previous, row["sequence"])
            db.execute("UPDATE audit_event SET reason = ?, previous = ?, digest = ? WHERE sequence = ?", values)
    with place_of_two.open() as vault:
        vault.parts.head._write(Head(sequence=last, digest=previous))  # signed with the real key
        assert first < last
    (problem,) = checked(place_of_two, second).problems
    assert f"entries {first + 1} to {last} are not those of" in problem


def test_an_edited_entry_is_named_and_nothing_is_signed_over_it(place_of_two: Place, second: Path) -> None:
    with tampering(place_of_two) as db:
        db.execute("UPDATE audit_event SET actor = 'os:eve(0)' WHERE sequence = 3")
    assert any("entry 3 was changed" in p for p in checked(place_of_two, second).problems)
    with place_of_two.open() as vault, pytest.raises(IntegrityError, match="entry 3 was changed"):
        Log(vault.parts).checkpoint(second, by=BY)
    assert not second.exists()


def test_a_checkpoint_that_was_changed_taken_away_or_is_of_another_log_is_found(
    place_of_two: Place, second: Path, tmp_path: Path
) -> None:
    with place_of_two.open() as vault:
        first = Log(vault.parts).checkpoint(second, by=BY).path
        last = Log(vault.parts).checkpoint(second, by=BY).path
    assert first is not None and last is not None
    held = first.read_bytes()
    first.write_bytes(held.replace(b"time 2026", b"time 2025"))
    assert any(f"{first} was changed" in p for p in checked(place_of_two, second).problems)
    first.unlink()
    (problem,) = checked(place_of_two, second).problems
    assert f"{first} is gone" in problem
    first.write_bytes(held)
    first.rename(second / "checkpoint-000000000999.txt")
    assert any("was changed, or is of another log" in p for p in checked(place_of_two, second).problems)
    with Place(tmp_path / "other").open() as other:
        assert len(Log(other.parts).check([second]).problems) == 2
        with pytest.raises(IntegrityError, match="of another log"):
            Log(other.parts).checkpoint(second, by=BY)


def test_a_checkpoint_is_never_overwritten(place_of_two: Place, second: Path) -> None:
    with place_of_two.open() as vault:
        log = Log(vault.parts)
        path = log.checkpoint(second, by=BY).path
        assert path is not None
        grow(vault, 1)
        size = len(chain(vault)) + 1
        taken = second / f"checkpoint-{size:012}.txt"
        taken.mkdir()
        with pytest.raises((WatchkeepError, OSError)):
            log.checkpoint(second, by=BY)
    assert taken.is_dir() and path.exists()


def test_what_a_crash_leaves_at_the_second_place_hinders_nobody(place_of_two: Place, second: Path) -> None:
    with place_of_two.open() as vault:
        Log(vault.parts).checkpoint(second, by=BY)
        (second / ".checkpoint-000000000999.txt.1234.part").write_bytes(b"old 0\n\nwatchk")  # cut off while written
        with vault.parts.journal.act(BY) as act:  # cut off between the entry and the file
            act.record("audit.checkpoint", "audit-log")
        Log(vault.parts).checkpoint(second, by=BY)
        assert Log(vault.parts).check([second]).problems == ()


def test_without_a_second_place_the_text_is_the_checkpoint(place_of_two: Place) -> None:
    with place_of_two.open() as vault:
        signed = Log(vault.parts).checkpoint(None, by=BY)
        assert signed.path is None
        assert vault.parts.head.checkpoint(signed.note) == signed.checkpoint
        found = Log(vault.parts).check([])
    assert (found.problems, found.checkpoints, found.covered) == ((), 0, 0)


@given(st.data())
def test_no_changed_byte_of_a_checkpoint_passes(data: st.DataObject) -> None:
    key = bytes(range(32))
    note = Checkpoint(size=12, root=b"\1" * 32, at="2026-11-22T12:00:00.000000Z", key=key).note(b"\2" * 64)
    assert read_note(note, key)[1] == b"\2" * 64
    at = data.draw(st.integers(0, len(note) - 1))
    changed = note[:at] + data.draw(st.characters()) + note[at + 1 :]
    if changed == note:
        return
    try:
        checkpoint, signature = read_note(changed, key)
    except ValueError:
        return
    # Another text or signature: this is for Ed25519 to refuse.
    assert checkpoint.note(signature) == changed
    assert (checkpoint.text(), signature) != (read_note(note, key)[0].text(), b"\2" * 64)


def test_a_checkpoint_has_one_form_only() -> None:
    text = Published(note="note", older=5, proof=(b"\1" * 32,)).text()
    assert read_published(text).older == 5 and "AQE=\n" in text
    with pytest.raises(ValueError, match="not a published checkpoint"):
        read_published(text.replace("AQE=\n", "AQF=\n"))  # other bits that base64 takes for the same bytes


def test_an_outsider_finds_checkpoints_that_do_not_go_on_from_each_other(place_of_two: Place, second: Path) -> None:
    with place_of_two.open() as vault:
        first = Log(vault.parts).checkpoint(second, by=BY).path
        grow(vault, 5)
        last = Log(vault.parts).checkpoint(second, by=BY).path
        public = vault.parts.head.public_key
    assert first is not None and last is not None
    said = read_published(last.read_text())
    last.write_text(replace(said, proof=(*said.proof[:-1], b"\7" * 32)).text())
    with pytest.raises(IntegrityError, match="does not go on from the one of"):
        verify_checkpoints(second, public)
    last.write_text(said.text())
    first.unlink()
    with pytest.raises(IntegrityError, match="it is gone, and the one of"):
        verify_checkpoints(second, public)


def test_an_empty_folder_vouches_for_nothing(second: Path) -> None:
    second.mkdir()
    with pytest.raises(ConfigError, match="holds no checkpoint"):
        verify_checkpoints(second, bytes(32))


def test_keys_are_named_as_public_tools_for_signed_notes_name_them() -> None:
    # The vector of golang.org/x/mod/sumdb/note: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    import base64
    import hashlib

    public = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert hashlib.sha256(b"PeterNeumann\n" + public).digest()[:4].hex() == "c74f20a3"
    name, key_hash, coded = note_key(public[1:]).split("+", 2)
    assert name == origin(public[1:])
    assert key_hash == hashlib.sha256(name.encode() + b"\n" + public).digest()[:4].hex()
    assert base64.b64decode(coded) == public
