"""Entries that several ask for are read from the disk once, and are what the disk would have given."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.core.hashing import leaf_hash
from tallystick.core.merkle import check_range
from tallystick_node import answers
from tallystick_node.answers import ReadyBundles
from tallystick_node.ledger import Ledger
from tallystick_node.store.memory import MemoryStore
from tests.harness.faulty_store import FaultyStore
from tests.harness.office import NOW_US, Office

OFFICE = Office()
STRETCH = 16


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """Some two hundred entries, on a store that counts its reads."""
    made = Ledger.create(FaultyStore(MemoryStore()), OFFICE.origin)
    for count in (0, 40, 1, 90, 70):
        submissions = [OFFICE.prepared(OFFICE.declares(count))] if count else OFFICE.founding()
        commit = made.build(submissions, NOW_US)
        made.store.write(commit.batch)
        made.adopt(commit)
    return Ledger.open(made.store, OFFICE.origin)


def reads(ledger: Ledger) -> int:
    assert isinstance(ledger.store, FaultyStore)
    return ledger.store.reads


def read(ready: ReadyBundles, ledger: Ledger, first: int, end: int, size: int) -> list[bytes]:
    """What is answered, each bundle proven to stand where it should."""
    found: list[bytes] = []
    for bundle in ready.read(ledger, first, end, size):
        assert bundle.first == first + len(found)
        leaves = [leaf_hash(raw) for raw in bundle.entry]
        check_range(bundle.first, leaves, size, ledger.root_at(size), bundle.path)
        found += bundle.entry
    return found


@pytest.mark.parametrize("seed", range(5))
def test_what_is_at_hand_is_what_the_disk_gives(ledger: Ledger, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any ranges of any trees, asked for in any order, with room for all of it or for little."""
    random = Random(seed)
    monkeypatch.setattr(answers, "READY_ENTRIES", STRETCH)
    monkeypatch.setattr(answers, "READY_MAX", random.choice([0, 1, 3, 16]))
    ready = ReadyBundles()
    for _ in range(40):
        size = random.randrange(ledger.state.size + 1)
        first, end = sorted(random.randrange(size + 1) for _ in range(2))
        assert read(ready, ledger, first, end, size) == list(ledger.entries(first, end))


def test_who_asks_for_the_same_a_second_time_costs_the_disk_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same range is not read again; another beginning is read up to where both are given the same."""
    monkeypatch.setattr(answers, "READY_ENTRIES", STRETCH)
    ready, size = ReadyBundles(), ledger.state.size
    once = list(ready.read(ledger, 5, size, size))
    before = reads(ledger)
    again = list(ready.read(ledger, 5, size, size))
    assert reads(ledger) == before
    assert all(mine is theirs for mine, theirs in zip(once, again, strict=True))
    other = list(ready.read(ledger, 9, size, size))
    assert other[0].first == 9
    assert all(mine is theirs for mine, theirs in zip(once[1:], other[1:], strict=True))


def test_what_is_kept_at_hand_is_bounded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that was read only the newest stays, as much as there is room for."""
    monkeypatch.setattr(answers, "READY_ENTRIES", STRETCH)
    size = ledger.state.size
    monkeypatch.setattr(answers, "READY_MAX", 3)
    ready = ReadyBundles()
    list(ready.read(ledger, 0, size, size))
    before = reads(ledger)
    list(ready.read(ledger, size - size % STRETCH - STRETCH, size, size))
    assert reads(ledger) == before
    list(ready.read(ledger, 0, STRETCH, size))
    assert reads(ledger) > before
