"""A ledger on a store: places, chains, segments, roots, reopening, and what all that costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.core.entry import decode_entry
from tallystick.core.errors import BehindSigned, NotFound, StoreDamaged
from tallystick.core.hashing import chain_hash, genesis_hash
from tallystick.core.history import History
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.limits import LEDGER_ENTRIES_MAX, SEGMENT_BYTES_MAX, SEGMENT_ENTRIES_MAX
from tallystick.core.submission import Prepared
from tallystick_node import keyspace, newest
from tallystick_node.ledger import Ledger, check_against_signed
from tallystick_node.ledger_state import State, empty_state, read_state
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch, Store
from tallystick_proto.v1.storage_pb2 import Segment
from tallystick_proto.v1.storage_pb2 import State as Record
from tests.harness.faulty_store import FaultyStore
from tests.harness.office import NOW_US, Office
from tests.reference.rfc6962 import Reference

OFFICE = Office()


def commit(ledger: Ledger, submissions: Sequence[Prepared], now_us: int = NOW_US) -> list[int]:
    """Write submissions as one commit; where each begins."""
    built = ledger.build(submissions, now_us)
    ledger.store.write(built.batch)
    ledger.adopt(built)
    return built.firsts


def founded(store: Store | None = None) -> Ledger:
    ledger = Ledger.create(store or MemoryStore(), OFFICE.origin)
    commit(ledger, OFFICE.founding())
    return ledger


def grown(*counts: int, store: Store | None = None) -> Ledger:
    """A ledger of three entries and a submission of each count, a commit each, as opened from its disk."""
    ledger = founded(store)
    for number, count in enumerate(counts):
        commit(ledger, [OFFICE.prepared(OFFICE.declares(count, f"C{number}"))])
    return Ledger.open(ledger.store, OFFICE.origin)


def all_of(ledger: Ledger) -> list[bytes]:
    return list(ledger.entries(0, ledger.state.size))


@given(st.lists(st.lists(st.integers(1, 90), min_size=1, max_size=4), max_size=6))
@settings(max_examples=25)
def test_a_submission_is_adjacent_entries_in_signed_order(commits: list[list[int]]) -> None:
    """Whatever is committed together, each submission's statements stand side by side as signed, and it proves."""
    ledger = founded()
    expected = [decode_entry(raw).statement for raw in all_of(ledger)]
    for counts in commits:
        submissions = [OFFICE.prepared(OFFICE.declares(count)) for count in counts]
        firsts = commit(ledger, submissions)
        for submission, first in zip(submissions, firsts, strict=True):
            assert first == len(expected)
            expected += submission.statements
    raws = all_of(ledger)
    history = History(OFFICE.actors())
    history.extend(raws)
    assert history.complete
    assert [decode_entry(raw).statement for raw in raws] == expected
    assert ledger.state.root == history.tree.root() == Reference(raws).mth(0, len(raws))
    assert same(read_state(ledger.store, OFFICE.origin), ledger.state)


def same(one: State, other: State) -> bool:
    """Whether two states are one, down to their bytes."""
    return one.encode(OFFICE.origin) == other.encode(OFFICE.origin)


def test_entries_are_chained_from_the_origin() -> None:
    """Entry 0 carries the hash of its ledger's name, every other the hash of the entry before."""
    prev = genesis_hash(OFFICE.origin)
    for raw in all_of(ledger := grown(70, 5)):
        assert decode_entry(raw).prev == prev
        prev = chain_hash(raw)
    assert ledger.state.prev == prev


def test_recorded_times_never_decrease_when_the_clock_steps_back() -> None:
    """A clock set back leaves entries at the time of the last one, and one set forward goes on from there."""
    ledger = founded()
    clock = [NOW_US + 5, NOW_US - 10**12, NOW_US + 5, NOW_US + 6, 0]
    for now_us in clock:
        commit(ledger, [OFFICE.prepared([OFFICE.declare("A")])], now_us)
    found = [decode_entry(raw).recorded_at_us - NOW_US for raw in all_of(ledger)[3:]]
    assert found == [5, 5, 5, 6, 6]


def test_building_changes_nothing() -> None:
    """Until a batch is written and its state adopted, the ledger and its store are what they were."""
    ledger = grown(3)
    before, stored = ledger.state, list(ledger.store.range(b"", None))
    built = ledger.build([OFFICE.prepared(OFFICE.declares(5))], NOW_US)
    assert built.state.size == before.size + 5
    assert ledger.state is before
    assert list(ledger.store.range(b"", None)) == stored


def test_segments_are_small_and_never_cross_a_multiple_of_64() -> None:
    """No segment holds more than 64 entries or much more than 256 KiB, and each begins where the one before ended."""
    ledger = grown(200, 1, 1, 61, 300)
    large = [
        OFFICE.say(
            "declare", resource=f"L{n}", scheme="local", title="x", sharing="unconditional", premises=["y" * 400] * 32
        )
        for n in range(60)
    ]
    commit(ledger, [OFFICE.prepared(large)])
    due = 0
    for key, value in ledger.store.range(keyspace.SEGMENT, b"f"):
        first, entries = keyspace.segment_first(key), Segment.FromString(value).entry
        assert first == due
        assert 1 <= len(entries) <= SEGMENT_ENTRIES_MAX - first % SEGMENT_ENTRIES_MAX
        assert len(entries) == 1 or sum(map(len, entries)) <= SEGMENT_BYTES_MAX
        due += len(entries)
    assert due == ledger.state.size


