"""Sorted runs: where near-unique terms occur, without a key for each.

A *record* is 16 bytes, term hash (8) ‖ index, u64 BE. A *run* is the sorted records of adjacent commits, split by the
first `bits` of the hash into 2^bits *blocks*, so that a block holds 128 to 256 records on average:

    bits    0 below 256 records, else the largest b with 128 × 2^b <= records
    key     "r" ‖ run id, u64 BE ‖ block number, u32 BE
    value   the block's records, ascending; an empty block is stored too, so that a look-up notices one that is gone

A look-up is one get a run, then a binary search. Each commit with records adds a run of level 0; where a level holds 8
runs, the 8 oldest are merged into one run of the next level, so a look-up touches O(log commits) runs.

No commit waits for a whole merge: each moves the merge of every level on by some records, block after block of the
output, the more the more runs the level holds (`_pace`). The inputs answer look-ups until the batch with the last
output block. They are then *retired*: kept for 16 more commits, because a reader may hold an earlier state, and
removed bit by bit.

`Runs` is the whole state, a value that never changes. Its bytes, which the caller keeps in its state record:

    header         commits, next run id, u64 each ‖ number of runs, of merges, of retired runs, u16 each
    each run       id, first, end, records, u64 each ‖ level, u8: of the entries [first, end); oldest first
    each merge     level, u8 ‖ output id, records written, u64 each ‖ next block, u32: of the level's 8 oldest runs
    each retired   a run ‖ the commit that retired it, u64 ‖ next block to remove, u32: in the order they retired

Everything follows from the sequence of commits alone.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise
from typing import Final

from tallystick.core.errors import StoreDamaged
from tallystick_node.postings import HASH_BYTES
from tallystick_node.store.store import Batch

PREFIX: Final = b"r"
RECORD_BYTES: Final = HASH_BYTES + 8
FAN_IN: Final = 8
RETIRED_COMMITS: Final = 16
_BLOCK_RECORDS: Final = 128
_MERGED_RECORDS_MIN: Final = 4_096
_REMOVED_BLOCKS_MIN: Final = 256

_HEADER: Final = struct.Struct(">QQHHH")
_RUN: Final = struct.Struct(">QQQQB")
_MERGE: Final = struct.Struct(">BQQI")
_RETIRED: Final = struct.Struct(">QQQQBQI")
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


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge under way: output blocks before `next_block` are stored, `written` records in all."""

    level: int
    id: int
    written: int
    next_block: int


