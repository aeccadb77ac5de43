"""The offline verifier: an export of the audit log, a certificate or a folder of checkpoints, and a public key.

Needs no installation, no catalog and no secret: it imports our core, and a library for Ed25519. Believes nothing that
does not lead to a signature of the key it was given. `python -m pipeline.export.verifier FILE --key HEX`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.core.canonical import canonical
from pipeline.core.chain import AuditEntry, Lost, Walk, creation, key_name, lost_in, read_line
from pipeline.core.checkpoint import KEY_BYTES, Checkpoint, Published, read_note, read_published
from pipeline.core.errors import ConfigError, IntegrityError, WatchkeepError
from pipeline.core.merkle import verify_consistency, verify_inclusion
from pipeline.export.form import CERTIFICATE, ISSUE, certificate_bytes, checkpoint_line, header_line, subject_of

LINE_BYTES = 1 << 24
"""No entry is longer; a file that says otherwise is not read into memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found true: `what` in words, the log's length and the time (UTC text) that the signature vouches for.

    `checkpoints` counts those that the export was held against, or that the folder holds.
    """

    what: str
    size: int
    at: str
    checkpoints: int = 0
    statement: Mapping[str, Any] | None = None


def public_key(text: str) -> bytes:
    """The key from its 64 hexadecimal digits; ConfigError if it is none."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError("the key is not 64 hexadecimal digits: `watchkeep audit key` prints it where the log lies")
    return key


def verify(path: Path, key: bytes, *, checkpoints: Path | None = None) -> Verified:
    """Whatever lies at `path`; raises IntegrityError that names the first wrong place."""
    if path.is_dir():
        return verify_checkpoints(path, key)
    with path.open("rb") as file:
        first = file.read(2)
    return verify_certificate(path, key) if first == b"{\n" else verify_export(path, key, checkpoints=checkpoints)


def verify_export(path: Path, key: bytes, *, checkpoints: Path | None = None) -> Verified:
    """Follow every entry, and hold their tree against the signed checkpoint and those in the folder `checkpoints`."""
    known = _folder(checkpoints, key) if checkpoints else {}
    with path.open("rb") as file:
        size = _header(file, key)
        walk, what = Walk(creation(key_name(key))), f"export of {size} entries"
        lost: list[Lost] = []
        others: list[tuple[int, Checkpoint]] = []
        for number in range(1, size + 1):
            walk.take(entry := _entry(file, number))
            if told := lost_in(entry):
                lost.append(told)
                what += f"; {told.words()}"
            if (other := known.get(number)) and other.root != walk.tree.root():
                others.append((number, other))
        signed = _last(file, key)
    others = [(n, c) for n, c in others if not any(one.counts(n, c.at) for one in lost)]
    if others:
        number, other = others[0]
        raise IntegrityError(f"export: entries 1 to {number} are not those of the checkpoint signed {other.at}")
    if (signed.size, signed.root) != (size, walk.tree.root()):
        raise IntegrityError("export: the checkpoint was signed for other entries than these")
    for other in known.values():
        if other.size > size and other.at <= signed.at and not any(one.counts(other.size, other.at) for one in lost):
            raise IntegrityError(
                f"export: entries {size + 1} to {other.size} are missing, a checkpoint signed {other.at} counts them"
            )
    held = sum(other.size <= size for other in known.values())
    return Verified(what=what, size=size, at=signed.at, checkpoints=held)


def _header(file: BinaryIO, key: bytes) -> int:
    line = file.readline(LINE_BYTES)
    try:
        size = json.loads(line)["entries"]
        if type(size) is int and size >= 0 and header_line(key, size) == line:
            return size
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise IntegrityError("export: the header was changed, or it is of another key than the one given")


def _entry(file: BinaryIO, number: int) -> AuditEntry:
    line = file.readline(LINE_BYTES)
    if not line or line.startswith(b'{"checkpoint"'):
        raise IntegrityError(f"export: entry {number} is missing")
    try:
        return read_line(line.removesuffix(b"\n") if line.endswith(b"\n") else b"")
    except ValueError as error:
        raise IntegrityError(f"export: entry {number} was changed") from error


def _last(file: BinaryIO, key: bytes) -> Checkpoint:
    line = file.readline(LINE_BYTES)
    try:
        note = json.loads(line)["checkpoint"]
        if checkpoint_line(note) != line:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError("export: the line of the checkpoint was changed or is missing") from error
    if file.read(1):
        raise IntegrityError("export: something was put behind the checkpoint")
    return _signed(note, key, "export")


def _signed(note: str, key: bytes, where: str) -> Checkpoint:
    try:
        checkpoint, signature = read_note(note, key)
        Ed25519PublicKey.from_public_bytes(key).verify(signature, checkpoint.text())
    except (TypeError, ValueError, InvalidSignature) as error:
        raise IntegrityError(f"{where}: the checkpoint is not one that this key signed") from error
    return checkpoint