def test_every_range_of_entries_can_be_read() -> None:
    """Entries [first, end) are the same bytes whichever range they are asked for in; outside it is NotFound."""
    ledger = grown(1, 62, 1, 70, 3, 64, 1)
    whole, random = all_of(ledger), Random(1)
    size = len(whole)
    for _ in range(300):
        first = random.randint(0, size)
        end = random.randint(first, size)
        assert list(ledger.entries(first, end)) == whole[first:end]
    assert [ledger.entry(index) for index in range(size)] == whole
    for first, end in ((-1, 1), (0, size + 1), (2, 1), (size + 1, size + 1)):
        with pytest.raises(NotFound):
            list(ledger.entries(first, end))
    with pytest.raises(NotFound):
        ledger.entry(size)


@given(st.lists(st.integers(1, 90), max_size=12), st.integers(0, 20_000), st.data())
@settings(max_examples=50)
def test_what_is_at_hand_of_the_newest_entries_is_what_the_disk_has(
    counts: list[int], at_hand_bytes: int, data: st.DataObject
) -> None:
    """Any range, whether all of it was just written, some, or none, and where others' commits were never at hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest, "BYTES_MAX", at_hand_bytes)
        ledger = founded()
        for count in counts:
            if data.draw(st.booleans()):
                ledger = Ledger.open(ledger.store, OFFICE.origin)
            commit(ledger, [OFFICE.prepared(OFFICE.declares(count))])
        on_disk = all_of(Ledger.open(ledger.store, OFFICE.origin))
        first, end = sorted(data.draw(st.tuples(*[st.integers(0, len(on_disk))] * 2)))
        assert list(ledger.entries(first, end)) == on_disk[first:end]


def test_what_was_just_committed_is_read_without_the_disk() -> None:
    """The newest commits cost no read; what is older than all that is kept does."""
    ledger = grown(200)
    for _ in range(5):
        commit(ledger, [OFFICE.prepared(OFFICE.declares(50))])
    store = ledger.store = FaultyStore(ledger.store)
    size = ledger.state.size
    assert len(list(ledger.entries(size - 250, size))) == 250
    assert store.reads == 0
    assert len(list(ledger.entries(size - 251, size))) == 251
    assert store.reads == 1


def test_every_earlier_root_can_be_told() -> None:
    """The root at each size the ledger had is that of its first entries."""
    ledger = grown(300, 7, 250)
    raws = all_of(ledger)
    for size in (0, 1, 2, 3, 255, 256, 257, 303, 310, 512, 513, len(raws)):
        assert ledger.root_at(size) == Reference(raws).mth(0, size)
    with pytest.raises(NotFound):
        ledger.root_at(len(raws) + 1)


def test_a_reopened_ledger_is_the_one_that_was_left(tmp_path: Path) -> None:
    """A database opened again has the same state to the byte, and grows into what it would have become."""
    store = LevelDbStore.create(tmp_path / "ledger")
    left = grown(300, 5, store=store)
    state = left.state
    following = OFFICE.prepared(OFFICE.declares(9))
    expected = left.build([following], NOW_US)
    store.close()
    store = LevelDbStore.open(tmp_path / "ledger")
    opened = Ledger.open(store, OFFICE.origin)
    assert same(opened.state, state)
    built = opened.build([following], NOW_US)
    store.close()
    assert built.batch == expected.batch
    assert built.state.root == expected.state.root


def test_opening_reads_one_key_at_any_size() -> None:
    """Reopening an empty ledger and one of a thousand entries costs one read each."""
    for ledger in (Ledger.create(MemoryStore(), OFFICE.origin), grown(), grown(900, 100)):
        store = FaultyStore(ledger.store)
        Ledger.open(store, OFFICE.origin)
        assert store.reads == 1


def test_what_a_commit_reads_and_writes_does_not_grow_with_the_ledger() -> None:
    """A single statement on a ledger of two thousand entries takes no more keys and reads than on one of a few."""
    costs = []
    for counts in ((1,), (900,), (1000, 1000)):
        ledger = grown(*counts)
        store = ledger.store = FaultyStore(ledger.store)
        built = ledger.build([OFFICE.prepared([OFFICE.declare("A")])], NOW_US)
        costs.append((store.reads, len(built.batch.puts)))
    assert len(set(costs)) == 1


def test_what_an_answer_reads_does_not_grow_with_the_ledger() -> None:
    """One entry costs one read of a segment, whatever the ledger's size."""
    for counts in ((1,), (900,), (1000, 1000)):
        ledger = grown(*counts)
        store = ledger.store = FaultyStore(ledger.store)
        ledger.entry(ledger.state.size // 2)
        assert store.reads == 1


def test_terms_lead_to_every_entry_that_carries_them() -> None:
    """What was recorded is found by its kind, actor, resource and submission."""
    ledger = grown(5)
    submission = OFFICE.prepared([OFFICE.declare("A"), OFFICE.declare("B")])
    (first,) = commit(ledger, [submission])

    def found(name: str, value: bytes) -> list[int]:
        return list(ledger.candidates([(TERM_FIELDS[name], value)], 0, ledger.state.size, newest_first=False))

    assert found("resource", b"B") == [first + 1]
    assert found("submission", submission.submission_id) == [first]
    assert found("kind", b"10") == list(range(3, first + 2))
    assert found("actor", b"market:registrar") == [1, 2]


def _record(ledger: Ledger) -> Record:
    return Record.FromString(ledger.store.get(keyspace.STATE) or b"")


def _bent(**fields: object) -> bytes:
    record = _record(grown(300))
    for name, value in fields.items():
        record.ClearField(name)  # type: ignore[arg-type]
        if isinstance(value, list):
            getattr(record, name).extend(value)
        else:
            setattr(record, name, value)
    return record.SerializeToString()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (None, "missing"),
        (b"\xff", "parse"),
        (lambda: _bent() + b"\x40\x01", "canonical"),
        (lambda: _bent() + b"\x10\x01", "canonical"),
        (lambda: _bent(origin="pudong.example/tax"), "pudong.example/tax"),
        (lambda: _bent(size=299), "leaves|edge|root"),
        (lambda: _bent(size=2**63), "cannot have"),
        (lambda: _bent(root=bytes(32)), "root"),
        (lambda: _bent(root=b""), "root"),
        (lambda: _bent(prev=b"short"), "prev"),
        (lambda: _bent(edge=[b""]), "edge"),
        (lambda: _bent(runs=b""), "index|checksum"),
        (lambda: _bent(runs=empty_state(OFFICE.origin).index.to_bytes()), "index"),
    ],
)
def test_a_state_record_that_does_not_fit_is_refused(data: object, named: str) -> None:
    """A missing, cut, foreign or inconsistent state record is StoreDamaged, and says what is wrong."""
    store = MemoryStore()
    if data is not None:
        batch = Batch()
        batch.put(keyspace.STATE, data() if callable(data) else data)  # type: ignore[arg-type]
        store.write(batch)
    with pytest.raises(StoreDamaged, match=named):
        Ledger.open(store, OFFICE.origin)


