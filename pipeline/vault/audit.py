"""The audit chain: every act on the vault as one entry, each holding the digest of the one before.

An act on the catalog and its entries are one transaction; for an act outside it (opening bytes, removing a file) the
entry is committed first. Refuses to write onto a chain that is not the one whose head was signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from sqlalchemy import Connection, insert, select

from pipeline.core.clock import utc_text
from pipeline.core.errors import IntegrityError
from pipeline.core.evidence import AuditEntry
from pipeline.core.ports import Clock
from pipeline.vault.canonical import canonical, leaf_hash
from pipeline.vault.catalog import Catalog
from pipeline.vault.head import NO_DIGEST, Head, SignedHead
from pipeline.vault.tables import audit_event

SYSTEM = "watchkeep"
"""The actor of what no person asked for."""

CREATE = "vault.create"
"""The first entry's verb."""


class Act:
    """One transaction with its actor, its time and its entries."""

    def __init__(self, tx: Connection, *, at: str, actor: str, tip: Head) -> None:
        self.tx = tx
        self.at = at
        self._actor = actor
        self.tip = tip

    def record(self, verb: str, subject: str, *, reason: str = "", after: str = "") -> None:
        """Append an entry; `after` is the digest of the rows that `subject` names, as they are now."""
        fields: dict[str, object] = {
            "sequence": self.tip.sequence + 1,
            "at": self.at,
            "actor": _writable(self._actor),
            "verb": verb,
            "subject": subject,
            "reason": _writable(reason),
            "after": after,
            "previous": self.tip.digest,
        }
        digest = leaf_hash(canonical(fields))
        self.tx.execute(insert(audit_event), {**fields, "digest": digest})
        self.tip = Head(sequence=self.tip.sequence + 1, digest=digest)


class Journal:
    """The only way to write to the catalog: opens acts, and signs the chain's head after each."""

    def __init__(self, catalog: Catalog, head: SignedHead, clock: Clock) -> None:
        self._catalog = catalog
        self._head = head
        self._clock = clock
        with catalog.read() as tx:
            empty = chain_tip(tx).sequence == 0
        if empty:
            with self.act(SYSTEM) as act:
                if act.tip.sequence == 0:  # no other process was first
                    act.record(CREATE, creation(head))

    @contextmanager
    def act(self, actor: str) -> Iterator[Act]:
        """A write transaction by `actor`, committed when the block ends and undone if it raises.

        Raises IntegrityError if the chain does not reach its signed head.
        """
        with self._catalog.write() as tx:
            tip = self._checked_tip(tx)
            act = Act(tx, at=utc_text(self._clock.now()), actor=actor, tip=tip)
            yield act
        if act.tip != tip:
            self._head.advance(act.tip)

    def _checked_tip(self, tx: Connection) -> Head:
        head = self._head.read()
        tip = _head_at(tx, None)
        if problem := behind(tx, head, tip):
            raise IntegrityError(problem)
        return tip


def creation(head: SignedHead) -> str:
    """The first entry's subject: which key signs the heads of this chain."""
    return f"head-key:{head.key_name}"


def behind(tx: Connection, head: Head, tip: Head) -> str:
    """Why the chain that ends at `tip` is not one that `head` was signed on, or ""."""
    if tip.sequence < head.sequence:
        return (
            f"audit chain: entries {tip.sequence + 1} to {head.sequence} are missing, the signed head counts "
            f"{head.sequence}: stop, and restore the catalog"
        )
    at_head = tip if tip.sequence == head.sequence else _head_at(tx, head.sequence)
    if at_head.digest != head.digest:
        return f"audit chain: entry {head.sequence} is not the one whose head was signed: stop, and restore the catalog"
    return ""


def chain_tip(tx: Connection) -> Head:
    """Where the chain ends; sequence 0 if it is empty."""
    return _head_at(tx, None)


def _head_at(tx: Connection, sequence: int | None) -> Head:
    query = select(audit_event.c.sequence, audit_event.c.digest).order_by(audit_event.c.sequence.desc()).limit(1)
    if sequence is not None:
        query = query.where(audit_event.c.sequence == sequence)
    row = tx.execute(query).first()
    return Head(sequence=row.sequence, digest=row.digest) if row else Head(sequence=0, digest=NO_DIGEST)


def entries(tx: Connection) -> Iterator[AuditEntry]:
    """All entries in order, as they lie in the catalog."""
    for row in tx.execute(select(audit_event).order_by(audit_event.c.sequence).execution_options(yield_per=1000)):
        yield AuditEntry(**row._mapping)


def first_break(tx: Connection, subject: str) -> str:
    """The first entry that was changed, removed or put in, in one sentence, or ""; reads the chain once.

    `subject` is what the first entry must name.
    """
    tip = Head(sequence=0, digest=NO_DIGEST)
    for entry in entries(tx):
        expected = tip.sequence + 1
        if entry.sequence != expected:
            return f"audit chain: entry {expected} is missing"
        if entry.previous != tip.digest:
            return f"audit chain: entry {expected} does not follow the entry before it"
        if not _sound(entry):
            return f"audit chain: entry {expected} was changed"
        if expected == 1 and (entry.verb, entry.subject) != (CREATE, subject):
            return "audit chain: entry 1 names another signing key: the keys folder is not this catalog's"
        tip = Head(sequence=expected, digest=entry.digest)
    return ""


def _sound(entry: AuditEntry) -> bool:
    fields = asdict(entry)
    digest = fields.pop("digest")
    try:
        return bool(digest == leaf_hash(canonical(fields)))
    except TypeError:  # a value of a kind that the vault never writes
        return False


def _writable(text: str) -> str:
    # Names from the command line may hold bytes that are no text; an entry is valid UTF-8.
    return text.encode("utf-8", "backslashreplace").decode()


def last_state(tx: Connection, subject: str) -> str:
    """The digest of the rows of `subject` as the last act on them left it, or "" if there was none."""
    t = audit_event
    query = select(t.c.after).where(t.c.subject == subject, t.c.after != "").order_by(t.c.sequence.desc()).limit(1)
    return tx.execute(query).scalar() or ""
