"""What a ledger is at one size, and the state record by which its database says so.

The record is written in the batch that leads to the state, in the one canonical encoding, and carries all that a ledger
opens with; so opening costs the same at any size. Reading it checks what it can be held against by itself: its ledger's
name, the tree's root against its edge, and where the index ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from tallystick.core.errors import StoreDamaged
from tallystick.core.hashing import genesis_hash
from tallystick.core.tree import Tree
from tallystick_node import keyspace
from tallystick_node.index import IndexState
from tallystick_node.store.store import Store
from tallystick_proto.v1 import storage_pb2


@dataclass(frozen=True, slots=True)
class State:
    """A ledger at one size. `prev` is what the next entry carries; `recorded_at_us` when the last was recorded."""

    size: int
    root: bytes
    prev: bytes
    recorded_at_us: int
    tree: Tree
    index: IndexState

    def dated(self, now_us: int) -> int:
        """When the next entry is recorded, by a clock that may have gone back."""
        return max(now_us, self.recorded_at_us)

    def encode(self, origin: str) -> bytes:
        """The state record."""
        return storage_pb2.State(
            origin=origin,
            size=self.size,
            root=self.root,
            prev=self.prev,
            recorded_at_us=self.recorded_at_us,
            edge=self.tree.edge(),
            runs=self.index.to_bytes(),
        ).SerializeToString()


def empty_state(origin: str) -> State:
    """A ledger without entries."""
    tree = Tree()
    return State(0, tree.root(), genesis_hash(origin), 0, tree, IndexState())


def read_state(store: Store, origin: str) -> State:
    """The state a database holds. Raises StoreDamaged where it holds none, another ledger's, or one that does not
    fit.
    """
    data = store.get(keyspace.STATE)
    where = f"state record of {origin}"
    if data is None:
        raise StoreDamaged("it is missing", where=where, expected="a database made by tallyd init")
    try:
        record = storage_pb2.State.FromString(data)
    except DecodeError:
        raise StoreDamaged("it does not parse", where=where, expected="what the last commit wrote") from None
    record.DiscardUnknownFields()
    if record.SerializeToString() != data:
        raise StoreDamaged("it is not in canonical form", where=where, expected="what the last commit wrote")
    if record.origin != origin:
        raise StoreDamaged(f"it is of {record.origin[:255]!r}", where=where, expected=origin)
    tree = Tree(record.size, list(record.edge))
    if tree.root() != record.root:
        raise StoreDamaged(
            f"root {record.root.hex()}", where=where, expected=f"{tree.root().hex()}, the root of its own edge"
        )
    if len(record.prev) != 32:
        raise StoreDamaged(f"prev has {len(record.prev)} bytes", where=where, expected="32")
    index = IndexState.from_bytes(record.runs)
    if index.end != record.size:
        raise StoreDamaged(f"its index ends at {index.end}", where=where, expected=f"{record.size}")
    return State(record.size, record.root, record.prev, record.recorded_at_us, tree, index)


def check_no_entries(store: Store, origin: str) -> None:
    """An observer's database is its own, and holds no entry but in copies. Raises StoreDamaged."""
    size = read_state(store, origin).size
    if size:
        raise StoreDamaged(f"{size} entries", where=f"state record of {origin}", expected="none, it is an observer's")
