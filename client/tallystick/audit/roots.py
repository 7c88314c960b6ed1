"""The roots of the sizes that a ledger had lately, from its leaves as they are read.

What a ledger's own entry says of its checkpoints can so be held against the ledger: of each level of the tree the last
complete nodes are kept, which is enough for every size that is not too long ago. Of single sizes that are named before,
those of an earlier audit, the root is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tallystick.core.errors import NotFound
from tallystick.core.hashing import node_hash
from tallystick.core.limits import HASH_BYTES
from tallystick.core.merkle import root_at

SIZES_KEPT: Final = 1 << 14
"""How many entries ago a size may be, at least, for its root to be known; a level of the tree has at most 1 MiB."""


class _Row:
    """The last nodes of one level, one after the other, from index `first` on."""

    def __init__(self) -> None:
        self.first = 0
        self.nodes = bytearray()

    @property
    def count(self) -> int:
        return self.first + len(self.nodes) // HASH_BYTES

    def add(self, node: bytes) -> None:
        self.nodes += node
        if len(self.nodes) >= 2 * SIZES_KEPT * HASH_BYTES:
            del self.nodes[: SIZES_KEPT * HASH_BYTES]
            self.first += SIZES_KEPT

    def get(self, index: int) -> bytes:
        if not self.first <= index < self.count:
            raise NotFound(f"node {index} is not kept")
        start = (index - self.first) * HASH_BYTES
        return bytes(self.nodes[start : start + HASH_BYTES])


class Roots:
    """Grows leaf by leaf, from a ledger's first."""

    def __init__(self) -> None:
        self._rows = [_Row()]
        self._wanted: set[int] = set()
        self._kept: dict[int, bytes | None] = {}

    def want(self, sizes: Iterable[int]) -> None:
        """Keep the roots of these sizes, once they are reached."""
        self._wanted.update(sizes)

    def add(self, leaf: bytes) -> None:
        """The next leaf hash."""
        self._grow(leaf)
        size = self._rows[0].count
        if size in self._wanted:
            self._kept[size] = self.at(size)

    def _grow(self, node: bytes) -> None:
        for row in self._rows:
            row.add(node)
            if row.count % 2:
                return
            node = node_hash(row.get(row.count - 2), node)
        self._rows.append(_Row())
        self._rows[-1].add(node)

    def at(self, size: int) -> bytes | None:
        """The root of the first `size` leaves; None where that many were not read, or too long ago."""
        if size > self._rows[0].count:
            return None
        if size in self._kept:
            return self._kept[size]
        try:
            return root_at(size, lambda level, index: self._rows[level].get(index))
        except NotFound:
            return None
