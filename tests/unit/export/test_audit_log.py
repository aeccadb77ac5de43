"""An export of the audit log is checked with the public key alone, and no byte of it can be another."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.core.chain import AuditEntry, key_name
from pipeline.core.checkpoint import read_note
from pipeline.core.errors import ConfigError, IntegrityError
from pipeline.export.audit_log import export_log, write_log
from pipeline.export.form import checkpoint_line
from pipeline.export.verifier import public_key, verify, verify_export
from pipeline.vault.audit import entries
from pipeline.vault.log import Log
from pipeline.vault.vault import Vault
from tests.unit.vault.conftest import Place
from tests.unit.vault.tampered import place_of_two, tampering, template

__all__ = ["place_of_two", "template"]

BY = "os:ada(1000)"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def opened(place_of_two: Place) -> Iterator[Vault]:
    with place_of_two.open() as vault:
        yield vault


@pytest.fixture
def key(opened: Vault) -> bytes:
    return opened.parts.head.public_key


@pytest.fixture
def export(opened: Vault, tmp_path: Path) -> Path:
    with opened.parts.journal.act('os:zo\u00eb "\udcff"\u2028(7)') as act:
        act.record("test.act", "thing:1", reason="why \U0001f98a\n\\")
    export_log(opened.parts, tmp_path / "log.jsonl", by=BY)
    return tmp_path / "log.jsonl"


def changed(export: Path, change: Callable[[list[bytes]], list[bytes]]) -> Path:
    export.write_bytes(b"".join(change(export.read_bytes().splitlines(keepends=True))))
    return export


def refusal(path: Path, key: bytes) -> str:
    with pytest.raises(IntegrityError) as refused:
        verify(path, key)
    return str(refused.value)


def test_an_export_holds_every_entry_and_the_entry_of_its_own_act(opened: Vault, export: Path, key: bytes) -> None:
    with opened.parts.catalog.read() as tx:
        kept = list(entries(tx))
    lines = export.read_text(encoding="utf-8").split("\n")
    assert [AuditEntry(**json.loads(line)) for line in lines[1:-2]] == kept
    assert kept[-1].verb == "audit.export"
    found = verify_export(export, key)
    assert (found.size, verify(export, key)) == (len(kept), found)
    assert json.loads(lines[0]) == {
        "entries": len(kept), "format": "watchkeep audit export 1", "key": key.hex(), "key_name": key_name(key)
    }  # fmt: skip


def test_every_changed_byte_is_refused_and_the_entry_is_named(export: Path, key: bytes) -> None:
    body, chance = export.read_bytes(), random.Random(7)
    lines = body.splitlines(keepends=True)
    start = 0
    for number, line in enumerate(lines):
        for at in [*chance.sample(range(len(line)), 25), 0, len(line) - 2, len(line) - 1]:
            other = chance.choice([b for b in range(256) if b != line[at]])
            export.write_bytes(body[: start + at] + bytes([other]) + body[start + at + 1 :])
            said = refusal(export, key)
            if number == 0:
                assert "header" in said
            elif number == len(lines) - 1:
                assert "checkpoint" in said
            else:
                assert f"entry {number} " in said
        start += len(line)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines[:3] + lines[4:], "entry 3 is missing"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "entry 3 is missing"),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], "entry 3 is missing"),
        (lambda lines: lines[:-2] + lines[-1:], "is missing"),
        (lambda lines: lines[:-1], "checkpoint was changed or is missing"),
        (lambda lines: lines[:5], "entry 5 is missing"),
        (lambda lines: [*lines, b"\n"], "put behind"),
        (lambda lines: [*lines, *lines[1:]], "put behind"),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], "checkpoint was changed or is missing"),
        (lambda lines: lines[1:], "header"),
        (lambda lines: [], "header"),
        (lambda lines: [lines[0].replace(b'"entries":', b'"entries":-')], "header was changed"),
        (lambda lines: [*lines[:2], b'{"actor":"x"}\n', *lines[3:]], "entry 2 was changed"),
        (lambda lines: [*lines[:2], b"[" * 50_000 + b"\n", *lines[3:]], "entry 2 was changed"),
        (lambda lines: [*lines[:-1], b'{"checkpoint":5}\n'], "not one that this key signed"),
    ],
)
def test_what_was_taken_out_put_in_or_moved_is_named(
    export: Path, key: bytes, change: Callable[[list[bytes]], list[bytes]], words: str
) -> None:
    with pytest.raises(IntegrityError, match=words):
        verify_export(changed(export, change), key)


def test_an_export_cut_off_with_a_checkpoint_of_its_own_length_is_not_signed(
    opened: Vault, export: Path, key: bytes, tmp_path: Path
) -> None:
    later = tmp_path / "later.jsonl"
    export_log(opened.parts, later, by=BY)
    last = export.read_bytes().splitlines(keepends=True)[-1]
    assert "signed for other entries" in refusal(changed(later, lambda lines: [*lines[:-1], last]), key)


def test_a_checkpoint_that_this_key_never_signed_vouches_for_nothing(export: Path, key: bytes) -> None:
    note = json.loads(export.read_bytes().splitlines()[-1])["checkpoint"]
    forged = read_note(note, key)[0].note(bytes(64))
    assert "this key signed" in refusal(changed(export, lambda lines: [*lines[:-1], checkpoint_line(forged)]), key)


def test_the_export_of_another_log_is_not_of_this_key(export: Path, tmp_path: Path) -> None:
    with Place(tmp_path / "other").open() as other:
        assert "of another key" in refusal(export, other.parts.head.public_key)


def test_an_export_is_held_against_checkpoints_from_elsewhere(opened: Vault, tmp_path: Path, key: bytes) -> None:
    log, second = Log(opened.parts), tmp_path / "second"
    early = tmp_path / "early.jsonl"
    log.checkpoint(second, by=BY)
    export_log(opened.parts, early, by=BY)
    log.checkpoint(second, by=BY)  # later than the export, so it takes nothing away from it
    assert verify_export(early, key, checkpoints=second).checkpoints == 1


@pytest.mark.parametrize(("grown", "words"), [(0, "are missing"), (9, "are not those of the checkpoint")])
def test_r24_an_export_of_a_chain_that_was_cut_off_is_found(
    place_of_two: Place, tmp_path: Path, grown: int, words: str
) -> None:
    old, second = Place(tmp_path / "old"), tmp_path / "second"
    old.clock = place_of_two.clock
    with place_of_two.open() as vault:
        shutil.copytree(place_of_two.root, old.root)
        grow(vault, 5)
        signed = Log(vault.parts).checkpoint(second, by=BY)
        key = vault.parts.head.public_key
    with old.open() as vault:
        grow(vault, grown)
        export_log(vault.parts, tmp_path / "cut.jsonl", by=BY)
    assert (verify_export(tmp_path / "cut.jsonl", key).size >= signed.checkpoint.size) == bool(grown)
    with pytest.raises(IntegrityError, match=words):
        verify_export(tmp_path / "cut.jsonl", key, checkpoints=second)


def grow(vault: Vault, acts: int) -> None:
    with vault.parts.journal.act(BY) as act:
        for number in range(acts):
            act.record("test.act", f"thing:{number}")


@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_log_and_one_of_one_entry_have_exports(opened: Vault, tmp_path: Path, key: bytes, size: int) -> None:
    out = io.BytesIO()
    with opened.parts.catalog.read() as tx:
        first = list(entries(tx))[:size]
    write_log(opened.parts, out, first, size)
    (tmp_path / "log").write_bytes(out.getvalue())
    assert verify(tmp_path / "log", key).size == size


def test_nothing_is_exported_from_a_broken_chain(place_of_two: Place, tmp_path: Path) -> None:
    with tampering(place_of_two) as db:
        db.execute("UPDATE audit_event SET reason = 'another' WHERE sequence = 3")
    with place_of_two.open() as vault, pytest.raises(IntegrityError, match="entry 3 was changed"):
        export_log(vault.parts, tmp_path / "log.jsonl", by=BY)
    assert not (tmp_path / "log.jsonl").exists()


def test_an_export_never_overwrites(opened: Vault, export: Path) -> None:
    held = export.read_bytes()
    with pytest.raises(ConfigError, match="name a new file"):
        export_log(opened.parts, export, by=BY)
    assert export.read_bytes() == held


@pytest.mark.parametrize("text", ["", "xy", "ab" * 31, "ab" * 33])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        public_key(text)


def test_the_verifier_needs_neither_home_nor_catalog(export: Path, key: bytes, tmp_path: Path) -> None:
    program = (
        "import sys; from pipeline.export import verifier; status = verifier.main(sys.argv[1:]);"
        "theirs = {m.split('.')[0] for m in sys.modules} & {'sqlalchemy', 'pyarrow', 'typer', 'yaml'};"
        "ours = {m for m in sys.modules if m.startswith('pipeline.')} - {'pipeline.core', 'pipeline.export'};"
        "print(sorted(theirs), [m for m in ours if not m.startswith(('pipeline.core.', 'pipeline.export.'))]);"
        "sys.exit(status)"
    )
    alone = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *args], capture_output=True, text=True, env=alone, cwd=tmp_path, check=False
        )

    done = run("-c", program, str(export), "--key", key.hex())
    assert (done.returncode, done.stdout.splitlines()[1]) == (0, "[] []")
    module = ("-W", "error", "-m", "pipeline.export.verifier")
    assert run(*module, str(export), "--key", key.hex()).stdout.startswith("whole: export of ")
    broken = run(*module, str(changed(export, lambda lines: lines[:4] + lines[5:])), "--key", key.hex())
    assert (broken.returncode, broken.stderr) == (3, "audit chain: entry 4 is missing\n")
    assert run(*module, str(tmp_path / "none"), "--key", key.hex()).returncode == 1
    assert run(*module, str(export)).returncode == 2


@pytest.mark.skipif(not all(map(shutil.which, ("openssl", "jq", "xxd", "sh"))), reason="needs openssl, jq and xxd")
def test_an_export_is_checked_by_the_document_with_public_tools(export: Path, key: bytes, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "vault-format.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("```sh\n")
    program = rest.partition("```")[0]

    def said(given: bytes) -> list[str]:
        environ = {**os.environ, "EXPORT": str(export), "KEY": given.hex(), "ENTRY": str(number)}
        done = subprocess.run(
            ["sh", "-c", program], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        return done.stdout.splitlines()

    number = next(i for i, line in enumerate(export.read_bytes().splitlines()) if b"test.act" in line)
    ours, theirs, signature = said(key)
    assert ours == theirs and signature == "Signature Verified Successfully"
    assert said(bytes(31) + b"\1")[2] != signature
