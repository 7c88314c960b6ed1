"""Posting lists: one encoding each, and damage is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import StoreDamaged
from tallystick.core.limits import COMMIT_ENTRIES_MAX
from tallystick_node import postings
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch

HASH = bytes(range(8))
INDEXES = st.tuples(
    st.integers(0, 2**18) | st.integers(0, 2**40),
    st.sets(st.integers(0, COMMIT_ENTRIES_MAX - 1), min_size=1, max_size=50),
).map(lambda drawn: sorted(drawn[0] + offset for offset in drawn[1]))


def encoded(indexes: list[int], term_hash: bytes = HASH) -> tuple[bytes, bytes]:
    batch = Batch()
    postings.put(batch, term_hash, indexes)
    return batch.puts[0]


@given(INDEXES)
def test_a_list_reads_back(indexes: list[int]) -> None:
    """What was put is what is decoded, and encoding that again gives the same bytes."""
    key, value = encoded(indexes)
    assert postings.decode(key, value) == (HASH, indexes)
    assert encoded(postings.decode(key, value)[1]) == (key, value)


@given(st.binary(min_size=17, max_size=17), st.binary(max_size=12))
def test_bytes_decode_to_what_encodes_to_them_or_are_refused(key: bytes, value: bytes) -> None:
    """There is one encoding: whatever decodes encodes back to the same bytes, and all else is StoreDamaged."""
    key = b"p" + key[1:]
    try:
        term_hash, indexes = postings.decode(key, value)
    except StoreDamaged:
        return
    assert encoded(indexes, term_hash) == (key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"p" + bytes(15), b""),
        (b"p" + bytes(17), b""),
        (b"p" + bytes(16), b"\x00"),
        (b"p" + bytes(16), b"\x00\x00"),
        (b"p" + bytes(16), b"\x00\x02\x00\x01"),
        (b"p" + bytes(16), b"\x00\x02\x00\x02"),
        (b"p" + bytes(16), b"\x80\x00"),
    ],
    ids=["short key", "long key", "odd value", "zero", "descending", "twice", "beyond a commit"],
)
def test_a_malformed_list_is_refused_by_its_key(key: bytes, value: bytes) -> None:
    """The error names the key under which the list stands."""
    with pytest.raises(StoreDamaged, match=key.hex()):
        postings.decode(key, value)


def stored(*lists: tuple[bytes, list[int]]) -> MemoryStore:
    store, batch = MemoryStore(), Batch()
    for term_hash, indexes in lists:
        postings.put(batch, term_hash, indexes)
    store.write(batch)
    return store


@given(st.lists(INDEXES, max_size=4), st.integers(0, 2**18), st.integers(0, 2**17))
def test_lists_gives_every_list_that_reaches_into_the_range(found: list[list[int]], start: int, length: int) -> None:
    """No index of the term in the range is missing, and the order is that of the lists or its reverse."""
    apart: list[list[int]] = []
    for indexes in sorted(found):
        if not apart or indexes[0] > apart[-1][-1]:
            apart.append(indexes)
    store = stored(*[(HASH, indexes) for indexes in apart], (b"\xff" * 8, [start]))
    inside = {index for indexes in apart for index in indexes if start <= index < start + length}
    forward = list(postings.lists(store, HASH, start, start + length))
    assert inside <= {index for indexes in forward for index in indexes}
    assert forward == sorted(forward)
    assert forward == list(postings.lists(store, HASH, start, start + length, newest_first=True))[::-1]


def test_stored_gives_all_and_refuses_overlaps_and_what_lies_beyond_the_end() -> None:
    """Every posting comes once; lists of a term that overlap, and indexes the index does not cover, are damage."""
    other = b"\x09" * 8
    store = stored((HASH, [1, 5]), (HASH, [6]), (other, [2]))
    assert sorted(postings.stored(store, 7)) == [(HASH, 1), (HASH, 5), (HASH, 6), (other, 2)]
    with pytest.raises(StoreDamaged, match="entry 6"):
        list(postings.stored(store, 6))
    for second in ([5], [4, 9]):
        with pytest.raises(StoreDamaged, match="after 5"):
            list(postings.stored(stored((HASH, [1, 5]), (HASH, second)), 100))
