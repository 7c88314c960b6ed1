"""Posting lists: where a term occurs within one commit, under one key.

    key     "p" ‖ term hash (8) ‖ the first index, u64 BE
    value   for each further index, ascending, its distance from the first, u16 BE; empty where there is none

A commit covers at most 32,768 adjacent entries, so every distance is 1 to 32,767, and the lists of one term follow one
another without overlapping. Only the one encoding above is accepted. Nothing here knows terms, only their hashes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import lt
from typing import Final

from tallystick.core.errors import StoreDamaged
from tallystick.core.limits import COMMIT_ENTRIES_MAX
from tallystick_node.store.store import Batch, Store

PREFIX: Final = b"p"
_END: Final = b"q"
HASH_BYTES: Final = 8
_DISTANCE_MAX: Final = COMMIT_ENTRIES_MAX - 1
_KEY: Final = struct.Struct(f">c{HASH_BYTES}sQ")


def key(term_hash: bytes, first: int) -> bytes:
    """The key of the list that begins at an index."""
    return _KEY.pack(PREFIX, term_hash, first)


def put(batch: Batch, term_hash: bytes, indexes: Sequence[int]) -> None:
    """Store one term's indexes of one commit: ascending, distinct, at least one."""
    first = indexes[0]
    distances = [index - first for index in indexes[1:]]
    batch.put(key(term_hash, first), struct.pack(f">{len(distances)}H", *distances))


def decode(stored_key: bytes, value: bytes) -> tuple[bytes, list[int]]:
    """The term hash and the indexes of a stored list. Raises StoreDamaged, naming the key."""
    if len(stored_key) != _KEY.size:
        raise _damaged(stored_key, f"the key has {len(stored_key)} bytes", f"{_KEY.size}")
    _, term_hash, first = _KEY.unpack(stored_key)
    if len(value) % 2:
        raise _damaged(stored_key, f"the value has {len(value)} bytes", "two a distance")
    distances = struct.unpack(f">{len(value) // 2}H", value)
    ascending = all(map(lt, distances, distances[1:]))
    if distances and not (ascending and distances[0] > 0 and distances[-1] <= _DISTANCE_MAX):
        raise _damaged(stored_key, "its distances do not ascend within a commit", f"1 to {_DISTANCE_MAX}, ascending")
    indexes = [first]
    indexes.extend([first + distance for distance in distances])
    return term_hash, indexes


def lists(store: Store, term_hash: bytes, start: int, stop: int, *, newest_first: bool = False) -> Iterator[list[int]]:
    """The term's lists that may have an index in [start, stop), in order; each list ascends whatever the order."""
    if start >= stop:
        return
    # Lists do not overlap, so of those that begin at or before `start` only the last can reach it.
    low, high = key(term_hash, max(0, start - _DISTANCE_MAX)), key(term_hash, stop)
    if newest_first:
        for stored_key, value in store.range(low, high, reverse=True):
            _, indexes = decode(stored_key, value)
            yield indexes
            if indexes[0] <= start:
                return
        return
    last = next(store.range(low, key(term_hash, start + 1), reverse=True), None)
    for stored_key, value in store.range(last[0] if last else low, high):
        yield decode(stored_key, value)[1]


def stored(store: Store, end: int) -> Iterator[tuple[bytes, int]]:
    """Every posting of every list as (term hash, index), each list checked. Raises StoreDamaged, naming the key."""
    for before, (stored_key, term_hash, indexes) in pairwise(_with_start(_decoded(store))):
        if indexes[-1] >= end:
            raise _damaged(stored_key, f"it speaks of entry {indexes[-1]}", f"less than {end}, how far the index goes")
        if before[1] == term_hash and indexes[0] <= before[2][-1]:
            raise _damaged(stored_key, f"it begins at {indexes[0]}", f"after {before[2][-1]}, where the last one ends")
        for index in indexes:
            yield term_hash, index


_Decoded = tuple[bytes, bytes, list[int]]


def _decoded(store: Store) -> Iterator[_Decoded]:
    for stored_key, value in store.range(PREFIX, _END):
        yield stored_key, *decode(stored_key, value)


def _with_start(found: Iterable[_Decoded]) -> Iterator[_Decoded]:
    yield b"", b"", []
    yield from found


def _damaged(stored_key: bytes, what: str, expected: str) -> StoreDamaged:
    return StoreDamaged(what, where=f"posting list {stored_key.hex()}", expected=expected)