def test_a_hole_in_the_entries_is_never_answered_over() -> None:
    """A segment that is missing, cut or not one is StoreDamaged at the entry it should hold."""
    for damage in (
        None,
        b"",
        b"\xff\xff",
        Segment().SerializeToString(),
        Segment(entry=[b"x"] * 65).SerializeToString(),
        b"\x0a\x01x\x10\x01",
    ):
        ledger = grown(200)
        batch = Batch()
        if damage is None:
            batch.delete(keyspace.segment(64))
        else:
            batch.put(keyspace.segment(64), damage)
        ledger.store.write(batch)
        assert len(list(ledger.entries(0, 64))) == 64
        with pytest.raises(StoreDamaged, match="market#64"):
            list(ledger.entries(60, 130))
        with pytest.raises(StoreDamaged, match="market#"):
            ledger.entry(100)


def test_a_cut_tile_is_named_when_a_proof_needs_it() -> None:
    """A proof that needs a missing or cut tile is refused, and says which entries it covers."""
    for damage in (None, b"x" * 31):
        ledger = grown(600)
        batch = Batch()
        if damage is None:
            batch.delete(keyspace.tile(0, 1))
        else:
            batch.put(keyspace.tile(0, 1), damage)
        ledger.store.write(batch)
        with pytest.raises(StoreDamaged, match="tile 0/1, which covers #256"):
            ledger.root_at(300)


def test_a_full_ledger_says_so() -> None:
    """Beyond 2^48 entries nothing is placed."""
    ledger = founded()
    last = State(LEDGER_ENTRIES_MAX, b"", b"", 0, ledger.state.tree, ledger.state.index)
    with pytest.raises(StoreDamaged, match="full"):
        ledger.build([OFFICE.prepared([OFFICE.declare("A")])], NOW_US, last)


def test_a_database_behind_what_was_signed_is_told_apart_from_another(tmp_path: Path) -> None:
    """Fewer entries than signed is BehindSigned with that size; other entries are StoreDamaged; more are fine."""
    ledger = grown(5)
    signed = SignedSize.create(tmp_path / "noted", OFFICE.origin)
    signed.note(6, ledger.root_at(6))
    check_against_signed(ledger, signed)
    signed.note(8, ledger.root_at(8))
    check_against_signed(ledger, signed)
    with pytest.raises(BehindSigned, match="holds 6 entries, and 8 were signed") as behind:
        check_against_signed(grown(3), signed)
    assert behind.value.known == 8
    with pytest.raises(StoreDamaged, match="which was signed; run tallyd fsck"):
        check_against_signed(grown(4, 1, 7), signed)
    signed.close()
