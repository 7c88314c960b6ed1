"""Erasing: by an officer, of what is there to be erased, after the charter's retention, and for good."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tallystick.audit.rulebook import Retention, Rulebook
from tallystick.core.charter import Charter
from tallystick.core.errors import InvalidStatement, NotAllowed, NotFound, StorageFailed, TallystickError
from tallystick.core.hashing import leaf_hash
from tallystick.core.submission import Prepared, prepare
from tallystick.sdk.rulebook import rulebook_of
from tallystick_node import identity, keyspace
from tallystick_node.config import Settings
from tallystick_node.disclosures import NOTHING, Disclosures, read_sealed, sealed_within
from tallystick_node.erasing import AT_ONCE, Expunging, erased, expunge
from tallystick_node.home import SETTINGS
from tallystick_node.ledger import Ledger
from tallystick_node.openings import keep_disclosures, openings
from tallystick_node.sequencer import Sequencer
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tallystick_proto.v1.ledger_pb2 import OpeningsRequest
from tallystick_proto.v1.statement_pb2 import Ref
from tests.harness.home import Home, record
from tests.harness.small_home import new_home

FIELD = "data_used.subject"
DAY_US = 24 * 3600 * 1_000_000
DAYS = 30


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def uses(home: Home, *subjects: str | None) -> Prepared:
    return prepare(home.office.uses(*subjects), home.office.origin)


def ref(sequencer: Sequencer, index: int, **other: object) -> Ref:
    ledger = sequencer.ledger
    values = {"origin": ledger.origin, "index": index, "leaf": leaf_hash(ledger.entry(min(index, 3))), **other}
    if 3 <= index < ledger.state.size and "leaf" not in other:
        values["leaf"] = leaf_hash(ledger.entry(index))
    return Ref(**values)  # type: ignore[arg-type]


def erases(home: Home, about: Ref, field: str = FIELD, by: str = "clerk") -> Prepared:
    said = home.office.say("DisclosureErased", by, entry=about, field_path=field, reason="the case is closed")
    return home.office.prepared([said], by)


def held(sequencer: Sequencer, index: int) -> bool:
    return read_sealed(sequencer.ledger.store, index, FIELD) != NOTHING


def noted(sequencer: Sequencer) -> list[bytes]:
    return [key for key, _ in sequencer.ledger.store.range(keyspace.ERASED, b"y")]


async def test_what_an_officer_erases_is_gone_with_its_record(home: Home) -> None:
    """From one moment to the next; the other disclosures, the entries and the proofs are what they were."""
    async with home.writing() as sequencer:
        await record(sequencer, uses(home, "citizen 1", "citizen 2"))
        before = list(sequencer.ledger.entries(0, 5))
        await record(sequencer, erases(home, ref(sequencer, 3)))
        assert (held(sequencer, 3), held(sequencer, 4)) == (False, True)
        assert list(sequencer.ledger.entries(0, 5)) == before
        assert erased(sequencer.ledger) == {(3, FIELD)}
        assert noted(sequencer) == [keyspace.erased(3, FIELD)]
        assert sequencer.erased.is_set()
        request = OpeningsRequest(field=FIELD, value=b"citizen 1", end=5)
        (answer,) = openings(sequencer.ledger, sequencer.disclosures, request)
        assert (list(answer.opening), answer.opened, answer.unopened) == ([], 1, 1)


async def test_what_is_erased_while_it_is_read_is_not_called_damaged(home: Home) -> None:
    """Its two records are read one after the other; what goes between the two was erased, and is not half there."""

    class Erasing(MemoryStore):
        """Erases a disclosure once its first record was read."""

        def get(self, key: bytes) -> bytes | None:
            found = super().get(key)
            self.erase_after(key)
            return found

        def range(self, start: bytes, stop: bytes | None, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
            yield from super().range(start, stop, reverse=reverse)
            self.erase_after(start)

        def erase_after(self, key: bytes) -> None:
            if key.startswith(keyspace.DISCLOSURE):
                self.write(Batch(deletes=[keyspace.disclosure(3, FIELD), keyspace.data_key(3, FIELD)]))

    async with home.writing() as sequencer:
        await record(sequencer, uses(home, "citizen 1", "citizen 2"))
        for read in (read_sealed, lambda store, *at: sealed_within(store, 3, 5)(*at)):
            store = Erasing()
            store.write(Batch(puts=list(home.disk.range(b"d", b"e")) + list(home.disk.range(b"k", b"l"))))
            assert read(store, 3, FIELD) == NOTHING


async def test_the_same_erasure_sent_again_is_the_same(home: Home) -> None:
    """Its receipt names the entry that is there; another one finds nothing left."""
    async with home.writing() as sequencer:
        await record(sequencer, uses(home, "citizen 1"))
        erasure = erases(home, ref(sequencer, 3))
        first, again = await record(sequencer, erasure, erasure)
        assert (again.first, again.again) == (first.first, True)
        with pytest.raises(NotFound, match="nothing is held that opens"):
            await record(sequencer, erases(home, ref(sequencer, 3)))


REFUSED: dict[str, tuple[Callable[[Home, Sequencer], Prepared], type[TallystickError], str]] = {
    "a system": (lambda home, at: erases(home, ref(at, 3), by="gateway"), NotAllowed, "gateway may not"),
    "the node": (lambda home, at: erases(home, ref(at, 3), by="node"), NotAllowed, "node may not"),
    "another ledger": (lambda home, at: erases(home, ref(at, 3, origin="a.b/c")), InvalidStatement, "a.b/c"),
    "another leaf": (lambda home, at: erases(home, ref(at, 3, leaf=bytes(32))), NotFound, "no such entry"),
    "beyond the end": (lambda home, at: erases(home, ref(at, 9)), NotFound, "no such entry"),
    "no commitment": (lambda home, at: erases(home, ref(at, 4)), NotFound, "commits to nothing in"),
    "another field": (
        lambda home, at: erases(home, ref(at, 3), "duty_assigned.person"),
        NotFound,
        "commits to nothing",
    ),
    "no field": (lambda home, at: erases(home, ref(at, 3), "subject"), NotFound, "commits to nothing"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_to_be_erased_is_refused(home: Home, name: str) -> None:
    """Nothing is recorded, and nothing deleted."""
    make, error, why = REFUSED[name]
    async with home.writing() as sequencer:
        await record(sequencer, uses(home, "citizen 1", None))
        with pytest.raises(error, match=why):
            await sequencer.record(make(home, sequencer))
        assert sequencer.ledger.state.size == 5
        assert held(sequencer, 3)
        assert not noted(sequencer)


async def test_within_its_retention_nothing_is_erased(home: Home) -> None:
    """Neither by the charter's default, nor by what it says of the field, which goes before it."""
    lasting = (Retention(DAYS), Retention(1, {FIELD: DAYS}), Retention(99, {FIELD: DAYS}))
    async with home.writing() as sequencer:
        for retention in lasting:
            sequencer.disclosures.retention = lambda retention=retention: retention  # type: ignore[misc]
            await record(sequencer, uses(home, "citizen 1"))
            index = sequencer.ledger.state.size - 1
            recorded_us = sequencer.ledger.decoded(index).recorded_at_us
            home.now_us = recorded_us + DAYS * DAY_US - 1
            home.office.now_us = home.now_us
            with pytest.raises(NotAllowed, match=r"is kept until 20.*as the charter's rulebook\.retention has it"):
                await record(sequencer, erases(home, ref(sequencer, index)))
            assert held(sequencer, index)
            home.now_us += 1
            await record(sequencer, erases(home, ref(sequencer, index)))
            assert not held(sequencer, index)


