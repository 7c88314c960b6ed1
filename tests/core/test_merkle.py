"""Proofs over RFC 6962 trees: the fast code agrees with the definition, and nothing but a true proof is believed."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import NotFound, ProofFailed
from tallystick.core.hashing import leaf_hash
from tallystick.core.limits import LEDGER_ENTRIES_MAX
from tallystick.core.merkle import (
    EMPTY_ROOT,
    check_consistency,
    check_inclusion,
    check_range,
    consistency_of_range,
    consistency_root,
    parents,
    prove_consistency,
    prove_inclusion,
    prove_range,
    root_at,
    root_before_range,
    root_of,
)
from tests.reference.rfc6962 import Reference

SIZE = 300
ENTRIES = [f"entry {number}".encode() for number in range(SIZE)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
REFERENCE = Reference(ENTRIES)
ROOTS = [REFERENCE.mth(0, size) for size in range(SIZE + 1)]

ROWS = [LEAVES]
while len(ROWS[-1]) > 1:
    ROWS.append(parents(ROWS[-1]))


def read(level: int, index: int) -> bytes:
    """Complete nodes of the tree of all leaves."""
    return ROWS[level][index]


def test_roots_agree_with_the_definition() -> None:
    """At every size the root is that of the definition, from leaves and from stored nodes."""
    for size in range(SIZE + 1):
        assert root_of(LEAVES[:size]) == ROOTS[size]
        assert root_at(size, read) == ROOTS[size]


def test_inclusion_proofs_agree_with_the_definition() -> None:
    """At every size every leaf's proof is that of the definition, and checks."""
    for size in range(1, SIZE + 1):
        for index in range(size):
            proof = prove_inclusion(index, size, read)
            assert proof == REFERENCE.path(index, 0, size)
            check_inclusion(LEAVES[index], index, size, ROOTS[size], proof)


def test_consistency_proofs_agree_with_the_definition() -> None:
    """Between any two sizes the proof is that of the definition, and checks."""
    for new in range(1, SIZE + 1):
        check_consistency(0, EMPTY_ROOT, new, ROOTS[new], prove_consistency(0, new, read))
        for old in range(1, new + 1):
            proof = prove_consistency(old, new, read)
            assert proof == REFERENCE.proof(old, new)
            check_consistency(old, ROOTS[old], new, ROOTS[new], proof)


def test_a_consistency_proof_tells_the_old_root_except_of_a_power_of_two() -> None:
    """Between any two sizes the old root is in the proof, or the proof leaves it out and nothing is said."""
    for new in range(1, SIZE + 1):
        for old in range(new + 1):
            proof = prove_consistency(old, new, read)
            if old in (0, new) or not old & old - 1:
                with pytest.raises(ProofFailed):
                    consistency_root(old, new, ROOTS[new], proof)
            else:
                assert consistency_root(old, new, ROOTS[new], proof) == ROOTS[old]


@pytest.mark.parametrize(("old", "new"), [(3, 7), (6, 8), (7, 300), (129, 257), (299, 300)])
def test_an_altered_consistency_proof_tells_no_root(old: int, new: int) -> None:
    """What does not lead to the new root tells nothing of an old one."""
    proof = prove_consistency(old, new, read)
    for other in (*alterations(proof), [], proof[:-1], [*proof, bytes(32)], [b""] * len(proof)):
        with pytest.raises(ProofFailed):
            consistency_root(old, new, ROOTS[new], other)
    with pytest.raises(ProofFailed):
        consistency_root(old, new, ROOTS[new - 1], proof)


def test_range_proofs_agree_with_the_definition() -> None:
    """Every range of every small tree, and sampled ranges of every larger one, are proven as defined, and check."""
    drawn = random.Random(6962)
    for size in range(1, SIZE + 1):
        ranges = [(first, end) for first in range(size) for end in range(first + 1, size + 1)]
        for first, end in ranges if size <= 20 else drawn.sample(ranges, 12):
            proof = prove_range(first, end, size, read)
            assert proof == REFERENCE.range_proof(first, end, 0, size)
            check_range(first, LEAVES[first:end], size, ROOTS[size], proof)


def test_a_range_tells_what_stands_before_it() -> None:
    """The root before any range, and the proof that the tree extends it, are those of the definition."""
    for size in range(2, 40):
        for first in range(1, size):
            for end in {first + 1, (first + size + 1) // 2, size}:
                proof = prove_range(first, end, size, read)
                assert root_before_range(first, proof) == ROOTS[first]
                told = consistency_of_range(first, LEAVES[first:end], size, proof)
                assert told == prove_consistency(first, size, read)


def test_a_range_of_one_needs_the_hashes_of_its_inclusion_proof() -> None:
    """A range of one leaf is proven by the very hashes that prove its inclusion."""
    for index in range(77):
        assert sorted(prove_range(index, index + 1, 77, read)) == sorted(prove_inclusion(index, 77, read))


def test_a_range_to_the_end_needs_only_complete_nodes_on_its_left() -> None:
    """A range that ends with the tree has as many proof hashes as its first index has one-bits."""
    for first in range(SIZE):
        assert len(prove_range(first, SIZE, SIZE, read)) == first.bit_count()
    assert prove_range(0, SIZE, SIZE, read) == []


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 300), (123, 300), (299, 300), (255, 256), (256, 257)])
def test_an_altered_inclusion_proof_is_refused(index: int, size: int) -> None:
    """No hash of an inclusion proof can be altered, dropped, doubled or swapped, nor leaf, index, size or root."""
    leaf, root, proof = LEAVES[index], ROOTS[size], prove_inclusion(index, size, read)
    for altered in alterations(proof):
        refuse_inclusion(leaf, index, size, root, altered)
    refuse_inclusion(flipped(leaf), index, size, root, proof)
    refuse_inclusion(leaf, index, size, flipped(root), proof)
    refuse_inclusion(leaf[:-1], index, size, root, proof)
    refuse_inclusion(leaf, index, size, root + b"\0", proof)
    for other in {-1, index - 1, index + 1, size, 2**70} - {index}:
        refuse_inclusion(leaf, other, size, root, proof)
    for other in (-1, 0, index, LEDGER_ENTRIES_MAX + 1, 2**70):
        refuse_inclusion(leaf, index, other, root, proof)


