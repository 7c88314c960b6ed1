"""A part of a store is a store of its own: it sees its keys, and neither neighbour nor owner sees another's change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import after
from tallystick_node.store.subspace import Subspace
from tests.harness.changes import CHANGES, KEYS, batch_of

PREFIXES = (b"c\x00\xff", b"c\x01", b"c\xff\xff", b"d")


@given(st.lists(st.tuples(st.sampled_from(PREFIXES), CHANGES), max_size=6), KEYS, KEYS | st.none())
def test_parts_are_maps_that_know_nothing_of_each_other(
    steps: list[tuple[bytes, list[tuple[bytes, bytes | None]]]], start: bytes, stop: bytes | None
) -> None:
    """Whatever is written in which part, each answers as a dict of its own with sorted keys does."""
    store = MemoryStore()
    models: dict[bytes, dict[bytes, bytes]] = {prefix: {} for prefix in PREFIXES}
    for prefix, changes in steps:
        Subspace(store, prefix).write(batch_of(dict(changes)))
        for key, value in dict(changes).items():
            models[prefix].pop(key, None)
            if value is not None:
                models[prefix][key] = value
    for prefix, model in models.items():
        part = Subspace(store, prefix)
        expected = sorted((k, v) for k, v in model.items() if start <= k and (stop is None or k < stop))
        assert list(part.range(start, stop)) == expected
        assert list(part.range(start, stop, reverse=True)) == expected[::-1]
        assert list(part.snapshot(start, stop)) == expected
        assert all(part.get(key) == model.get(key) for key in (start, *model))
    assert len(list(store.range(b"", None))) == sum(map(len, models.values()))


@given(st.binary(min_size=1, max_size=4).filter(lambda prefix: prefix[0] != 0xFF), st.binary(max_size=5))
def test_nothing_stands_between_a_prefix_and_what_comes_after_it(prefix: bytes, key: bytes) -> None:
    """A key begins with a prefix exactly where it stands from the prefix on and before what comes after."""
    assert key.startswith(prefix) == (prefix <= key < after(prefix))
