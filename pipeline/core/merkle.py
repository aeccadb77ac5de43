"""The Merkle tree of RFC 6962 over leaf hashes: its root, and short proofs that a leaf or an older tree is in it.

Leaves are taken one by one and memory grows with the tree's height, whatever its size. The hash of an inner node is
sha256 of 0x01 and its two children. Refuses to know what the leaves are hashes of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pipeline.core.errors import IntegrityError

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""

Part = tuple[int, int]
"""A run of leaves [start, end) that has a root of its own."""


class Tree:
    """A growing tree; `parts` are those whose roots will be asked for (see `inclusion_parts`, `consistency_parts`)."""

    def __init__(self, parts: Iterable[Part] = ()) -> None:
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []  # the largest complete subtrees, left to right, by their first leaf
        self._wanted = frozenset(parts)
        self._found: dict[Part, bytes] = {}

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash of 32 bytes."""
        start, digest = self.size, leaf
        self.size = end = start + 1
        self._keep(start, end, digest)
        rest = end
        while not rest & 1:
            start, left = self._edge.pop()
            digest = _node(left, digest)
            self._keep(start, end, digest)
            rest >>= 1
        self._edge.append((start, digest))

    def _keep(self, start: int, end: int, digest: bytes) -> None:
        if self._wanted and (start, end) in self._wanted:
            self._found[start, end] = digest

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return self._fold(0) if self._edge else EMPTY_ROOT

    def proof(self, parts: Iterable[Part]) -> tuple[bytes, ...]:
        """The roots of these parts, which must have been named at the start and end within the tree."""
        return tuple(self._found[p] if p in self._found else self._open(*p) for p in parts)

    def _open(self, start: int, end: int) -> bytes:
        # A part that is not complete is one that reaches to the end of the tree.
        if end != self.size or all(first != start for first, _ in self._edge):
            raise ValueError(f"leaves {start} to {end} are no part of a tree of {self.size}")
        return self._fold(start)

    def _fold(self, start: int) -> bytes:
        digest = self._edge[-1][1]
        for first, left in reversed(self._edge[:-1]):
            if first < start:
                break
            digest = _node(left, digest)
        return digest


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over `leaves`."""
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def inclusion_parts(index: int, size: int) -> list[Part]:
    """The parts whose roots prove that leaf `index` (from 0) is in a tree of `size` leaves; from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    return _path(index, 0, size)


def _path(index: int, start: int, end: int) -> list[Part]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle), (middle, end)]
    return [*_path(index, middle, end), (start, middle)]


def consistency_parts(older: int, size: int) -> list[Part]:
    """The parts whose roots prove that the first `older` leaves of a tree of `size` are the older tree's."""
    if not 0 <= older <= size:
        raise ValueError(f"a tree of {size} has no older tree of {older}")
    return [] if older in (0, size) else _subproof(older, 0, size, whole=True)


def _subproof(older: int, start: int, end: int, *, whole: bool) -> list[Part]:
    if older == end:
        return [] if whole else [(start, end)]
    middle = start + _split(end - start)
    if older <= middle:
        return [*_subproof(older, start, middle, whole=whole), (middle, end)]
    return [*_subproof(older, middle, end, whole=False), (start, middle)]


def inclusion_proof(leaves: Iterable[bytes], index: int, size: int) -> tuple[bytes, ...]:
    """The proof that leaf `index` is in the tree of these `size` leaves."""
    return _prove(leaves, inclusion_parts(index, size))


def consistency_proof(leaves: Iterable[bytes], older: int, size: int) -> tuple[bytes, ...]:
    """The proof that the tree of these `size` leaves begins with the one of the first `older`."""
    return _prove(leaves, consistency_parts(older, size))


def _prove(leaves: Iterable[bytes], parts: list[Part]) -> tuple[bytes, ...]:
    tree = Tree(parts)
    for leaf in leaves:
        tree.add(leaf)
    return tree.proof(parts)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Iterable[bytes], root: bytes) -> None:
    """IntegrityError unless `proof` leads from leaf `index` to the `root` of a tree of `size` (RFC 9162, 2.1.3.2)."""
    place, last, digest = index, size - 1, leaf
    sound = 0 <= index < size
    for step in proof:
        sound = sound and last > 0
        if place & 1 or place == last:
            digest = _node(step, digest)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            digest = _node(digest, step)
        place, last = place >> 1, last >> 1
    if not sound or last or digest != root:
        raise IntegrityError(f"leaf {index} is not in the tree of {size} with this root")


def verify_consistency(older: int, size: int, proof: Iterable[bytes], older_root: bytes, root: bytes) -> None:
    """IntegrityError unless `proof` shows that the tree of `size` begins with the `older` one (RFC 9162, 2.1.4.2)."""
    steps = list(proof)
    if older in (0, size):
        sound = not steps and (root if older else EMPTY_ROOT) == older_root and older <= size
    else:
        sound = 0 < older < size and _extends(older, size, steps, older_root, root)
    if not sound:
        raise IntegrityError(f"the tree of {size} does not begin with the tree of {older}")


def _extends(older: int, size: int, steps: list[bytes], older_root: bytes, root: bytes) -> bool:
    if not older & (older - 1):  # the older tree is complete, and its root is a node of the newer one
        steps.insert(0, older_root)
    if not steps:
        return False
    place, last = older - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            old, new = _node(step, old), _node(step, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = _node(new, step)
        place, last = place >> 1, last >> 1
    return not last and old == older_root and new == root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
