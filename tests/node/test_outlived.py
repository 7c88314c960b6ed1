"""A witness whose copy goes beyond the floor at which its ledger was recovered accuses nobody of that."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest

from tallystick.core.errors import SignatureInvalid, StorageFailed
from tallystick.core.evidence import actors_of
from tallystick.core.history import History
from tallystick_node.copies import COSIGNING, Copy
from tallystick_node.doctor.copies import check_copy
from tallystick_node.growing import Growing
from tallystick_node.ledger import Ledger
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch, Store
from tests.harness import loop
from tests.harness.asked_witnesses import until
from tests.harness.faulty_store import Fault, FaultyStore
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office
from tests.harness.witnesses import Witness, gathered, record, witnessed_home

MORE = 5


def stored(growing: Growing, entries: list[bytes]) -> None:
    """A ledger with more entries, checked and durable."""
    history = growing.history()
    commit = growing.build(history.extend(entries))
    growing.ledger.store.write(commit.batch)
    growing.adopt(commit, history)


def recovered(folder: Path, home: Home, size: int) -> Home:
    """The home of the same ledger after a recovery: its first entries, and another one after them."""
    old = home.ledger()
    office = home.office.recovered(size, old.root_at(size))
    again = Home(folder, office, founded=False)
    growing = Growing(Ledger.open(again.disk, office.origin), office.bureau)
    stored(growing, list(old.entries(0, size)))
    commit = growing.ledger.build([office.prepared([office.declare("recovered")])], office.now_us)
    again.disk.write(commit.batch)
    signed = SignedSize.open(again.noted, office.origin)
    signed.note(commit.state.size, commit.state.root)
    signed.close()
    return again


def copy_of(store: Store, office: Office, ledger: Office) -> Copy:
    """What a witness's disk has of a ledger."""
    return Copy(store, ledger.bureau, office.keys["witness"], f"{office.origin}/witness")