def verify_checkpoints(folder: Path, key: bytes) -> Verified:
    """Every checkpoint in `folder` is signed, and each goes on from the one it names."""
    known = _folder(folder, key)
    if not known:
        raise ConfigError(f"{folder} holds no checkpoint: name the folder they are written to")
    last = known[max(known)]
    return Verified(what=f"{len(known)} checkpoints", size=last.size, at=last.at, checkpoints=len(known))


def _folder(folder: Path, key: bytes) -> dict[int, Checkpoint]:
    known: dict[int, Checkpoint] = {}
    published: dict[int, Published] = {}
    for path in sorted(folder.glob("checkpoint-*.txt")):
        try:
            text = read_published(path.read_bytes().decode())
        except ValueError as error:
            raise IntegrityError(f"{path.name}: it was changed") from error
        checkpoint = _signed(text.note, key, path.name)
        if path.name != f"checkpoint-{checkpoint.size:012}.txt":
            raise IntegrityError(f"{path.name}: its checkpoint has the size {checkpoint.size}")
        known[checkpoint.size], published[checkpoint.size] = checkpoint, text
    for size, text in published.items():
        if not text.older:
            continue
        if (older := known.get(text.older)) is None:
            raise IntegrityError(f"checkpoint of size {text.older}: it is gone, and the one of {size} goes on from it")
        try:
            verify_consistency(older.size, size, text.proof, older.root, known[size].root)
        except IntegrityError as error:
            raise IntegrityError(
                f"checkpoint of size {size}: it does not go on from the one of {text.older}"
            ) from error
    return known


def verify_certificate(path: Path, key: bytes) -> Verified:
    """The statement's digest is in an entry, each entry in the tree, and the tree's root is signed."""
    document = _document(path)
    try:
        statement, items = document["statement"], document["entries"]
        checkpoint = _signed(document["checkpoint"], key, "certificate")
        found = [_proven(item, checkpoint) for item in items]
        digest = hashlib.sha256(canonical(statement)).hexdigest()
        incident_id = statement["incident"]
        *acts, issued = found
        told = {(e.subject, e.at) for e in acts}
        untold = {(f"incident:{incident_id}", k["at"]) for k in statement["keys"]} - told
        untold |= {(f"file:{f['file']}", f["unlinked_at"]) for f in statement["files"] if f["unlinked_at"]} - told
        numbers = statement["entries"]
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError("certificate: something was taken from it or put in") from error
    if (issued.verb, issued.subject, issued.after) != (ISSUE, subject_of(incident_id), digest):
        raise IntegrityError(f"certificate: the statement is not the one that entry {issued.sequence} names")
    if untold or [e.sequence for e in acts] != numbers:
        raise IntegrityError("certificate: its entries do not tell what the statement says")
    what = f"certificate of destruction, incident {incident_id}"
    return Verified(what=what, size=checkpoint.size, at=checkpoint.at, statement=statement)


_PARTS = {"format", "statement", "entries", "checkpoint"}


def _document(path: Path) -> dict[str, Any]:
    body = path.read_bytes()
    try:
        document = json.loads(body)
        if document.keys() == _PARTS and document["format"] == CERTIFICATE and certificate_bytes(document) == body:
            return dict(document)
    except (AttributeError, ValueError, RecursionError):
        pass
    raise IntegrityError("certificate: its form was changed")


def _proven(item: Mapping[str, Any], checkpoint: Checkpoint) -> AuditEntry:
    entry, proof = AuditEntry(**item["entry"]), item["proof"]
    if not entry.sound() or item.keys() != {"entry", "proof"}:
        raise IntegrityError(f"certificate: entry {entry.sequence} was changed")
    try:
        steps = [bytes.fromhex(step) for step in proof]
        if [step.hex() for step in steps] != proof:
            raise ValueError
        verify_inclusion(bytes.fromhex(entry.digest), entry.sequence - 1, checkpoint.size, steps, checkpoint.root)
    except (ValueError, IntegrityError) as error:
        raise IntegrityError(f"certificate: entry {entry.sequence} is not in the signed log") from error
    return entry


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify one file or folder from the command line; 0 if it is true, 3 if it is not, 1 if it cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.export.verifier", description=__doc__)
    parser.add_argument("file", type=Path, help="an export, a certificate, or a folder of checkpoints")
    parser.add_argument("--key", required=True, metavar="HEX", help="the public key, 64 hexadecimal digits")
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help="hold an export against these, too")
    given = parser.parse_args(arguments)
    try:
        found = verify(given.file, public_key(given.key), checkpoints=given.checkpoints)
    except (WatchkeepError, OSError) as error:
        sys.stderr.write(ascii(str(error))[1:-1] + "\n")
        return 3 if isinstance(error, IntegrityError) else 1
    sys.stdout.write(f"whole: {found.what}; the log had {found.size} entries at {found.at}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
