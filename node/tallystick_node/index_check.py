"""The index's runs as they are stored, read whole and checked against what they have to be.

What a live run holds can only be told from the entries; that comparison is the caller's. All else is told here:

  1. the keys under "r" are exactly the blocks of live runs, the blocks written by merges under way, and the blocks of
     retired runs not yet removed
  2. each block's records ascend, belong there, and speak of the run's entries; a whole run has its number of them
  3. what a merge wrote so far is what merging its inputs gives
  4. what is left of a retired run is what the live run over it holds of its entries
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import lt
from typing import Final

from tallystick.core.errors import StoreDamaged
from tallystick_node.postings import HASH_BYTES
from tallystick_node.runs import Retired, Runs
from tallystick_node.sorted_run import PREFIX, RECORD_BYTES, Get, Run, bound, key, merged_records, split
from tallystick_node.store.store import Store

_END: Final = b"s"
_MERGE_BLOCKS: Final = 32


def stored_records(store: Store, runs: Runs) -> Iterator[tuple[bytes, int]]:
    """Every record of the live runs as (term hash, index), by run and block. Raises StoreDamaged, naming the key."""
    stored = store.range(PREFIX, _END)
    following = next(stored, None)
    for run, start, stop, records in sorted(_parts(runs), key=lambda part: part[0].id):
        live = run in runs.live
        found = 0
        for number in range(start, stop):
            expected = key(run.id, number)
            if following is None or following[0] > expected:
                raise _damaged(expected, "it is missing", f"block {number} of run {run.id}")
            if following[0] < expected:
                raise _stray(following[0])
            block = _checked(run, number, *following)
            following = next(stored, None)
            found += len(block)
            if live:
                for record in block:
                    yield record[:HASH_BYTES], int.from_bytes(record[HASH_BYTES:], "big")
        if records is not None and found != records:
            raise _damaged(key(run.id, start), f"run {run.id} has {found} records", f"{records}")
    if following is not None:
        raise _stray(following[0])
    _check_merges(runs, store.get)
    for run in runs.live:
        retired = [gone for gone in runs.retired if run.first <= gone.run.first and gone.run.end <= run.end]
        if retired:
            _check_retired(run, retired, store.get)


def _parts(runs: Runs) -> Iterator[tuple[Run, int, int, int | None]]:
    """Everything that has to be stored: a run, from which block to which, and how many records where that is known."""
    for run in runs.live:
        yield run, 0, 1 << run.bits, run.records
    for merge, _, output in runs.outputs():
        yield output, 0, merge.next_block, merge.written
    for gone in runs.retired:
        yield gone.run, gone.next_block, 1 << gone.run.bits, None if gone.next_block else gone.run.records


def _checked(run: Run, number: int, stored_key: bytes, value: bytes) -> list[bytes]:
    if len(value) % RECORD_BYTES:
        raise _damaged(stored_key, f"it has {len(value)} bytes", f"records of {RECORD_BYTES}")
    records = split(value)
    if not all(map(lt, records, records[1:])):
        raise _damaged(stored_key, "its records do not ascend", "each greater than the one before")
    for record in records:
        if int.from_bytes(record[:HASH_BYTES], "big") >> 8 * HASH_BYTES - run.bits != number:
            raise _damaged(stored_key, f"a record of hash {record[:HASH_BYTES].hex()}", "it in another block")
        if not run.first <= int.from_bytes(record[HASH_BYTES:], "big") < run.end:
            raise _damaged(stored_key, f"record {record.hex()}", f"one of entries {run.first} to {run.end}")
    return records


def _check_merges(runs: Runs, get: Get) -> None:
    for merge, inputs, output in runs.outputs():
        for start in range(0, merge.next_block, _MERGE_BLOCKS):
            stop = min(start + _MERGE_BLOCKS, merge.next_block)
            if list(_records(output, start, stop, get)) != merged_records(inputs, output.bits, start, stop, get):
                raise _damaged(
                    key(output.id, start),
                    f"this block or one of the {stop - start - 1} after it is not the merged one",
                    f"what runs {[run.id for run in inputs]} hold",
                )


def _check_retired(live: Run, retired: list[Retired], get: Get) -> None:
    """Walk the live run once, each retired one beside it: they meet in every record of the retired one's entries."""
    readers = [
        (gone.run, bound(gone.next_block, gone.run.bits), _records(gone.run, gone.next_block, 1 << gone.run.bits, get))
        for gone in retired
    ]
    earliest = min(run.first for run, _, _ in readers).to_bytes(8, "big")
    for record in _records(live, 0, 1 << live.bits, get):
        if record[HASH_BYTES:] < earliest:
            continue
        index = int.from_bytes(record[HASH_BYTES:], "big")
        for run, low, reader in readers:
            if run.first <= index < run.end and record >= low and next(reader, None) != record:
                raise _not_left(run, live)
    for run, _, reader in readers:
        if next(reader, None) is not None:
            raise _not_left(run, live)


def _records(run: Run, start: int, stop: int, get: Get) -> Iterator[bytes]:
    for number in range(start, stop):
        yield from split(get(key(run.id, number)) or b"")


def _stray(stored_key: bytes) -> StoreDamaged:
    return _damaged(stored_key, "it belongs to no run", "no such key")


def _not_left(run: Run, live: Run) -> StoreDamaged:
    expected = f"what run {live.id} holds of entries {run.first} to {run.end}"
    return _damaged(key(run.id, 0), f"retired run {run.id} is not what it was", expected)


def _damaged(stored_key: bytes, what: str, expected: str) -> StoreDamaged:
    return StoreDamaged(what, where=f"index block {stored_key.hex()}", expected=expected)