def test_a_charters_retention_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is erased: that takes milliseconds of a node that does nothing else meanwhile."""
    new_home(tmp_path / "home")
    settings = Settings.load(tmp_path / "home" / SETTINGS)
    disclosures = identity.load_disclosures(settings, *settings.open_charter())
    read: list[Charter] = []

    def reading(charter: Charter) -> Rulebook:
        read.append(charter)
        return rulebook_of(charter)

    monkeypatch.setattr(identity, "rulebook_of", reading)
    assert disclosures.retention() == disclosures.retention() == Retention()
    assert len(read) == 1


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_erasure_is_whole_or_not_at_all(home: Home, when: str) -> None:
    """Whatever the write did before it failed: the record and the deletion are both there, or neither."""
    async with home.writing() as sequencer:
        await record(sequencer, uses(home, "citizen 1"))
        erasure = erases(home, ref(sequencer, 3))
        home.fail_write(when)  # type: ignore[arg-type]
        with pytest.raises(StorageFailed):
            await sequencer.record(erasure)
        found = home.ledger()
        assert (read_sealed(found.store, 3, FIELD) == NOTHING) == (found.state.size == 5) == (when == "after")
        await record(sequencer, erasure)
        assert not held(sequencer, 3)
        assert sequencer.erased.is_set()


async def test_what_an_end_cut_short_is_expunged_at_the_next_start(home: Home) -> None:
    """The note that it is due goes only once it is done, and a failure is tried again, a fault of the program too."""
    async with home.writing() as sequencer:
        await record(sequencer, uses(home, "citizen 1", "citizen 2"))
        await record(sequencer, erases(home, ref(sequencer, 3)), erases(home, ref(sequencer, 4)))
    async with home.writing() as sequencer:
        asked: list[list[bytes]] = []
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        class Failing(MemoryStore):
            def expunge(self, keys: object) -> None:
                asked.append(list(keys))  # type: ignore[call-overload]
                if len(asked) < 3:
                    raise (StorageFailed, RuntimeError)[len(asked) - 1]("on purpose")
                loop.call_soon_threadsafe(done.set)

        store = Failing()
        batch = Batch()
        for key in noted(sequencer):
            batch.put(key, b"")
        store.write(batch)
        expunging = Expunging(store, asyncio.Event(), retry_s=0.0)
        expunging.start()
        await asyncio.wait_for(done.wait(), 60)
        await expunging.stop()
        places = [keyspace.place_in_entry(index, FIELD) for index in (3, 4)]
        assert asked == [[b"d" + place for place in places] + [b"k" + place for place in places]] * 3
        assert expunge(sequencer.ledger.store) == 2
        assert noted(sequencer) == []
        assert expunge(sequencer.ledger.store) == 0


async def test_of_many_only_a_few_hold_up_a_node_that_stops() -> None:
    """They are expunged in turns: it waits for one of them, and what is done by then need not be done again."""
    asked: list[int] = []
    loop = asyncio.get_running_loop()
    begun, go_on = asyncio.Event(), threading.Event()

    class Slow(MemoryStore):
        def expunge(self, keys: Sequence[bytes]) -> None:
            asked.append(len(keys))
            if len(asked) == 2:
                loop.call_soon_threadsafe(begun.set)
                go_on.wait()

    store = Slow()
    store.write(Batch(puts=[(keyspace.erased(index, FIELD), b"") for index in range(3 * AT_ONCE)]))
    expunging = Expunging(store, asyncio.Event())
    expunging.start()
    await asyncio.wait_for(begun.wait(), 60)
    await expunging.stop()
    go_on.set()
    await loop.shutdown_default_executor()  # as the end of a node's loop does
    assert asked == [2 * AT_ONCE] * 2
    assert len([*store.range(keyspace.ERASED, b"y")]) == AT_ONCE


async def test_an_older_database_does_not_bring_back_what_was_erased(home: Home) -> None:
    """A ledger that says so keeps the others of its disclosures, and not that one; fsck names it where it is."""
    async with home.writing() as sequencer:
        await record(sequencer, uses(home, "citizen 1", "citizen 2"))
        older = home.disk.reopened()
        await record(sequencer, erases(home, ref(sequencer, 3)))
    ledger = home.ledger()
    rebuilt = Ledger.create(MemoryStore(), ledger.origin)
    rebuilt.store.write(Batch(puts=[item for item in ledger.store.range(b"", None) if item[0][:1] not in b"dkx"]))
    rebuilt = Ledger.open(rebuilt.store, ledger.origin)
    disclosures: Disclosures = home.office.disclosures()
    assert keep_disclosures(older, rebuilt, disclosures) == (1, 2)
    assert read_sealed(rebuilt.store, 3, FIELD) == NOTHING
    assert read_sealed(rebuilt.store, 4, FIELD) == read_sealed(older, 4, FIELD)
    batch = Batch()
    batch.put(keyspace.disclosure(3, FIELD), older.get(keyspace.disclosure(3, FIELD)) or b"")
    batch.put(keyspace.data_key(3, FIELD), older.get(keyspace.data_key(3, FIELD)) or b"")
    home.disk.write(batch)
    assert [difference.expected for difference in home.check().differences] == ["none, since it was erased"]
