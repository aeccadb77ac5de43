"""The tree is that of RFC 6962, as pymerkle and the RFC's own vectors have it, and no forged proof passes."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from pipeline.core.errors import IntegrityError
from pipeline.core.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    inclusion_parts,
    inclusion_proof,
    root,
    verify_consistency,
    verify_inclusion,
)

# Inputs and roots of the reference implementation of certificate transparency.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
}
CONSISTENCY = {
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\0" + i.to_bytes(4, "big")).digest() for i in range(count)]


def oracle(count: int) -> InmemoryTree:
    return InmemoryTree.init_from_entries([i.to_bytes(4, "big") for i in range(count)])


def test_roots_and_proofs_are_the_known_ones() -> None:
    hashes = [hashlib.sha256(b"\0" + body).digest() for body in INPUTS]
    assert root([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()
    for size, known in enumerate(ROOTS, 1):
        assert root(hashes[:size]).hex() == known
    for (index, size), path in INCLUSION.items():
        assert [step.hex() for step in inclusion_proof(hashes[:size], index, size)] == list(path)
    for (older, size), path in CONSISTENCY.items():
        assert [step.hex() for step in consistency_proof(hashes[:size], older, size)] == list(path)


@given(st.integers(1, 130))
def test_roots_and_inclusion_proofs_are_pymerkles(size: int) -> None:
    hashes, theirs = leaves(size), oracle(size)
    ours = root(hashes)
    assert ours == theirs.get_root()
    for index in {0, size // 3, size // 2, size - 1}:
        proof = inclusion_proof(hashes, index, size)
        assert list(proof) == theirs.prove_inclusion(index + 1).path[1:]
        verify_inclusion(hashes[index], index, size, proof, ours)


@given(st.integers(1, 130), st.data())
def test_older_roots_are_pymerkles_and_both_prove_the_tree_consistent(size: int, data: st.DataObject) -> None:
    older = data.draw(st.integers(1, size))
    hashes, theirs = leaves(size), oracle(size)
    old, new = root(hashes[:older]), root(hashes)
    assert old == theirs.get_root(older)
    verify_consistency(older, size, consistency_proof(hashes, older, size), old, new)
    theirs.prove_consistency(older, size).verify(old, new)


@given(st.integers(1, 70), st.data())
def test_no_other_leaf_place_size_root_or_path_passes_for_inclusion(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    index, top = data.draw(st.integers(0, size - 1)), root(hashes)
    proof = inclusion_proof(hashes, index, size)
    other = b"\7" * 32
    forged = [
        (other, index, size, proof, top),
        (hashes[index], size, size, proof, top),
        (hashes[index], -1, size, proof, top),
        (hashes[index], index, size, proof, other),
        (hashes[index], index, size, (*proof, other), top),
        (hashes[index], index, size * 2, proof, top),
        *((hashes[index], i, size, proof, top) for i in range(size) if i != index),
        *((hashes[index], index, size, (*proof[:i], other, *proof[i + 1 :]), top) for i in range(len(proof))),
        *((hashes[index], index, size, (*proof[:i], *proof[i + 1 :]), top) for i in range(len(proof))),
    ]
    for case in forged:
        with pytest.raises(IntegrityError):
            verify_inclusion(*case)


@given(st.integers(2, 70), st.data())
def test_no_other_older_tree_or_path_passes_for_consistency(size: int, data: st.DataObject) -> None:
    hashes, other = leaves(size), b"\7" * 32
    older = data.draw(st.integers(1, size - 1))
    old, new = root(hashes[:older]), root(hashes)
    proof = consistency_proof(hashes, older, size)
    forged = [
        (older, size, proof, other, new),
        (older, size, proof, old, other),
        (older, size, (*proof, other), old, new),
        (size + 1, size, proof, old, new),
        (0, size, proof, old, new),
        (size, size, (), old, new),
        (older, 4 * size, proof, old, new),
        *((older, size, (*proof[:i], other, *proof[i + 1 :]), old, new) for i in range(len(proof))),
        *((older, size, (*proof[:i], *proof[i + 1 :]), old, new) for i in range(len(proof))),
    ]
    for case in forged:
        with pytest.raises(IntegrityError):
            verify_consistency(*case)


def test_every_tree_begins_with_the_empty_one_and_with_itself() -> None:
    hashes = leaves(5)
    verify_consistency(0, 5, (), EMPTY_ROOT, root(hashes))
    verify_consistency(5, 5, (), root(hashes), root(hashes))


def test_many_proofs_are_made_in_one_reading_and_the_edge_stays_short() -> None:
    size = 5000
    parts = {index: inclusion_parts(index, size) for index in (0, 4095, 4096, 4999)}
    tree = Tree(part for several in parts.values() for part in several)
    for leaf in leaves(size):
        tree.add(leaf)
        assert len(tree._edge) <= size.bit_length()
    for index, several in parts.items():
        verify_inclusion(leaves(size)[index], index, size, tree.proof(several), tree.root())


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_parts(index, size)
