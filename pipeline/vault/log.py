"""The audit chain as a log that others can check: its tree, signed checkpoints, and proofs by entry number.

A checkpoint that lies elsewhere finds a chain that was cut off or written anew, even together with its signed head.
Nothing is signed that does not follow from the first entry on and from every checkpoint at the second place. Refuses
to know what entries mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from pipeline.core.chain import AuditEntry, Lost, Walk
from pipeline.core.checkpoint import Checkpoint, Published
from pipeline.core.clock import utc_text
from pipeline.core.errors import IntegrityError
from pipeline.core.merkle import Part, consistency_parts, inclusion_parts
from pipeline.vault.audit import behind, chain_tip, creation, entries, losses
from pipeline.vault.destroyed import ledger_of
from pipeline.vault.parts import Parts
from pipeline.vault.second_place import Kept, SecondPlace

LOG = "audit-log"
"""The subject of acts on the log as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """An entry and its way up to the root of the tree that a checkpoint names."""

    entry: AuditEntry
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A checkpoint of the chain as it is; `path` is where it was kept, None if only its text was wanted."""

    checkpoint: Checkpoint
    note: str
    path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCheck:
    """What a look over chain, head and second place found; `covered` is the length that a checkpoint vouches for.

    `lost` tells of each restore that lost entries; `strays` counts the checkpoints that only vouch for those.
    """

    problems: tuple[str, ...]
    entries: int
    checkpoints: int
    covered: int
    lost: tuple[str, ...] = ()
    strays: int = 0


class Log:
    """The log of one vault."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._creation = creation(parts.head)

    def checkpoint(self, folder: Path | None, *, by: str) -> Signed:
        """Sign the chain as it is, and keep that in `folder`, where others may lie already.

        The entry of this act is in it, and names the end of the destruction ledger: one that was cut off shows, too.
        Raises IntegrityError, and signs nothing, if the chain is broken or does not go on from what lies there.
        """
        ledger = ledger_of(self._parts.keys)
        with self._parts.journal.act(by) as act:
            words = f"destruction ledger {ledger.number} {ledger.digest}".strip() if ledger else ""
            act.record("audit.checkpoint", LOG, reason=words)
        place = SecondPlace(folder, self._parts.head) if folder else None
        known, problems = place.read() if place else ([], [])
        if problems:
            raise IntegrityError(problems[0])
        with self._parts.catalog.read() as tx:
            size = chain_tip(tx).sequence
            known = self._ours(tx, known, losses(tx))
            older = max((k.checkpoint.size for k in known if k.checkpoint.size <= size), default=0)
            way = consistency_parts(older, size)
            walk = self._walk(tx, known, way)
        signed = self.signed(walk)
        if place is None:
            return signed
        published = Published(note=signed.note, older=older, proof=walk.tree.proof(way))
        return replace(signed, path=place.add(published, size))

    def prove(self, tx: Connection, numbers: Collection[int]) -> tuple[Signed, tuple[Proven, ...]]:
        """A checkpoint of the chain in `tx`, and the entries of these numbers with their proofs, in order."""
        size = chain_tip(tx).sequence
        ways = {number: inclusion_parts(number - 1, size) for number in sorted(numbers)}
        walk = Walk(self._creation, (part for way in ways.values() for part in way))
        found = {}
        for entry in entries(tx):
            walk.take(entry)
            if entry.sequence in ways:
                found[entry.sequence] = entry
        return self.signed(walk), tuple(
            Proven(entry=found[number], proof=walk.tree.proof(way)) for number, way in ways.items()
        )

    def signed(self, walk: Walk) -> Signed:
        """A checkpoint of a chain that was followed to its end."""
        head = self._parts.head
        checkpoint = Checkpoint(
            size=walk.sequence, root=walk.tree.root(), at=utc_text(self._parts.clock.now()), key=head.public_key
        )
        return Signed(checkpoint=checkpoint, note=head.note(checkpoint), path=None)

    def check(self, folders: Iterable[Path]) -> LogCheck:
        """Follow the chain once and hold it against its head and every checkpoint in `folders`."""
        known: list[Kept] = []
        problems: list[str] = []
        for folder in folders:
            kept, wrong = SecondPlace(folder, self._parts.head).read()
            known += kept
            problems += wrong
        known.sort(key=lambda k: k.checkpoint.size)
        with self._parts.catalog.read() as tx:
            tip, lost = chain_tip(tx), losses(tx)
            ours = known
            try:
                ours = self._ours(tx, known, lost)
                self._walk(tx, ours, ())
            except IntegrityError as error:
                problems.append(str(error))
            try:
                _refuse(behind(tx, self._parts.head.read(), tip))
            except IntegrityError as error:
                problems.append(str(error))
        return LogCheck(
            problems=tuple(dict.fromkeys(problems)),
            entries=tip.sequence,
            checkpoints=len(ours),
            covered=ours[-1].checkpoint.size if ours else 0,
            lost=tuple(one.words() for one in lost),
            strays=len(known) - len(ours),
        )

    def _ours(self, tx: Connection, known: Sequence[Kept], lost: Sequence[Lost]) -> list[Kept]:
        """The checkpoints of this chain, without those of entries that a restore lost."""
        doubtful = {
            k.checkpoint.size: k.checkpoint.root
            for k in known
            if any(one.counts(k.checkpoint.size, k.checkpoint.at) for one in lost)
        }
        if doubtful:
            walk = Walk(self._creation)
            for entry in entries(tx):
                walk.take(entry)
                if doubtful.get(walk.sequence) == walk.tree.root():
                    del doubtful[walk.sequence]
        return [k for k in known if k.checkpoint.size not in doubtful]

    def _walk(self, tx: Connection, known: Sequence[Kept], parts: Collection[Part]) -> Walk:
        walk = Walk(self._creation, parts)
        waiting = iter(known)
        following = next(waiting, None)
        sound = 0
        for entry in entries(tx):
            walk.take(entry)
            while following is not None and following.checkpoint.size == walk.sequence:
                if walk.tree.root() != following.checkpoint.root:
                    raise IntegrityError(
                        f"audit chain: entries {sound + 1} to {walk.sequence} are not those of {following.path}, "
                        f"signed {following.checkpoint.at}: the chain was written anew; restore the catalog"
                    )
                sound, following = walk.sequence, next(waiting, None)
        if following is not None:
            last = known[-1]
            raise IntegrityError(
                f"audit chain: entries {walk.sequence + 1} to {last.checkpoint.size} are missing, {last.path} counts "
                f"them, signed {last.checkpoint.at}: restore the catalog"
            )
        return walk


def _refuse(problem: str) -> None:
    if problem:
        raise IntegrityError(problem)
