"""A checkpoint: how long the audit chain is and which root its tree has, as a text that can be signed and published.

A signed note with a tree head, in the public formats of C2SP (signed-note, tlog-checkpoint). Refuses to sign and to
check signatures: those who can, hold the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from pipeline.core.chain import key_name

KEY_BYTES = 32
_ED25519 = b"\1"
_NOTE = re.compile(
    r"(?P<body>[^\n]+\n(?P<size>0|[1-9][0-9]{0,17})\n(?P<root>[^\n]+)\n"
    r"time (?P<at>[0-9TZ:.-]{20,32})\nkey [0-9a-f]{64}\n)"
    r"\n\u2014 [^\n ]+ (?P<signature>[A-Za-z0-9+/=]+)\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The tree of the first `size` entries has the `root` (32 bytes); said at `at` (UTC text) by the holder of `key`.

    `key` is the Ed25519 public key, 32 bytes.
    """

    size: int
    root: bytes
    at: str
    key: bytes

    def text(self) -> bytes:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{origin(self.key)}\n{self.size}\n{root}\ntime {self.at}\nkey {key_name(self.key)}\n".encode()

    def note(self, signature: bytes) -> str:
        """The text with its signature of 64 bytes."""
        signed = base64.b64encode(_key_hash(self.key) + signature).decode()
        return f"{self.text().decode()}\n\u2014 {origin(self.key)} {signed}\n"


def origin(key: bytes) -> str:
    """Name of a log and of its key."""
    return f"watchkeep.audit/{key_name(key)[:16]}"


def note_key(key: bytes) -> str:
    """The public key as tools for signed notes take it: name, key hash, algorithm and key."""
    return f"{origin(key)}+{_key_hash(key).hex()}+{base64.b64encode(_ED25519 + key).decode()}"


def read_note(note: str, key: bytes) -> tuple[Checkpoint, bytes]:
    """The checkpoint in `note` and its signature, not checked yet.

    Raises ValueError if a byte is not as `Checkpoint.note` writes it, or the note is of another key.
    """
    found = _NOTE.fullmatch(note)
    if found is None:
        raise ValueError("not a signed checkpoint")
    try:
        root, signed = (base64.b64decode(found[name], validate=True) for name in ("root", "signature"))
    except binascii.Error as error:
        raise ValueError("not a signed checkpoint") from error
    checkpoint = Checkpoint(size=int(found["size"]), root=root, at=found["at"], key=key)
    if checkpoint.text().decode() != found["body"]:
        raise ValueError("not a checkpoint of this key")
    if checkpoint.note(signed[4:]) != note or len(root) != 32 or len(signed) != 68:
        raise ValueError("not a signed checkpoint")
    return checkpoint, signed[4:]


def _key_hash(key: bytes) -> bytes:
    return hashlib.sha256(origin(key).encode() + b"\n" + _ED25519 + key).digest()[:4]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What lies at the second place: a signed note, and the proof that it goes on from the one of size `older`.

    `older` is 0 and `proof` empty for the first one there. The text is that of C2SP tlog-witness.
    """

    note: str
    older: int
    proof: tuple[bytes, ...]

    def text(self) -> str:
        """The file's content."""
        lines = "".join(f"{base64.b64encode(step).decode()}\n" for step in self.proof)
        return f"old {self.older}\n{lines}\n{self.note}"


def read_published(text: str) -> Published:
    """The inverse of `Published.text`; ValueError if a byte is not as that writes it."""
    said, _, note = text.partition("\n\n")
    first, *steps = said.split("\n")
    try:
        if not re.fullmatch(r"old (0|[1-9][0-9]{0,17})", first):
            raise ValueError
        found = Published(
            note=note, older=int(first[4:]), proof=tuple(base64.b64decode(step, validate=True) for step in steps)
        )
    except ValueError as error:
        raise ValueError("not a published checkpoint") from error
    if found.text() != text:
        raise ValueError("not a published checkpoint")
    return found
