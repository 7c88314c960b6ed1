"""Sorted runs: whatever the commits, nothing is lost, nothing waits, and damage shows.

Most tests shrink blocks and budgets, so that a few hundred records make merges that take several commits, several
levels, and retired runs half removed.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import StoreDamaged
from tallystick_node import runs as module
from tallystick_node import sorted_run
from tallystick_node.index_check import stored_records
from tallystick_node.runs import RETIRED_COMMITS, Runs
from tallystick_node.sorted_run import bits_of
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of some 4 records, merges of some 24 records a commit, 3 blocks removed a commit."""
    monkeypatch.setattr(sorted_run, "_BLOCK_RECORDS", 4)
    monkeypatch.setattr(module, "_MERGED_RECORDS_MIN", 24)
    monkeypatch.setattr(module, "_REMOVED_BLOCKS_MIN", 3)


class Indexed:
    """Runs in a store, grown commit by commit, beside the plain set of what they hold."""

    def __init__(self, seed: int, hashes: int = 2**64) -> None:
        self.random = Random(seed)
        self.store = MemoryStore()
        self.runs = Runs()
        self.end = 0
        self.held: set[tuple[bytes, int]] = set()
        self.hashes = hashes

    def commit(self, count: int) -> Batch:
        """Commit so many records, one an entry, of hashes drawn from `hashes` many spread over all."""
        new = set()
        for index in range(self.end, self.end + count):
            number = self.random.randrange(self.hashes) * (2**64 // self.hashes)
            new.add((number.to_bytes(8, "big"), index))
        self.end += max(1, count)
        self.held |= new
        batch = Batch()
        records = sorted(term_hash + index.to_bytes(8, "big") for term_hash, index in new)
        self.runs = self.runs.advance(records, self.end, batch, self.store.get)
        self.store.write(batch)
        self.runs = Runs.from_bytes(self.runs.to_bytes())
        return batch

    def check(self) -> None:
        """The stored records are those held, and look-ups find them."""
        found = list(stored_records(self.store, self.runs))
        assert len(found) == len(self.held)
        assert set(found) == self.held
        for term_hash, _ in self.random.sample(sorted(self.held), min(5, len(self.held))):
            start, stop = sorted(self.random.randrange(self.end + 1) for _ in range(2))
            expected = sorted(index for other, index in self.held if other == term_hash and start <= index < stop)
            assert self.runs.find(term_hash, start, stop, self.store.get) == expected
        assert self.runs.find(self.random.randbytes(8), 0, self.end, self.store.get) == []


@pytest.mark.usefixtures("small")
@given(st.lists(st.integers(0, 60), max_size=60), st.integers(0, 9), st.sampled_from([2**64, 40, 1]))
def test_any_sequence_of_commits_holds_what_was_committed(sizes: list[int], seed: int, hashes: int) -> None:
    """Whatever the sizes of commits, and whether hashes spread, repeat or are all one, records are found and whole."""
    indexed = Indexed(seed, hashes)
    for size in sizes:
        indexed.commit(size)
    indexed.check()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "sizes",
    [[1], [3], [40], [1] * 50 + [300], [200] * 9 + [1] * 200, [0, 7]],
    ids=["one", "three", "forty", "fifty small, one large", "nine large, many small", "none or seven"],
)
def test_long_sequences_hold_at_every_step(sizes: list[int]) -> None:
    """Over hundreds of commits, in regular and lopsided sizes, the whole structure is sound again and again."""
    indexed = Indexed(1)
    for commit in range(800):
        indexed.commit(sizes[commit % len(sizes)])
        if commit % 197 == 0:
            indexed.check()
    indexed.check()


def test_single_entry_commits_leave_few_runs_and_small_batches() -> None:
    """After thousands of commits of one record a look-up touches O(log commits) runs, and no commit does much."""
    indexed = Indexed(2)
    for commit in range(1, 5_000):
        batch = indexed.commit(1)
        assert sum(len(value) for _, value in batch.puts) <= 16 * (1 + 2 * 8 * module._MERGED_RECORDS_MIN)
        levels = 1
        while 8**levels <= commit:
            levels += 1
        assert len(indexed.runs.live) <= 8 * levels
    indexed.check()
    keys = sum(1 for _ in indexed.store.range(b"r", b"s"))
    assert keys < 200


@pytest.mark.usefixtures("small")
def test_no_commit_waits_for_a_whole_merge() -> None:
    """With alike commits each level merges at most twice a commit's records, and finishes before 16 runs gather."""
    indexed = Indexed(3)
    for _ in range(110):
        batch = indexed.commit(500)
        levels = {run.level for run in indexed.runs.live}
        assert sum(len(value) for _, value in batch.puts) <= 16 * (500 + len(levels) * 2 * 500 * 1.1)
        assert all(sum(run.level == level for run in indexed.runs.live) < 16 for level in levels)
    assert max(run.level for run in indexed.runs.live) == 2
    indexed.check()


