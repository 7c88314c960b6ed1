"""The growing right edge of an RFC 6962 tree, in memory, and the full tiles it sheds.

A *tile* (tlog-tiles, height 8) of tile level t and number k holds the 256 complete nodes of binary level 8t from index
256k on; the levels in between follow from it by hashing. A full tile never changes and is handed out once, to be
stored. What no full tile holds is the edge: of each tile level the nodes after its last full tile, fewer than 256.

    edge[t]   the concatenated 32-byte hashes of tile level t's partial tile, exactly (size >> 8t) % 256 of them,
              for every t with size >> 8t > 0; it may be empty, as edge[0] is at size 256

Size and edge are the whole state: a tree opened from them is the tree that was left. Nothing here does I/O: full tiles
are fetched through a function the caller gives.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from tallystick.core.errors import NotFound, StoreDamaged
from tallystick.core.hashing import node_hash
from tallystick.core.limits import HASH_BYTES, LEDGER_ENTRIES_MAX, TILE_HEIGHT, TILE_WIDTH
from tallystick.core.merkle import EMPTY_ROOT, Reader, parents

CACHED_TILES_MAX: Final = 128
"""Full tiles a `FullTiles` keeps in memory, some 50 kB each with the nodes derived from it."""

_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES


class Tile(NamedTuple):
    """A full tile: `data` is 256 concatenated hashes."""

    level: int
    number: int
    data: bytes


class FullTiles:
    """Full tiles fetched through `tile(level, number)`, the last used kept with what was derived from them.

    Full tiles never change, so one may outlive any number of readers over one ledger.
    """

    def __init__(self, tile: Callable[[int, int], bytes]) -> None:
        self._tile = tile
        self._rows: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def node(self, level: int, number: int, height: int, position: int) -> bytes:
        """The node at `position` of the row `height` above the tile's own. Raises StoreDamaged."""
        rows = self._rows.get((level, number))
        if rows is None:
            data = self._tile(level, number)
            if len(data) != _TILE_BYTES:
                raise StoreDamaged(
                    f"the tile has {len(data)} bytes", where=f"tile {level}/{number}", expected=f"{_TILE_BYTES}"
                )
            rows = self._rows[level, number] = [_hashes(data)]
            if len(self._rows) > CACHED_TILES_MAX:
                self._rows.popitem(last=False)
        else:
            self._rows.move_to_end((level, number))
        while len(rows) <= height:
            rows.append(parents(rows[-1]))
        return rows[height][position]


class Tree:
    """An RFC 6962 tree of `size` leaves, of which only the right edge is kept. Raises StoreDamaged.

    Rows of nodes are replaced, never changed in place, so that a copy shares them all.
    """

    def __init__(self, size: int = 0, edge: Sequence[bytes] = ()) -> None:
        if not 0 <= size <= LEDGER_ENTRIES_MAX:
            raise StoreDamaged(f"a tree cannot have {size} leaves", expected=f"0 to {LEDGER_ENTRIES_MAX}")
        lengths = [HASH_BYTES * ((size >> shift) % TILE_WIDTH) for shift in range(0, size.bit_length(), TILE_HEIGHT)]
        if [len(hashes) for hashes in edge] != lengths:
            raise StoreDamaged(
                f"the edge has {[len(hashes) for hashes in edge]} bytes", where=f"tree of {size}", expected=f"{lengths}"
            )
        self._size = size
        self._rows: list[list[bytes]] = []  # by binary level, each from its tile level's last full tile on
        for hashes in edge:
            row = _hashes(hashes)
            for _ in range(TILE_HEIGHT):
                self._rows.append(row)
                row = parents(row)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    def append(self, leaf_hashes: Sequence[bytes]) -> list[Tile]:
        """Adds leaf hashes of 32 bytes; returns the tiles they completed, lower levels first, then by number."""
        rows = list(self._rows)
        tiles = []
        level = 0
        new = list(leaf_hashes)
        while new:
            base = level * TILE_HEIGHT
            if base == len(rows):
                rows.extend([] for _ in range(TILE_HEIGHT))
            row = rows[base] + new
            full = len(row) // TILE_WIDTH
            number = self._size >> (base + TILE_HEIGHT)
            for start in range(0, full * TILE_WIDTH, TILE_WIDTH):
                tiles.append(Tile(level, number, b"".join(row[start : start + TILE_WIDTH])))
                number += 1
            for height in range(TILE_HEIGHT):
                above = rows[base + height + 1] if height + 1 < TILE_HEIGHT else []
                new = parents(row[2 * len(above) :])
                rows[base + height] = row[full * TILE_WIDTH >> height :]
                if not new:
                    break
                row = above + new
            level += 1
        self._rows = rows
        self._size += len(leaf_hashes)
        return tiles

    def root(self) -> bytes:
        """The root, in at most one hash per level."""
        root = b""
        for level in range(self._size.bit_length()):
            if self._size >> level & 1:
                peak = self._rows[level][-1]
                root = node_hash(peak, root) if root else peak
        return root or EMPTY_ROOT

    def edge(self) -> list[bytes]:
        """What, with the size, opens this tree again."""
        return [b"".join(row) for row in self._rows[::TILE_HEIGHT]]

    def copy(self) -> Tree:
        """An independent tree in the same state."""
        other = Tree()
        other._size, other._rows = self._size, self._rows
        return other

    def reader(self, tile: FullTiles | Callable[[int, int], bytes]) -> Reader:
        """Any complete node of this tree as it stands now, later appends notwithstanding.

        Nodes come from the edge where it holds them, else from full tiles through `tile(level, number)`; a `FullTiles`
        the caller keeps carries its cache from one reader to the next. The reader raises NotFound for a node that is
        not complete, StoreDamaged for a tile of the wrong length, and whatever `tile` raises.
        """
        tiles = tile if isinstance(tile, FullTiles) else FullTiles(tile)
        rows, size = self._rows, self._size

        def read(level: int, index: int) -> bytes:
            if level < 0 or index < 0 or index + 1 > size >> level:
                raise NotFound(f"node {level}/{index} is not complete", where=f"tree of {size}")
            tile_level, height = divmod(level, TILE_HEIGHT)
            shift = TILE_HEIGHT - height
            start = size >> (level + shift) << shift
            if index >= start:
                return rows[level][index - start]
            number = index >> shift
            return tiles.node(tile_level, number, height, index - (number << shift))

        return read


def _hashes(joined: bytes) -> list[bytes]:
    return [joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES)]
