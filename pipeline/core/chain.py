"""The audit chain as anybody can follow it: entries, their bytes, and the first one that does not fit.

One way for the catalog's rows and for an export. Refuses to know where entries lie and who signed for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from json.encoder import encode_basestring as _quoted
from typing import NamedTuple

from pipeline.core.canonical import leaf_hash
from pipeline.core.errors import IntegrityError
from pipeline.core.merkle import Part, Tree

NO_DIGEST = "0" * 64
"""The digest before the first entry."""

CREATE = "vault.create"
"""The first entry's verb."""


class AuditEntry(NamedTuple):
    """One link of the chain (a tuple, because a million are read at once): `digest` covers all other fields.

    `after` is the digest of what the subject names as the act left it, or "" where it changed nothing.
    """

    sequence: int
    at: str
    actor: str
    verb: str
    subject: str
    reason: str
    after: str
    previous: str
    digest: str

    def body(self) -> bytes:
        """What `digest` covers: canonical JSON of the other fields, without the detour of `canonical`.

        Raises TypeError or UnicodeEncodeError for a value of a kind that no entry holds.
        """
        sequence, at, actor, verb, subject, reason, after, previous, _ = self
        if type(sequence) is not int:
            raise TypeError(f"{sequence!r} is no number of an entry")
        return (
            f'{{"actor":{_quoted(actor)},"after":{_quoted(after)},"at":{_quoted(at)},"previous":{_quoted(previous)},'
            f'"reason":{_quoted(reason)},"sequence":{sequence},"subject":{_quoted(subject)},"verb":{_quoted(verb)}}}'
        ).encode()

    def sound(self) -> bool:
        """True if the entry is the one that its digest was made of."""
        try:
            return self.digest == leaf_hash(self.body())
        except (TypeError, UnicodeEncodeError):
            return False

    def line(self) -> bytes:
        """The entry's one form in exports and certificates: its body with the digest put last."""
        return b'%b,"digest":%b}' % (self.body()[:-1], _quoted(self.digest).encode())


def read_line(line: bytes) -> AuditEntry:
    """The inverse of `line`; ValueError for bytes that are not exactly what `line` writes."""
    try:
        entry = AuditEntry(**json.loads(line))
        if entry.line() == line:
            return entry
    except (TypeError, ValueError, RecursionError):
        pass
    raise ValueError("not an entry's one form")


def key_name(public_key: bytes) -> str:
    """sha256 hex of an Ed25519 public key of 32 bytes: how the chain names the key that signs for it."""
    return hashlib.sha256(public_key).hexdigest()


def creation(name: str) -> str:
    """The first entry's subject: which key signs for this chain."""
    return f"head-key:{name}"


class Walk:
    """Follows a chain from its first entry on; `parts` are those of its tree whose roots will be asked for.

    `subject` is what the first entry must name.
    """

    def __init__(self, subject: str, parts: Iterable[Part] = ()) -> None:
        self.sequence = 0
        self.digest = NO_DIGEST
        self.tree = Tree(parts)
        self._subject = subject

    def take(self, entry: AuditEntry) -> None:
        """The next entry; IntegrityError says in one sentence why it is not the one that was written."""
        expected = self.sequence + 1
        if entry.sequence != expected:
            raise IntegrityError(f"audit chain: entry {expected} is missing")
        if entry.previous != self.digest:
            raise IntegrityError(f"audit chain: entry {expected} does not follow the entry before it")
        if not entry.sound():
            raise IntegrityError(f"audit chain: entry {expected} was changed")
        if expected == 1 and (entry.verb, entry.subject) != (CREATE, self._subject):
            raise IntegrityError("audit chain: entry 1 names another signing key: these keys are not this chain's")
        self.sequence, self.digest = expected, entry.digest
        self.tree.add(bytes.fromhex(entry.digest))
