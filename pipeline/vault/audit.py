"""The audit chain: every act on the vault as one entry, each holding the digest of the one before.

An act on the catalog and its entries are one transaction; for an act outside it (opening bytes, removing a file) the
entry is committed first. Refuses to write onto a chain that is not the one whose head was signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import OperationalError

from pipeline.core import chain
from pipeline.core.chain import CREATE, NO_DIGEST, AuditEntry, Lost, Walk
from pipeline.core.clock import utc_text
from pipeline.core.errors import IntegrityError
from pipeline.core.merkle import Part
from pipeline.core.ports import Clock
from pipeline.vault.canonical import canonical, leaf_hash
from pipeline.vault.catalog import Catalog
from pipeline.vault.head import Head, SignedHead
from pipeline.vault.tables import audit_event

SYSTEM = "watchkeep"
"""The actor of what no person asked for."""

_COLUMNS = [audit_event.c[name] for name in AuditEntry._fields]


class Act:
    """One transaction with its actor, its time and its entries."""

    def __init__(self, tx: Connection, *, at: str, actor: str, tip: Head) -> None:
        self.tx = tx
        self.at = at
        self.actor = _writable(actor)
        self.tip = tip

    def record(self, verb: str, subject: str, *, reason: str = "", after: str = "") -> None:
        """Append an entry; `after` is the digest of the rows that `subject` names, as they are now."""
        self.record_all(verb, [(subject, reason, after)])

    def record_all(self, verb: str, entries: Iterable[tuple[str, str, str]]) -> None:
        """Append an entry for each (subject, reason, after), with one statement."""
        rows = []
        for subject, reason, after in entries:
            fields: dict[str, object] = {
                "sequence": self.tip.sequence + 1,
                "at": self.at,
                "actor": self.actor,
                "verb": verb,
                "subject": subject,
                "reason": _writable(reason),
                "after": after,
                "previous": self.tip.digest,
            }
            digest = leaf_hash(canonical(fields))
            rows.append({**fields, "digest": digest})
            self.tip = Head(sequence=self.tip.sequence + 1, digest=digest)
        if rows:
            self.tx.execute(insert(audit_event), rows)


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
    """What the first entry of this head's chain names."""
    return chain.creation(head.key_name)


def behind(tx: Connection, head: Head, tip: Head) -> str:
    """Why the chain that ends at `tip` is not one that `head` was signed on, or ""."""
    if tip.sequence < head.sequence:
        return (
            f"audit chain: entries {tip.sequence + 1} to {head.sequence} are missing, the signed head counts "
            f"{head.sequence}: stop, and restore the newest backup (watchkeep restore)"
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


def entries(tx: Connection, *, after: int = 0) -> Iterator[AuditEntry]:
    """All entries beyond number `after` in order, as they lie in the catalog."""
    query = select(*_COLUMNS).where(audit_event.c.sequence > after).order_by(audit_event.c.sequence)
    last = after
    try:
        for row in tx.execute(query.execution_options(yield_per=1000)):
            entry = AuditEntry._make(row)
            last = entry.sequence
            yield entry
    except OperationalError as error:  # a text that is none
        raise IntegrityError(f"audit chain: what follows entry {last} cannot be read: {error.orig}") from error


def losses(tx: Connection) -> tuple[Lost, ...]:
    """What restores lost of the chain, in order."""
    t = audit_event
    query = select(*_COLUMNS).where(t.c.subject == chain.RESTORES).order_by(t.c.sequence)
    told = (chain.lost_in(AuditEntry._make(row)) for row in tx.execute(query))
    return tuple(lost for lost in told if lost is not None)


def walked(tx: Connection, subject: str, parts: Iterable[Part] = ()) -> Walk:
    """The whole chain, followed once; `subject` is what the first entry must name.

    Raises IntegrityError that names the first entry that was changed, removed or put in.
    """
    walk = Walk(subject, parts)
    for entry in entries(tx):
        walk.take(entry)
    return walk


def first_break(tx: Connection, subject: str) -> str:
    """The sentence that `walked` raises, or ""."""
    try:
        walked(tx, subject)
    except IntegrityError as error:
        return str(error)
    return ""


def _writable(text: str) -> str:
    # Names from the command line may hold bytes that are no text; an entry is valid UTF-8.
    return text.encode("utf-8", "backslashreplace").decode()


def last_state(tx: Connection, subject: str) -> str:
    """The digest of the rows of `subject` as the last act on them left it, or "" if there was none."""
    t = audit_event
    query = select(t.c.after).where(t.c.subject == subject, t.c.after != "").order_by(t.c.sequence.desc()).limit(1)
    return tx.execute(query).scalar() or ""


def subjects(tx: Connection, kind: str) -> Iterator[str]:
    """Every subject of a kind whose state some entry holds, sorted."""
    t = audit_event
    ours = t.c.subject.between(f"{kind}:", f"{kind};")  # ";" follows ":", so the index finds them
    yield from tx.execute(select(t.c.subject).where(ours, t.c.after != "").distinct().order_by(t.c.subject)).scalars()
