"""Every entry, and the tree over them, derived again.

An altered entry is told from an altered tile by its successor: if the next entry's `prev` is still the hash of this
one, it is the tile that differs, else the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tallystick.core.actors import Actors
from tallystick.core.entry import decode_entry
from tallystick.core.errors import StorageFailed, VerificationFailed
from tallystick.core.hashing import chain_hash, leaf_hash
from tallystick.core.history import History, Recorded
from tallystick.core.limits import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH
from tallystick.core.merkle import root_of
from tallystick_node import keyspace
from tallystick_node.doctor.report import Report
from tallystick_node.ledger import Ledger
from tallystick_proto.v1.statement_pb2 import Ref

Progress = Callable[[int, int], None]
"""Told how many entries of a ledger are checked, of how many."""

_BATCH = 1_024


def silent(done: int, of: int) -> None:
    """Progress that nobody is told."""


class EntryCheck:
    """One pass over the entries of a ledger, of which the charter names `actors`. `whole` says whether all of them are
    sound, so that the rest can be held against them.
    """

    def __init__(self, ledger: Ledger, actors: Actors, report: Report) -> None:
        self._ledger = ledger
        self._store = ledger.store
        self._state = ledger.state
        self._report = report
        self._history = History(actors.copy())
        self.whole = True

    def entries(self, seen: Callable[[Recorded], None], progress: Progress) -> None:
        """Every entry against its neighbours, its author and its leaf in the tree; sound ones are given to `seen`."""
        pending: list[bytes] = []
        stored = self._stored_leaves()
        previous: tuple[int, bytes, bytes | None] | None = None
        for index, raw in enumerate(self._raws()):
            leaf = next(stored)
            if previous is not None:
                self._compare(*previous, self._prev_of(raw))
            previous = (index, raw, leaf)
            pending.append(raw)
            if len(pending) == _BATCH:
                self._fold(pending, seen)
                pending = []
                progress(index + 1, self._state.size)
        if previous is not None:
            self._compare(*previous, self._state.prev)
        self._fold(pending, seen)
        progress(self._state.size, self._state.size)
        if self.whole and not self._history.complete:
            self._report.add(
                f"{self._ledger.origin}#{self._state.size - 1}", "the end of a submission", "the ledger's end"
            )

    def _raws(self) -> Iterator[bytes]:
        """The entries' bytes in order; ends where one is missing."""
        try:
            yield from self._ledger.entries(0, self._state.size)
        except StorageFailed as error:
            self.whole = False
            self._report.add_error(error)

    def _fold(self, raws: list[bytes], seen: Callable[[Recorded], None]) -> None:
        if not raws or not self.whole:
            return
        try:
            for recorded in self._history.extend(raws):
                seen(recorded)
        except VerificationFailed as error:
            self.whole = False
            if self._report.clean:  # otherwise a comparison has named the place already
                self._report.add_error(error)

    def _compare(self, index: int, raw: bytes, leaf: bytes | None, next_prev: bytes | None) -> None:
        """An entry against the leaf the tree has for it and the hash its successor has of it."""
        found = leaf_hash(raw)
        chained = chain_hash(raw) == next_prev
        if found == leaf:
            if not chained and index + 1 == self._state.size:
                self._report.add(
                    "state record: prev", f"{chain_hash(raw).hex()}, of #{index}", f"{(next_prev or b'').hex()}"
                )
            return
        place = f"{self._ledger.origin}#{index}"
        if chained:
            tile = f"tile 0/{index // TILE_WIDTH}" if index // TILE_WIDTH < self._state.size // TILE_WIDTH else "edge"
            self._report.add(
                f"{tile}, leaf {index % TILE_WIDTH}, of {place}", found.hex(), (leaf or b"").hex() or "nothing"
            )
            return
        self.whole = False
        expected = leaf.hex() if leaf else "an entry its successor has the hash of"
        ref = Ref(origin=self._ledger.origin, index=index, leaf=leaf or b"")
        self._report.add(place, f"leaf {expected}", f"leaf {found.hex()}", ref)

    @staticmethod
    def _prev_of(raw: bytes) -> bytes | None:
        try:
            return decode_entry(raw).prev
        except VerificationFailed:
            return None

    def _stored_leaves(self) -> Iterator[bytes | None]:
        """The leaf hashes as tiles and edge have them, None where they cannot be read."""
        full = self._state.size // TILE_WIDTH
        for number in range(full):
            data = self._store.get(keyspace.tile(0, number)) or b""
            for position in range(TILE_WIDTH):
                yield data[position * HASH_BYTES : (position + 1) * HASH_BYTES] or None
        edge = self._state.tree.edge()
        last = edge[0] if edge else b""
        for position in range(0, len(last), HASH_BYTES):
            yield last[position : position + HASH_BYTES]

    def tiles(self) -> None:
        """Every full tile and the state record, against the tree the entries give."""
        state, size = self._state, self._state.size
        found = {
            key: value for key, value in self._store.range(keyspace.TILE, b"u") if len(value) != TILE_WIDTH * HASH_BYTES
        }
        for key in found:
            self._report.add(f"tile under key {key.hex()}", "256 hashes", f"{len(found[key])} bytes")
        for level, number in full_tiles(size):
            data = self._store.get(keyspace.tile(level, number))
            if data is None:
                self._report.add(f"tile {level}/{number}", "256 hashes", "nothing")
            elif level and len(data) == TILE_WIDTH * HASH_BYTES:
                self._compare_tile(level, number, data)
        tree = self._history.tree
        if not self.whole or tree.size != size:
            return
        for name, expected, got in (
            ("root", tree.root().hex(), state.root.hex()),
            ("edge", b"".join(tree.edge()).hex()[:64], b"".join(state.tree.edge()).hex()[:64]),
            ("recorded_at_us", str(self._history.recorded_at_us), str(state.recorded_at_us)),
            ("prev", self._history.prev.hex(), state.prev.hex()),
        ):
            if expected != got:
                self._report.add(f"state record: {name}", expected, got)

    def _compare_tile(self, level: int, number: int, data: bytes) -> None:
        """A tile above the leaves holds the roots of the tiles below it."""
        for position in range(TILE_WIDTH):
            below = self._store.get(keyspace.tile(level - 1, number * TILE_WIDTH + position))
            if below is None or len(below) != TILE_WIDTH * HASH_BYTES:
                continue  # named already
            expected = root_of([below[at : at + HASH_BYTES] for at in range(0, len(below), HASH_BYTES)])
            got = data[position * HASH_BYTES : (position + 1) * HASH_BYTES]
            if expected != got:
                first = (number * TILE_WIDTH + position) << (TILE_HEIGHT * level)
                self._report.add(
                    f"tile {level}/{number}, hash {position}, which covers {self._ledger.origin}#{first} onwards",
                    expected.hex(),
                    got.hex(),
                )


def full_tiles(size: int) -> Iterator[tuple[int, int]]:
    """Level and number of every full tile of a tree."""
    level = 0
    while count := size >> (TILE_HEIGHT * (level + 1)):
        for number in range(count):
            yield level, number
        level += 1
