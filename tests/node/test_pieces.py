"""A database taken apart and put together is the same, and nothing missing or altered goes unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import StoreDamaged
from tallystick_node.pieces import PIECE_BYTES_MAX, PIECE_KEYS_MAX, check_seal, put_together, take_apart
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.operate_pb2 import BackupPiece

ITEMS = st.dictionaries(st.binary(max_size=4), st.binary(max_size=40), max_size=30)


def store_of(items: dict[bytes, bytes]) -> MemoryStore:
    store = MemoryStore()
    store.write(Batch(puts=list(items.items())))
    return store


def put(pieces: list[BackupPiece]) -> MemoryStore:
    """What comes of pieces, checked against their seal."""
    store = MemoryStore()
    check_seal(store, put_together(pieces, store, lambda written: None), "here")
    return store


@given(ITEMS)
def test_what_is_taken_apart_is_put_together_the_same(items: dict[bytes, bytes]) -> None:
    """Every key comes with its value, whatever they are."""
    assert dict(put(list(take_apart(store_of(items)))).range(b"", None)) == items


def test_each_key_has_its_value() -> None:
    """A piece with more keys than values, or fewer, is refused in a sentence."""
    for piece in (BackupPiece(key=[b"a"]), BackupPiece(value=[b"a"])):
        with pytest.raises(StoreDamaged, match="keys and"):
            put([piece])


def test_pieces_are_bounded() -> None:
    """In keys and in bytes, but for one value's length; all written bytes are counted."""
    items = {b"%06d" % n: bytes(700 if n % 2 else 0) for n in range(4_000)} | {b"long": bytes(5_000_000)}
    pieces = list(take_apart(store_of(items)))
    assert all(len(piece.key) <= PIECE_KEYS_MAX for piece in pieces)
    assert sum(piece.ByteSize() > PIECE_BYTES_MAX + 10_000 for piece in pieces) == 1
    written: list[int] = []
    put_together(pieces, MemoryStore(), written.append)
    assert written == sorted(written)
    assert written[-1] == sum(len(key) + len(value) for key, value in items.items())


@given(ITEMS.filter(len), st.data())
def test_what_is_left_out_cut_off_or_altered_is_refused(items: dict[bytes, bytes], data: st.DataObject) -> None:
    """A piece without one of its keys, another value, or no end at all."""
    *pieces, seal = take_apart(store_of(items))
    with pytest.raises(StoreDamaged, match="ends in the middle"):
        put(pieces)
    piece = data.draw(st.sampled_from(pieces))
    position = data.draw(st.integers(0, len(piece.key) - 1))
    if data.draw(st.booleans()):
        del piece.key[position], piece.value[position]
    else:
        piece.value[position] += b"x"
    with pytest.raises(StoreDamaged, match="as they were read"):
        put([*pieces, seal])
