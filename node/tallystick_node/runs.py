"""The index's sorted runs (`sorted_run`), and how they are merged as commits come.

Each commit with records adds a run of level 0; where a level holds 8 runs, the 8 oldest are merged into one run of the
next level, so a look-up touches O(log commits) runs.

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise
from typing import Final

from tallystick.core.errors import StoreDamaged
from tallystick_node.sorted_run import Get, Run, indexes, key, merged_records, put_blocks
from tallystick_node.store.store import Batch

FAN_IN: Final = 8
RETIRED_COMMITS: Final = 16
_MERGED_RECORDS_MIN: Final = 4_096
_REMOVED_BLOCKS_MIN: Final = 256

_HEADER: Final = struct.Struct(">QQHHH")
_RUN: Final = struct.Struct(">QQQQB")
_MERGE: Final = struct.Struct(">BQQI")
_RETIRED: Final = struct.Struct(">QQQQBQI")


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
            put_blocks(batch, output, merge.next_block, stop, merged)
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
            put_blocks(batch, run, 0, 1 << run.bits, records)
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
            found += (index for index in indexes(run, term_hash, get) if start <= index < stop)
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
