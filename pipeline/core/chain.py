"""The audit chain as anybody can follow it: entries, their bytes, and the first one that does not fit.

One way for the catalog's rows and for an export. Refuses to know where entries lie and who signed for them.
"""

from __future__ import annotations

import hashlib
import json
import re
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

RESTORE = "vault.restore"
RESTORES = "restores"
"""Verb and subject of the entry that follows the last one of a restored backup."""

_LOST = re.compile(r"restored the backup of (\S+), lost entries ([1-9][0-9]*) to ([1-9][0-9]*) ([0-9a-f]{64})")


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


class Lost(NamedTuple):
    """The entries `first` to `last` that a restore lost, of which the last had `digest`.

    `at` is when it was restored and `backup` of when the backup was, both UTC texts.
    """

    first: int
    last: int
    digest: str
    at: str
    backup: str

    def counts(self, size: int, at: str) -> bool:
        """True if a checkpoint of `size` entries that was signed at `at` may be of the chain before."""
        return self.first <= size <= self.last and at < self.at

    def words(self) -> str:
        """One sentence for people."""
        lost = f"entries {self.first} to {self.last}" if self.last > self.first else f"entry {self.first}"
        return f"audit chain: {lost} went lost in the restore of {self.at}, from the backup of {self.backup}"


def restored(backup: str, first: int, last: int, digest: str) -> str:
    """The reason of the entry RESTORE, which follows at once upon the last entry of the backup."""
    return f"restored the backup of {backup}, lost entries {first} to {last} {digest}"


def lost_in(entry: AuditEntry) -> Lost | None:
    """What a restore lost, if `entry` tells of one that lost anything."""
    said = _LOST.fullmatch(str(entry.reason)) if (entry.verb, entry.subject) == (RESTORE, RESTORES) else None
    if said is None:
        return None
    return Lost(first=int(said[2]), last=int(said[3]), digest=said[4], at=entry.at, backup=said[1])


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
