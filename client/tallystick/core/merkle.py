"""RFC 6962 trees over SHA-256: roots and proofs, made and checked.

A tree of n leaves is the node [0, n). A node [lo, hi) of more than one leaf splits at lo plus the largest power of two
below hi - lo; its hash is SHA-256(0x01 || left || right). A node whose width is a power of two is *complete* and never
changes again: it has a level (0 = leaves) and an index, and starts at leaf index << level.

Storage is seen only as a `Reader`: (level, index) -> hash of that complete node. Checking needs no storage at all, and
the *caller* supplies sizes, indexes, leaves and roots; a proof is nothing but hashes, so a prover never gets to choose
how it is checked.

    inclusion    of leaf i in n:       siblings from the leaf upwards (RFC 6962, 2.1.1)
    consistency  of size a with b:     RFC 6962, 2.1.2; empty where a = 0 or a = b
    range        of leaves [f, e) in n: the largest nodes of the tree of n that hold no leaf of the range, left to right

Left of a range these nodes are the complete ones that the bits of f name, largest first; right of it they grow again
and the last may be incomplete. For one leaf they are the inclusion proof's hashes in another order; for a range that
ends at n they are exactly the complete nodes left of it, and for the whole tree there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

from tallystick.core.errors import NotFound, ProofFailed
from tallystick.core.hashing import node_hash
from tallystick.core.limits import HASH_BYTES, LEDGER_ENTRIES_MAX

Reader = Callable[[int, int], bytes]

EMPTY_ROOT = sha256(b"").digest()


def parents(row: Iterable[bytes]) -> list[bytes]:
    """The hashes one level above adjacent nodes, the first of them a left child; an odd last node is left out."""
    nodes = iter(row)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes, nodes, strict=False)]


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over all these leaf hashes."""
    if not leaf_hashes:
        return EMPTY_ROOT
    row = leaf_hashes
    while len(row) > 1:
        above = parents(row)
        if len(row) % 2:
            above.append(row[-1])
        row = above
    return row[0]


def root_at(size: int, read: Reader) -> bytes:
    """The root of the first `size` leaves."""
    return _node(0, size, read) if size else EMPTY_ROOT


# Proofs made. Asking for a proof of what is not there is the asker's mistake: NotFound.


def prove_inclusion(index: int, size: int, read: Reader) -> list[bytes]:
    """The siblings of leaf `index` in the tree of `size`, from the leaf upwards. Raises NotFound."""
    if not 0 <= index < size:
        raise NotFound(f"there is no leaf {index} in a tree of {size}")
    low, high = 0, size
    path = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_node(middle, high, read))
            high = middle
        else:
            path.append(_node(low, middle, read))
            low = middle
    path.reverse()
    return path


def prove_consistency(old: int, new: int, read: Reader) -> list[bytes]:
    """The proof that the tree of `new` leaves extends that of `old`. Raises NotFound."""
    if not 0 <= old <= new:
        raise NotFound(f"a tree of {new} has no earlier state of {old}")
    if old in (0, new):
        return []
    return [_node(low, high, read) for low, high in _beside(old, new)]


def prove_range(first: int, end: int, size: int, read: Reader) -> list[bytes]:
    """What `check_range` needs for leaves [first, end) of the tree of `size`, left to right. Raises NotFound."""
    if not 0 <= first < end <= size:
        raise NotFound(f"there are no leaves {first} to {end} in a tree of {size}")
    return [_node(low, high, read) for low, high in _outside(0, size, first, end)]


# Proofs checked. Whatever is wrong with what was shown is ProofFailed.


