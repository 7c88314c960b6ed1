"""The growing edge of a tree: however it grew, and wherever it was reopened, it is the tree of the definition."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.core.errors import NotFound, StoreDamaged
from tallystick.core.hashing import leaf_hash
from tallystick.core.limits import LEDGER_ENTRIES_MAX
from tallystick.core.merkle import (
    parents,
    prove_consistency,
    prove_inclusion,
    root_at,
    root_of,
)
from tallystick.core.tree import CACHED_TILES_MAX, FullTiles, Tile, Tree
from tests.reference.rfc6962 import Reference

ENTRIES = [f"entry {number}".encode() for number in range(600)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
REFERENCE = Reference(ENTRIES)
ROWS = [LEAVES]
while len(ROWS[-1]) > 1:
    ROWS.append(parents(ROWS[-1]))

LARGE = 256 * 256 + 256 * 3 + 5
LARGE_LEAVES = [number.to_bytes(32, "big") for number in range(LARGE)]


class Tiles(dict[tuple[int, int], bytes]):
    """Full tiles as a store would keep them."""

    def keep(self, tiles: list[Tile]) -> None:
        for tile in tiles:
            assert (tile.level, tile.number) not in self
            self[tile.level, tile.number] = tile.data

    def fetch(self, level: int, number: int) -> bytes:
        return self[level, number]


def grown(leaves: list[bytes], step: int) -> tuple[Tree, Tiles]:
    """A tree that grew by `step` leaves at a time, and its full tiles."""
    tree, tiles = Tree(), Tiles()
    for start in range(0, len(leaves), step):
        tiles.keep(tree.append(leaves[start : start + step]))
    return tree, tiles


def test_a_tree_grown_leaf_by_leaf_has_every_root_of_the_definition() -> None:
    """At every size on the way the root is that of the definition."""
    tree = Tree()
    for size in range(301):
        assert (tree.size, tree.root()) == (size, REFERENCE.mth(0, size))
        tree.append(LEAVES[size : size + 1])


def test_a_reopened_tree_is_the_tree_that_was_left() -> None:
    """At every size a tree opened from size and edge has the same root and edge, and grows to the same root."""
    tree = Tree()
    for size in range(301):
        reopened = Tree(tree.size, tree.edge())
        assert (reopened.size, reopened.root(), reopened.edge()) == (size, tree.root(), tree.edge())
        reopened.append(LEAVES[size:300])
        assert reopened.root() == REFERENCE.mth(0, 300)
        tree.append(LEAVES[size : size + 1])


def test_every_complete_node_can_be_read_at_every_size() -> None:
    """The reader gives every complete node, from the edge or from full tiles, and no incomplete one."""
    tree, tiles = Tree(), Tiles()
    for size in range(len(LEAVES) + 1):
        if size % 50 == 0 or size in (1, 255, 256, 257, 511, 512, 513):
            read = tree.reader(tiles.fetch)
            for level, row in enumerate(ROWS):
                assert [read(level, index) for index in range(size >> level)] == row[: size >> level]
                for index in (size >> level, -1):
                    with pytest.raises(NotFound):
                        read(level, index)
        tiles.keep(tree.append(LEAVES[size : size + 1]))


def test_a_reader_stays_at_its_size() -> None:
    """A reader taken before an append answers as before it."""
    tree, tiles = grown(LEAVES[:300], 300)
    read = tree.reader(tiles.fetch)
    tiles.keep(tree.append(LEAVES[300:]))
    assert root_at(300, read) == REFERENCE.mth(0, 300)
    with pytest.raises(NotFound):
        read(0, 300)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_steps_and_reopenings_do_not_matter(steps: list[int], reopen: list[bool]) -> None:
    """Any split into appends, reopened or not between them, gives the same tiles, edge and root."""
    tree, tiles, size = Tree(), Tiles(), 0
    for step, again in zip(steps, reopen, strict=False):
        step = min(step, len(LEAVES) - size)
        tiles.keep(tree.append(LEAVES[size : size + step]))
        size += step
        if again:
            tree = Tree(tree.size, tree.edge())
    at_once, expected = grown(LEAVES[:size], max(size, 1))
    assert (tree.size, tree.root(), tree.edge(), tiles) == (size, REFERENCE.mth(0, size), at_once.edge(), expected)


@pytest.mark.parametrize("step", [1_000, 256, LARGE])
def test_a_tree_of_three_tile_levels(step: int) -> None:
    """Above 65,536 leaves tiles of tiles are shed, root and proofs hold, and every tile is the level below, hashed."""
    tree, tiles = grown(LARGE_LEAVES, step)
    assert tree.root() == root_of(LARGE_LEAVES)
    assert [len(hashes) // 32 for hashes in tree.edge()] == [5, 3, 1]
    assert set(tiles) == {(0, number) for number in range(259)} | {(1, 0)}
    assert tiles[1, 0] == b"".join(root_of(LARGE_LEAVES[at : at + 256]) for at in range(0, 65_536, 256))
    read = Tree(tree.size, tree.edge()).reader(tiles.fetch)
    for size in (1, 255, 65_535, 65_536, 65_537, LARGE):
        assert root_at(size, read) == root_of(LARGE_LEAVES[:size])
    reference = Reference([])
    reference.mth = lambda low, high: root_of(LARGE_LEAVES[low:high])  # type: ignore[assignment]
    assert prove_inclusion(40_000, LARGE, read) == reference.path(40_000, 0, LARGE)
    assert prove_consistency(40_000, LARGE, read) == reference.proof(40_000, LARGE)


def test_a_copy_goes_its_own_way() -> None:
    """What is appended to a copy does not show in the tree it was taken from, nor the other way round."""
    tree, _ = grown(LEAVES[:300], 300)
    before = tree.edge()
    copy = tree.copy()
    copy.append(LEAVES[300:600])
    assert (tree.size, tree.root(), tree.edge()) == (300, REFERENCE.mth(0, 300), before)
    tree.append(LEAVES[300:301])
    assert (copy.size, copy.root()) == (600, REFERENCE.mth(0, 600))


@pytest.mark.parametrize(
    ("size", "edge"),
    [
        (-1, []),
        (LEDGER_ENTRIES_MAX + 1, []),
        (0, [b""]),
        (1, []),
        (1, [b"\0" * 31]),
        (1, [b"\0" * 64]),
        (1, [b"\0" * 32, b""]),
        (256, [b""]),
        (256, [b"", b"\0" * 64]),
        (257, [b"", b"\0" * 32]),
    ],
)
def test_an_edge_that_does_not_fit_its_size_is_refused(size: int, edge: list[bytes]) -> None:
    """Size and edge that cannot belong together are damage, not a tree."""
    with pytest.raises(StoreDamaged):
        Tree(size, edge)


@pytest.mark.parametrize("wrong", [b"", b"\0" * (256 * 32 - 1), b"\0" * (256 * 32 + 1)])
def test_a_tile_of_the_wrong_length_is_damage(wrong: bytes) -> None:
    """A full tile that is not 256 hashes long is refused when it is read."""
    tree, _ = grown(LEAVES, 600)
    read = tree.reader(lambda level, number: wrong)
    with pytest.raises(StoreDamaged, match="tile 0/1"):
        read(3, 40)


def test_full_tiles_are_fetched_once_and_forgotten_in_the_end() -> None:
    """A kept `FullTiles` serves several readers from one fetch, and holds no more tiles than its bound."""
    tree, tiles = grown(LARGE_LEAVES, LARGE)
    fetched: list[tuple[int, int]] = []

    def fetch(level: int, number: int) -> bytes:
        fetched.append((level, number))
        return tiles[level, number]

    full = FullTiles(fetch)
    for _ in range(2):
        assert tree.reader(full)(4, 0) == root_of(LARGE_LEAVES[:16])
    assert fetched == [(0, 0)]
    read = tree.reader(full)
    for number in range(1, CACHED_TILES_MAX + 1):
        read(0, number * 256)
    read(0, 0)
    assert fetched.count((0, 0)) == 2
    read(0, 256 * CACHED_TILES_MAX)
    assert fetched.count((0, CACHED_TILES_MAX)) == 1