class Past:
    """A ledger of which both witnesses had cosigned `floor` entries, and which went on to sign more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home, offices = witnessed_home(folder, 2)
        with LyingNode(self.home) as node:
            self.witnesses = [Witness(office, node).start() for office in offices]
            self.floor = record(node, 3).size
            assert gathered(node, self.floor) is not None
            for witness in self.witnesses:
                witness.stop()
            record(node, MORE)


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    made = Past(tmp_path)
    yield made
    for witness in made.witnesses:
        witness.stop()
        witness.check()


def test_what_was_fetched_and_not_cosigned_is_let_go_of(past: Past) -> None:
    """A witness that died between storing and cosigning fetches the ledger as it was recovered, and cosigns on.

    The time in its cosignatures does not go back.
    """
    one = past.witnesses[0]
    old = past.home.ledger()
    stored(copy_of(one.disk, one.office, past.home.office), list(old.entries(past.floor, old.state.size)))
    before = one.record
    assert len(one.entries) == past.floor + MORE
    again = recovered(past.folder, past.home, past.floor)
    with LyingNode(again) as node:
        for witness in past.witnesses:
            witness.node = node
            witness.now_us -= 3_600_000_000
            witness.start()
        assert gathered(node, past.floor + 1) is not None
        for witness in past.witnesses:
            witness.stop()
    assert one.entries == list(again.ledger().entries(0, past.floor + 1))
    assert not one.record.stopped
    assert one.record.cosigned_at_s >= before.cosigned_at_s


def test_a_copy_let_go_of_half_way_is_cleared_before_there_is_one_again(past: Past) -> None:
    """After a failed write the copy is the old one, or none, and then what is left of it is removed."""
    one = past.witnesses[0]
    old = past.home.ledger()
    stored(copy_of(one.disk, one.office, past.home.office), list(old.entries(past.floor, old.state.size)))
    office = past.home.office.recovered(past.floor, old.root_at(past.floor))
    for number in range(2):
        copy = copy_of(FaultyStore(one.disk, [Fault("write", number, "before")]), one.office, office)
        assert copy.outlived
        with pytest.raises(StorageFailed):
            copy.start_over()
        assert copy_of(one.disk, one.office, office).size == (copy.size if number == 0 else 0)
    none = copy_of(one.disk, one.office, office)
    none.clear()
    assert (none.size, none.cosigned, none.outlived) == (0, b"", False)
    assert len(list(none.ledger.store.snapshot())) == 1
    stored(none, list(old.entries(0, past.floor)))
    assert not none.outlived


def test_what_was_cosigned_beyond_a_floor_is_kept(past: Past) -> None:
    """A floor below what a witness cosigned was pinned without its word: nothing is removed, nothing proven, and what
    it cosigned is no damage to its disk.
    """
    one = past.witnesses[0]
    office = past.home.office.recovered(past.floor - 1, past.home.ledger().root_at(past.floor - 1))
    copy = copy_of(one.disk, one.office, office)
    assert copy.outlived
    assert not copy.start_over()
    assert copy_of(one.disk, one.office, office).size == past.floor
    assert not copy_of(one.disk, one.office, past.home.office).outlived
    assert check_copy(one.disk, office.bureau).clean


def test_what_a_lost_node_said_beyond_the_floor_is_no_damage_to_a_copy(past: Past) -> None:
    """Its node's key ends at the floor, and what it signed after that was fetched while it did not."""
    one, office = past.witnesses[0], past.home.office
    old = past.home.ledger()
    adopted = office.prepared([office.say("adopt_charter", "node", version=2, digest=bytes(32))], "node")
    commit = old.build([adopted], office.now_us)
    old.store.write(commit.batch)
    old.adopt(commit)
    stored(copy_of(one.disk, one.office, office), list(old.entries(past.floor, old.state.size)))
    lost = old.state.size - 1
    assert lost >= past.floor

    after = office.recovered(past.floor, old.root_at(past.floor)).bureau
    report = check_copy(one.disk, after)
    assert (report.clean, report.size) == (True, lost + 1)
    with pytest.raises(SignatureInvalid, match=f"vouches up to #{past.floor - 1}"):
        History(actors_of(after)).extend(old.entries(0, old.state.size))


def goes_on(past: Past, again: Home) -> LyingNode:
    """The recovered ledger's node, followed by both."""
    node = LyingNode(again)
    node.start()
    for witness in past.witnesses:
        witness.node = node
        witness.start()
    return node


def test_what_was_held_against_a_retired_key_does_not_bind_the_next(past: Past) -> None:
    """Who had stopped at the ledger's old key cosigns again under its new one, and what it cosigned stays extended."""
    for witness in past.witnesses:
        copy = copy_of(witness.disk, witness.office, past.home.office)
        stop = copy.stop("two histories", past.home.office.note(past.floor, b"\7" * 32))
        copy.ledger.store.write(Batch([(COSIGNING, stop.SerializeToString())]))
        assert copy_of(witness.disk, witness.office, past.home.office).stopped
    again = recovered(past.folder, past.home, past.floor)
    node = goes_on(past, again)
    try:
        assert gathered(node, past.floor + 1) is not None
    finally:
        node.stop()


def test_nothing_is_cosigned_that_does_not_extend_the_floor(past: Past) -> None:
    """Neither by a witness that begins, nor by one that holds a history that is not pinned, which accuses nobody."""
    pinned = recovered(past.folder, past.home, past.floor)
    one, other = past.witnesses
    one.disk = MemoryStore()
    (past.folder / "false").mkdir()
    office = copy(pinned.office)
    false = Home(past.folder / "false", office)
    node = goes_on(past, false)
    try:
        told: list[int] = []
        node.lies["Cosign"] = lambda shown: told.append(1)
        record(node, 6)
        loop.run(until(lambda: len(told) > 3))
        assert gathered(node, past.floor, wait_s=0.05) is None
    finally:
        node.stop()
    for witness in (one, other):
        assert not witness.record.stopped
    assert (len(one.entries), len(other.entries)) == (0, past.floor)
