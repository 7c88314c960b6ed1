"""What is put into a store and deleted from it, at random, under keys so few that they meet again."""

from __future__ import annotations

from hypothesis import strategies as st

from tallystick_node.store.store import Batch

KEYS = st.binary(max_size=3)
CHANGES = st.lists(st.tuples(KEYS, st.binary(max_size=4) | st.none()), max_size=12)


def batch_of(changes: dict[bytes, bytes | None]) -> Batch:
    """The batch that makes them."""
    batch = Batch()
    for key, value in changes.items():
        if value is None:
            batch.delete(key)
        else:
            batch.put(key, value)
    return batch
