"""A sorted run: where near-unique terms of adjacent commits occur, without a key for each.

A *record* is 16 bytes, term hash (8) ‖ index, u64 BE. A *run* is the sorted records of adjacent commits, split by the
first `bits` of the hash into 2^bits *blocks*, so that a block holds 128 to 256 records on average:

    bits    0 below 256 records, else the largest b with 128 × 2^b <= records
    key     "r" ‖ run id, u64 BE ‖ block number, u32 BE
    value   the block's records, ascending; an empty block is stored too, so that a look-up notices one that is gone

A look-up is one get, then a binary search.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.core.errors import StoreDamaged
from tallystick_node.postings import HASH_BYTES
from tallystick_node.store.store import Batch

PREFIX: Final = b"r"
RECORD_BYTES: Final = HASH_BYTES + 8
_BLOCK_RECORDS: Final = 128
_KEY: Final = struct.Struct(">cQI")

Get = Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Run:
    """A sorted run. Its blocks lie under its id."""

    id: int
    first: int
    end: int
    records: int
    level: int

    @property
    def bits(self) -> int:
        """How many bits of the hash number the block."""
        return bits_of(self.records)


def key(run_id: int, block: int) -> bytes:
    """The key of a run's block."""
    return _KEY.pack(PREFIX, run_id, block)


def bits_of(records: int) -> int:
    """How many bits of the hash number the blocks of a run of so many records."""
    return max(0, (records // _BLOCK_RECORDS).bit_length() - 1)


def split(data: bytes) -> list[bytes]:
    """The records of a block."""
    return [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]


def merged_records(inputs: Sequence[Run], bits: int, start: int, stop: int, get: Get) -> list[bytes]:
    """The sorted records of runs that fall into blocks [start, stop) of a run of so many bits, no fewer than theirs."""
    low, high = bound(start, bits), bound(stop, bits)
    records: list[bytes] = []
    for run in inputs:
        shift = bits - run.bits
        numbers = range(start >> shift, (stop - 1 >> shift) + 1)
        found = split(b"".join([_block(run, number, get) for number in numbers]))
        if numbers[0] << shift < start:
            del found[: bisect_left(found, low)]
        if numbers[-1] + 1 << shift > stop:
            del found[bisect_left(found, high) :]
        records += found
    records.sort()
    return records


def bound(block: int, bits: int) -> bytes:
    """The least hash of a block; for the block after the last one, more than any record."""
    return (block << 64 - bits).to_bytes(9, "big")[1:] if block < 1 << bits else b"\xff" * (RECORD_BYTES + 1)


def put_blocks(batch: Batch, run: Run, start: int, stop: int, records: list[bytes]) -> None:
    """Put the blocks [start, stop) of a run, of whose records these are all that fall into them."""
    begin = 0
    for number in range(start, stop):
        end = bisect_left(records, bound(number + 1, run.bits), begin)
        batch.put(key(run.id, number), b"".join(records[begin:end]))
        begin = end


def indexes(run: Run, term_hash: bytes, get: Get) -> Iterator[int]:
    """The indexes that a run has under a hash, ascending. Raises StoreDamaged."""
    data = _block(run, int.from_bytes(term_hash, "big") >> 64 - run.bits, get)
    count = len(data) // RECORD_BYTES
    at = bisect_left(range(count), term_hash, key=lambda n: data[n * RECORD_BYTES : n * RECORD_BYTES + HASH_BYTES])
    for position in range(at * RECORD_BYTES, len(data), RECORD_BYTES):
        if data[position : position + HASH_BYTES] != term_hash:
            return
        yield int.from_bytes(data[position + HASH_BYTES : position + RECORD_BYTES], "big")


def _block(run: Run, number: int, get: Get) -> bytes:
    data = get(key(run.id, number))
    if data is None or len(data) % RECORD_BYTES:
        raise StoreDamaged(
            "it is missing" if data is None else f"it has {len(data)} bytes",
            where=f"index run {run.id} block {number}, of entries {run.first} to {run.end}",
            expected="records of 16 bytes",
        )
    return data