@pytest.mark.parametrize(("old", "new"), [(0, 300), (1, 2), (100, 300), (256, 300), (255, 257), (300, 300)])
def test_an_altered_consistency_proof_is_refused(old: int, new: int) -> None:
    """No hash of a consistency proof can be altered, dropped, doubled or swapped, nor either root or size."""
    proof = prove_consistency(old, new, read)
    for altered in alterations(proof):
        refuse_consistency(old, ROOTS[old], new, ROOTS[new], altered)
    refuse_consistency(old, flipped(ROOTS[old]), new, ROOTS[new], proof)
    refuse_consistency(old, ROOTS[old][:-1], new, ROOTS[new], proof)
    refuse_consistency(old, ROOTS[old], new, ROOTS[new] + b"\0", proof)
    if old:  # anything extends the empty tree
        refuse_consistency(old, ROOTS[old], new, flipped(ROOTS[new]), proof)
    refuse_consistency(new + 1, ROOTS[old], new, ROOTS[new], proof)
    refuse_consistency(-1, ROOTS[old], new, ROOTS[new], proof)
    refuse_consistency(old, ROOTS[old], LEDGER_ENTRIES_MAX + 1, ROOTS[new], proof)


@pytest.mark.parametrize(("first", "end", "size"), [(0, 1, 1), (0, 1, 2), (256, 300, 300), (13, 40, 51), (0, 9, 9)])
def test_an_altered_range_is_refused(first: int, end: int, size: int) -> None:
    """No leaf or proof hash of a range can be altered, dropped, doubled or swapped, nor the root."""
    leaves, root, proof = LEAVES[first:end], ROOTS[size], prove_range(first, end, size, read)
    for altered in alterations(proof):
        refuse_range(first, leaves, size, root, altered)
    for altered in alterations(leaves):
        refuse_range(first, altered, size, root, proof)
    refuse_range(first, [], size, root, proof)
    refuse_range(first, leaves, size, flipped(root), proof)
    for other in (-1, size, 2**70):
        refuse_range(other, leaves, size, root, proof)
    for other in (-1, 0, end - 1, 2**70):
        refuse_range(first, leaves, other, root, proof)


def test_a_proof_of_what_is_not_there_is_not_made() -> None:
    """Asking for a proof beyond the tree is refused as not found."""
    with pytest.raises(NotFound):
        prove_inclusion(5, 5, read)
    with pytest.raises(NotFound):
        prove_inclusion(-1, 5, read)
    with pytest.raises(NotFound):
        prove_consistency(6, 5, read)
    for first, end in ((3, 3), (-1, 3), (3, 6)):
        with pytest.raises(NotFound):
            prove_range(first, end, 5, read)


SIZES = st.one_of(st.integers(-2, 40), st.integers(-(2**70), 2**70))
HASHES = st.lists(st.one_of(st.binary(min_size=32, max_size=32), st.binary(max_size=40)), max_size=70)


@given(SIZES, SIZES, st.binary(max_size=40), st.binary(max_size=40), HASHES)
def test_garbage_proofs_fail_and_nothing_else(a: int, b: int, leaf: bytes, root: bytes, proof: list[bytes]) -> None:
    """Whatever is shown as a proof, ProofFailed is the only error; a random one is never believed."""
    refuse_inclusion(leaf, a, b, root, [*proof, leaf])
    refuse_consistency(a, leaf, b, root, [*proof, leaf])
    refuse_range(a, proof, b, root, [leaf])


def flipped(hash_: bytes) -> bytes:
    """The same hash but for one bit."""
    return hash_[:-1] + bytes([hash_[-1] ^ 1])


def alterations(proof: Sequence[bytes]) -> list[list[bytes]]:
    """Every proof that differs from this one in one hash, its length, its place or its presence."""
    altered = [[*proof, LEAVES[0]], [LEAVES[0], *proof]]
    for at, hash_ in enumerate(proof):
        before, after = proof[:at], proof[at + 1 :]
        for others in ([flipped(hash_)], [hash_[:-1]], [hash_ + b"\0"], [b""], [], [hash_, hash_]):
            altered.append([*before, *others, *after])
        if after:
            altered.append([*before, after[0], hash_, *after[1:]])
    return altered


def refuse_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    with pytest.raises(ProofFailed):
        check_inclusion(leaf, index, size, root, proof)


def refuse_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    with pytest.raises(ProofFailed):
        check_consistency(old, old_root, new, new_root, proof)


def refuse_range(first: int, leaves: Sequence[bytes], size: int, root: bytes, proof: Sequence[bytes]) -> None:
    with pytest.raises(ProofFailed):
        check_range(first, leaves, size, root, proof)