@dataclass(frozen=True, slots=True)
class Retired:
    """A run that was merged away at commit `at`; its blocks before `next_block` are removed."""

    run: Run
    at: int
    next_block: int


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs after so many commits: live ones, merges under way, and retired ones not yet removed."""

    commits: int = 0
    next_id: int = 0
    live: tuple[Run, ...] = ()
    merges: tuple[Merge, ...] = ()
    retired: tuple[Retired, ...] = ()

    def advance(self, records: list[bytes], end: int, batch: Batch, get: Get) -> Runs:
        """The runs after a commit of these sorted records, of entries before `end`; `get` sees the commits before."""
        commits = self.commits + 1
        next_id = self.next_id
        live: list[Run] = []
        merges: list[Merge] = []
        retired = self._remove(commits, len(records), batch)
        under_way = {merge.level: merge for merge in self.merges}
        # Only runs of earlier commits are merged: what this batch writes cannot be read yet.
        for level, group in groupby(self.live, key=lambda run: run.level):
            runs = list(group)
            if len(runs) < FAN_IN:
                live += runs
                continue
            inputs = runs[:FAN_IN]
            merge = under_way.get(level)
            if merge is None:
                merge = Merge(level, next_id, 0, 0)
                next_id += 1
            output = _output(inputs, merge.id)
            stop = _pace(output, merge.next_block, len(records), len(runs))
            merged = merged_records(inputs, output.bits, merge.next_block, stop, get)
            _put_blocks(batch, output, merge.next_block, stop, merged)
            merge = Merge(level, merge.id, merge.written + len(merged), stop)
            if stop < 1 << output.bits:
                merges.append(merge)
                live += runs
                continue
            if merge.written != output.records:
                raise StoreDamaged(
                    f"{merge.written} records", where=f"runs {[run.id for run in inputs]}", expected=f"{output.records}"
                )
            live += [output, *runs[FAN_IN:]]
            retired += [Retired(run, commits, 0) for run in inputs]
        if records:
            run = Run(next_id, live[-1].end if live else 0, end, len(records), 0)
            next_id += 1
            _put_blocks(batch, run, 0, 1 << run.bits, records)
            live.append(run)
        return Runs(commits, next_id, tuple(live), tuple(merges), tuple(retired))

    def _remove(self, commits: int, records: int, batch: Batch) -> list[Retired]:
        """Remove some blocks of the runs that retired long enough ago; what is left of them."""
        budget = max(_REMOVED_BLOCKS_MIN, records // 16)
        left: list[Retired] = []
        for gone in self.retired:
            if gone.at + RETIRED_COMMITS > commits or budget == 0:
                left.append(gone)
                continue
            blocks = 1 << gone.run.bits
            stop = min(blocks, gone.next_block + budget)
            budget -= stop - gone.next_block
            for number in range(gone.next_block, stop):
                batch.delete(key(gone.run.id, number))
            if stop < blocks:
                left.append(replace(gone, next_block=stop))
        return left

    def find(self, term_hash: bytes, start: int, stop: int, get: Get) -> list[int]:
        """The indexes in [start, stop) recorded under a hash, ascending. Raises StoreDamaged."""
        found: list[int] = []
        for run in self.live:
            if run.first >= stop or run.end <= start:
                continue
            data = _block(run, int.from_bytes(term_hash, "big") >> 64 - run.bits, get)
            count = len(data) // RECORD_BYTES
            at = bisect_left(
                range(count), term_hash, key=lambda n: data[n * RECORD_BYTES : n * RECORD_BYTES + HASH_BYTES]
            )
            for position in range(at * RECORD_BYTES, len(data), RECORD_BYTES):
                if data[position : position + HASH_BYTES] != term_hash:
                    break
                index = int.from_bytes(data[position + HASH_BYTES : position + RECORD_BYTES], "big")
                if start <= index < stop:
                    found.append(index)
        return found

    def outputs(self) -> Iterator[tuple[Merge, list[Run], Run]]:
        """Each merge under way with its inputs and the run it will be."""
        for merge in self.merges:
            inputs = [run for run in self.live if run.level == merge.level][:FAN_IN]
            yield merge, inputs, _output(inputs, merge.id)

    def to_bytes(self) -> bytes:
        """The state as the module's docstring says."""
        return b"".join(
            [
                _HEADER.pack(self.commits, self.next_id, len(self.live), len(self.merges), len(self.retired)),
                *(_RUN.pack(*_fields(run)) for run in self.live),
                *(_MERGE.pack(m.level, m.id, m.written, m.next_block) for m in self.merges),
                *(_RETIRED.pack(*_fields(gone.run), gone.at, gone.next_block) for gone in self.retired),
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Runs:
        """Read the state back. Raises StoreDamaged."""
        if len(data) < _HEADER.size:
            raise _damaged_state(f"{len(data)} bytes")
        commits, next_id, lives, merging, retiring = _HEADER.unpack_from(data)
        if len(data) != _HEADER.size + lives * _RUN.size + merging * _MERGE.size + retiring * _RETIRED.size:
            raise _damaged_state(f"{len(data)} bytes for {lives} runs, {merging} merges, {retiring} retired")
        at = _HEADER.size
        live = tuple(Run(*fields) for fields in _RUN.iter_unpack(data[at : at + lives * _RUN.size]))
        at += lives * _RUN.size
        merges = tuple(Merge(*fields) for fields in _MERGE.iter_unpack(data[at : at + merging * _MERGE.size]))
        at += merging * _MERGE.size
        retired = tuple(Retired(Run(*fields[:5]), *fields[5:]) for fields in _RETIRED.iter_unpack(data[at:]))
        runs = cls(commits, next_id, live, merges, retired)
        runs._check()
        return runs

    def _check(self) -> None:
        ids = [run.id for run in self.live] + [m.id for m in self.merges] + [gone.run.id for gone in self.retired]
        if len(set(ids)) != len(ids) or any(number >= self.next_id for number in ids):
            raise _damaged_state("run ids that repeat or were never given")
        for run in chain(self.live, (gone.run for gone in self.retired)):
            if run.first >= run.end or not run.records:
                raise _damaged_state(f"run {run.id} is empty")
        for before, after in pairwise((Run(0, 0, 0, 0, 255), *self.live)):
            if before.end != after.first or before.level < after.level:
                raise _damaged_state(f"run {after.id} does not follow run {before.id}")
        if any(before.level <= after.level for before, after in pairwise(self.merges)):
            raise _damaged_state("merges out of order")
        for merge in self.merges:
            inputs = [run for run in self.live if run.level == merge.level][:FAN_IN]
            if len(inputs) < FAN_IN or not 0 < merge.next_block < 1 << _output(inputs, merge.id).bits:
                raise _damaged_state(f"merge {merge.id} has not the inputs it should have")
        for gone in self.retired:
            covered = any(run.first <= gone.run.first and gone.run.end <= run.end for run in self.live)
            if not covered or gone.next_block >= 1 << gone.run.bits or gone.at > self.commits:
                raise _damaged_state(f"retired run {gone.run.id} was never merged")


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


def _put_blocks(batch: Batch, run: Run, start: int, stop: int, records: list[bytes]) -> None:
    begin = 0
    for number in range(start, stop):
        end = bisect_left(records, bound(number + 1, run.bits), begin)
        batch.put(key(run.id, number), b"".join(records[begin:end]))
        begin = end


def _block(run: Run, number: int, get: Get) -> bytes:
    data = get(key(run.id, number))
    if data is None or len(data) % RECORD_BYTES:
        raise StoreDamaged(
            "it is missing" if data is None else f"it has {len(data)} bytes",
            where=f"index run {run.id} block {number}, of entries {run.first} to {run.end}",
            expected="records of 16 bytes",
        )
    return data


def _output(inputs: Sequence[Run], output_id: int) -> Run:
    records = sum(run.records for run in inputs)
    return Run(output_id, inputs[0].first, inputs[-1].end, records, inputs[0].level + 1)


def _pace(output: Run, next_block: int, committed: int, waiting: int) -> int:
    """The block a merge stops before in a commit of so many records.

    With commits alike, a merge is done in half the time in which its level gathers the next 8 runs. Where commits
    shrink it falls behind; then it works the harder the more runs wait, and look-ups meanwhile touch some more.
    """
    budget = max(_MERGED_RECORDS_MIN, 2 * committed) * (waiting // FAN_IN)
    blocks = 1 << output.bits
    return min(blocks, next_block + max(1, budget * blocks // output.records))


def _fields(run: Run) -> tuple[int, int, int, int, int]:
    return run.id, run.first, run.end, run.records, run.level


def _damaged_state(what: str) -> StoreDamaged:
    return StoreDamaged(what, where="the index's runs in the state record", expected="what the last commit wrote")