def inclusion_root(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that a path leads to, for who learns the root only from it (RFC 9162, 2.1.3.2). Raises ProofFailed."""
    where = f"inclusion of #{index} in {size}"
    if not 0 <= index < size <= LEDGER_ENTRIES_MAX:
        raise ProofFailed("there is no such leaf", where=where)
    _check_lengths(where, [leaf, *proof])
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofFailed("the proof has too many hashes", where=where)
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            node, last = _skip_left_edge(node, last)
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofFailed("the proof has too few hashes", where=where)
    return computed


def check_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Leaf hash `leaf` stands at `index` in the tree of `size` with `root`. Raises ProofFailed."""
    _check_root(f"inclusion of #{index} in {size}", inclusion_root(leaf, index, size, proof), root)


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """The tree of `new` leaves extends that of `old` (RFC 9162, 2.1.4.2). Raises ProofFailed.

    Everything extends the empty tree: for `old` = 0 the old root must be `EMPTY_ROOT` and the proof empty.
    """
    where = f"consistency of {old} with {new}"
    if not 0 <= old <= new <= LEDGER_ENTRIES_MAX:
        raise ProofFailed("the sizes are out of order", where=where)
    _check_lengths(where, [old_root, new_root, *proof])
    if old == 0:
        _check_root(where, EMPTY_ROOT, old_root)
    if old == new:
        _check_root(where, old_root, new_root)
    if old in (0, new):
        if proof:
            raise ProofFailed("the proof should be empty", where=where)
        return
    computed_old, computed_new = _both_roots(where, old, new, old_root, proof)
    _check_root(where, computed_old, old_root)
    _check_root(where, computed_new, new_root)


def consistency_root(old: int, new: int, new_root: bytes, proof: Sequence[bytes]) -> bytes:
    """The root of size `old` that a proof shows the tree of `new` to extend, for who learns it only from there.

    Raises ProofFailed, and so it does where `old` is a power of two: the old tree is then a node of the new one, and
    its root is what the proof leaves to the checker.
    """
    where = f"consistency of {old} with {new}"
    if not 0 < old < new <= LEDGER_ENTRIES_MAX:
        raise ProofFailed("the sizes are out of order", where=where)
    if not old & old - 1:
        raise ProofFailed("the proof leaves the old root out", where=where)
    _check_lengths(where, [new_root, *proof])
    computed_old, computed_new = _both_roots(where, old, new, b"", proof)
    _check_root(where, computed_new, new_root)
    return computed_old


def check_range(first: int, leaves: Sequence[bytes], size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """The adjacent leaf hashes `leaves`, from index `first` on, stand in the tree of `size`. Raises ProofFailed."""
    end = first + len(leaves)
    where = f"range #{first} to #{end} in {size}"
    if not 0 <= first < end <= size <= LEDGER_ENTRIES_MAX:
        raise ProofFailed("there is no such range", where=where)
    _check_lengths(where, [root, *proof, *leaves])
    if len(proof) != sum(1 for _ in _outside(0, size, first, end)):
        raise ProofFailed("the proof has another number of hashes than the range needs", where=where)
    _check_root(where, _fold(0, size, first, leaves, iter(proof)), root)


# What a range that was checked, 0 < first, tells of the leaves before it.


def root_before_range(first: int, proof: Sequence[bytes]) -> bytes:
    """The root of the first `first` leaves, of a checked range that begins after them."""
    *complete, root = proof[: first.bit_count()]
    for left in reversed(complete):
        root = node_hash(left, root)
    return root


def consistency_of_range(first: int, leaves: Sequence[bytes], size: int, proof: Sequence[bytes]) -> list[bytes]:
    """The proof that the tree of `size` extends the first `first` leaves, of a checked range that begins after them."""
    outside = dict(zip(_outside(0, size, first, first + len(leaves)), proof, strict=True))

    def node(low: int, high: int) -> bytes:
        if (low, high) in outside:
            return outside[low, high]
        within = (hash_ for (start, end), hash_ in outside.items() if low <= start and end <= high)
        return _fold(low, high, first, leaves, within)

    return [node(low, high) for low, high in _beside(first, size)]


def _both_roots(where: str, old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of both sizes that a consistency proof leads to, 0 < old < new. Raises ProofFailed."""
    path = iter(proof)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    # A complete old tree is a node of the new one: its root stands for the hash the proof leaves out.
    start = next(path, b"") if node else old_root
    if not start:
        raise ProofFailed("the proof has too few hashes", where=where)
    computed_old = computed_new = start
    for sibling in path:
        if last == 0:
            raise ProofFailed("the proof has too many hashes", where=where)
        if node & 1 or node == last:
            computed_old = node_hash(sibling, computed_old)
            computed_new = node_hash(sibling, computed_new)
            node, last = _skip_left_edge(node, last)
        else:
            computed_new = node_hash(computed_new, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofFailed("the proof has too few hashes", where=where)
    return computed_old, computed_new


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1


def _node(low: int, high: int, read: Reader) -> bytes:
    """The hash of the tree node [low, high), from the complete nodes it consists of."""
    complete = []
    width = high - low
    for level in reversed(range(width.bit_length())):
        if width >> level & 1:
            complete.append(read(level, low >> level))
            low += 1 << level
    node = complete.pop()
    while complete:
        node = node_hash(complete.pop(), node)
    return node


def _beside(old: int, new: int) -> list[tuple[int, int]]:
    """The nodes of a consistency proof, 0 < old < new, in its order."""
    low, high = 0, new
    path = []
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
    if low:  # otherwise the old tree itself is a node of the new one, and its root is known to the checker
        path.append((low, high))
    path.reverse()
    return path


def _outside(low: int, high: int, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The largest nodes within the node [low, high) that hold no leaf of [first, end), left to right."""
    if high <= first or end <= low:
        yield low, high
    elif low < first or end < high:
        middle = low + _split(high - low)
        yield from _outside(low, middle, first, end)
        yield from _outside(middle, high, first, end)


def _fold(low: int, high: int, first: int, leaves: Sequence[bytes], proof: Iterator[bytes]) -> bytes:
    """The hash of the node [low, high), from the leaves of a range and, in order, the proof's hashes outside it."""
    end = first + len(leaves)
    if high <= first or end <= low:
        return next(proof)
    if first <= low and high <= end:
        return root_of(leaves[low - first : high - first])
    middle = low + _split(high - low)
    left = _fold(low, middle, first, leaves, proof)
    return node_hash(left, _fold(middle, high, first, leaves, proof))


def _skip_left_edge(node: int, last: int) -> tuple[int, int]:
    """Up past the levels on which the right edge has no sibling, to where the node is a right child again."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _check_lengths(where: str, hashes: Iterable[bytes]) -> None:
    if any(length != HASH_BYTES for length in set(map(len, hashes))):
        raise ProofFailed("a hash has the wrong length", where=where, expected=f"{HASH_BYTES} bytes")


def _check_root(where: str, computed: bytes, root: bytes) -> None:
    if computed != root:
        raise ProofFailed(
            "the hashes do not lead to the root", where=where, expected=f"{root.hex()}, computed {computed.hex()}"
        )