@pytest.mark.usefixtures("small")
def test_a_reader_of_an_earlier_state_still_finds_all_of_it() -> None:
    """A state answers look-ups while no more than 16 commits followed it; after that it is never silently wrong."""
    indexed = Indexed(4)
    states: list[tuple[Runs, int]] = []
    for commit in range(200):
        indexed.commit((1, 30, 2)[commit % 3])
        states.append((indexed.runs, indexed.end))
    for state, end in states[-RETIRED_COMMITS - 1 :]:
        for term_hash, index in indexed.held:
            if index < end:
                assert state.find(term_hash, 0, end, indexed.store.get) == [index]
    refused = 0
    for state, end in states[:-RETIRED_COMMITS]:
        for term_hash, index in sorted(indexed.held)[::17]:
            try:
                found = state.find(term_hash, 0, end, indexed.store.get)
            except StoreDamaged:
                refused += 1
            else:
                assert found == ([index] if index < end else [])
    assert refused


@pytest.mark.usefixtures("small")
def test_a_commit_that_failed_leaves_no_trace() -> None:
    """Advancing a state changes neither it nor the store; doing it again gives the same batch and state."""
    indexed = Indexed(5)
    while not indexed.runs.merges:
        indexed.commit(20)
    before = indexed.runs.to_bytes()
    results = []
    for _ in range(2):
        batch = Batch()
        after = indexed.runs.advance([], indexed.end + 1, batch, indexed.store.get)
        results.append((after, batch))
        assert indexed.runs.to_bytes() == before
    assert results[0] == results[1]
    assert results[0][1].puts
    indexed.check()


def busy() -> Indexed:
    """Runs with merges under way on two levels and retired runs, some of them half removed."""
    indexed = Indexed(6)
    for _ in range(2_000):
        indexed.commit(24)
        half_removed = [gone for gone in indexed.runs.retired if gone.next_block]
        if len(indexed.runs.merges) >= 2 and half_removed:
            return indexed
    raise AssertionError("no such state")


def differs(store: MemoryStore, runs: Runs, held: set[tuple[bytes, int]]) -> bool:
    try:
        found = list(stored_records(store, runs))
    except StoreDamaged:
        return True
    return len(found) != len(held) or set(found) != held


@pytest.mark.usefixtures("small")
def test_any_altered_block_shows() -> None:
    """A byte changed, a record cut or added, a key dropped or strayed: an error, or other records than were committed.

    That holds for live blocks, for what a merge wrote so far, and for what is left of retired runs.
    """
    indexed = busy()
    indexed.check()
    items = list(indexed.store.range(b"r", b"s"))
    live = {run.id for run in indexed.runs.live}
    others = [item for item in items if int.from_bytes(item[0][1:9], "big") not in live]
    assert len(others) > 20
    for key, value in items[::18] + others[::5]:
        changes: list[tuple[bytes, bytes | None]] = [
            (key, None),
            (key, value[:-16] if value else bytes(16)),
            (key, value + b"\xff" * 16),
            (key[:-1] + b"\xee", value),
            (key + b"\x00", b""),
        ]
        for position in {7, 15, len(value) - 16, len(value) // 2} if value else ():
            changed = bytearray(value)
            changed[position] ^= 1
            changes.append((key, bytes(changed)))
        for changed_key, change in changes:
            put_or_delete(indexed.store, changed_key, change)
            assert differs(indexed.store, indexed.runs, indexed.held), (key.hex(), change)
            put_or_delete(indexed.store, changed_key, None)
            put_or_delete(indexed.store, key, value)
    indexed.check()


def put_or_delete(store: MemoryStore, key: bytes, value: bytes | None) -> None:
    batch = Batch()
    if value is None:
        batch.delete(key)
    else:
        batch.put(key, value)
    store.write(batch)


@pytest.mark.usefixtures("small")
def test_a_missing_block_stops_look_ups_and_merges() -> None:
    """Whoever meets a block that is gone or cut says so; nothing is answered or merged without it."""
    for value in (None, b"\x00"):
        indexed = Indexed(7)
        for _ in range(7):
            indexed.commit(40)
        run = indexed.runs.live[0]
        key = sorted_run.key(run.id, 1)
        put_or_delete(indexed.store, key, value)
        with pytest.raises(StoreDamaged, match=f"run {run.id} block 1"):
            indexed.runs.find((1 << 64 - run.bits).to_bytes(8, "big"), 0, indexed.end, indexed.store.get)
        indexed.commit(40)
        with pytest.raises(StoreDamaged, match=f"run {run.id} block 1"):
            indexed.commit(40)


@pytest.mark.usefixtures("small")
def test_the_state_reads_back_or_is_refused() -> None:
    """Every truncation is refused; a state altered anywhere reads as a sound one or is refused by a domain error."""
    data = busy().runs.to_bytes()
    assert Runs.from_bytes(data).to_bytes() == data
    for length in range(len(data)):
        with pytest.raises(StoreDamaged):
            Runs.from_bytes(data[:length])
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x81
        try:
            assert Runs.from_bytes(bytes(changed)).to_bytes() == changed
        except StoreDamaged:
            continue


@given(st.integers(1, 2**50))
def test_blocks_hold_128_to_256_records_on_average(records: int) -> None:
    """The number of bits follows from the number of records, and never falls as they grow."""
    average = records / (1 << bits_of(records))
    assert average < 256
    assert average >= 128 or bits_of(records) == 0
    assert bits_of(records) <= bits_of(records + 1)
