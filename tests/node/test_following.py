"""A witness follows: it holds what it cosigned, cosigns what extends what it held, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from tallystick.core.bureau import Floor, Retired
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import StorageFailed
from tallystick.core.note import Note, NoteSignature, VerifierKey, encode_base64, format_note, parse_note
from tallystick.core.witnessing import open_cosigned
from tallystick_node.growing import COMMIT_ENTRIES
from tallystick_proto.v1.ledger_pb2 import Bundle
from tallystick_proto.v1.witness_pb2 import ToCosign
from tests.harness import loop
from tests.harness.asked_witnesses import until
from tests.harness.faulty_store import Fault
from tests.harness.lying_node import LyingNode
from tests.harness.office import key_of
from tests.harness.witnesses import Witness, gathered, record, text_of, witnessed_home

LATER_S = 3_600


class Witnessing:
    """A node, and its two witnesses, both of which are a quorum."""

    def __init__(self, node: LyingNode, one: Witness, other: Witness) -> None:
        self.node = node
        self.one = one
        self.other = other

    def reached(self, size: int) -> bytes:
        """The note that both cosigned, once it covers a size."""
        found = gathered(self.node, size)
        assert found is not None
        return found.note


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[Witnessing]:
    """Both follow; afterwards every copy is sound."""
    home, offices = witnessed_home(tmp_path, 2)
    with LyingNode(home) as node:
        one, other = (Witness(office, node).start() for office in offices)
        try:
            yield Witnessing(node, one, other)
        finally:
            one.stop()
            other.stop()
    for witness in (one, other):
        witness.check()


def held(node: LyingNode) -> list[bytes]:
    """The entries of the node's own ledger."""
    ledger = node.sequencer.ledger
    return list(ledger.entries(0, ledger.state.size))


def test_what_is_witnessed_is_held_by_all_who_cosigned(at_work: Witnessing) -> None:
    """The witnessed note is the ledger's own checkpoint, with a valid cosignature of each, and each has every entry."""
    checkpoint = record(at_work.node, 5)
    found = open_cosigned(at_work.reached(checkpoint.size), at_work.one.charter, at_work.node.home.office.bureau)
    assert found.checkpoint == checkpoint
    assert found.count == 2
    assert found.enough(at_work.one.charter)
    assert at_work.one.entries == at_work.other.entries == held(at_work.node)


def test_a_large_ledger_is_taken_in_pieces_and_cosigned_whole(at_work: Witnessing) -> None:
    """A copy that begins far behind is stored in several commits, and cosigned only at its end."""
    at_work.one.stop()
    office, node = at_work.node.home.office, at_work.node
    before = at_work.one.record
    for _ in range(4):
        record(node, 1)
    sizes = [700, 1_000, 1_000, 3, 900]
    for number, size in enumerate(sizes):
        submission = office.prepared(office.declares(size, f"L{number}"))
        loop.run(node.sequencer.record(submission))
    assert sum(sizes) > 3 * COMMIT_ENTRIES
    at_work.one.start()
    size = node.sequencer.published.state.size
    at_work.reached(size)
    assert at_work.one.entries == held(node)
    assert at_work.one.store.writes >= 3  # one fewer where the ledger's node shows a round on the way
    assert before.note != at_work.one.record.note


def test_a_restart_says_again_what_was_cosigned_and_goes_on(at_work: Witnessing) -> None:
    """The same note, byte for byte, from the disk alone; and what comes later extends it."""
    note = at_work.reached(record(at_work.node, 2).size)
    at_work.one.stop()
    cosigned = at_work.one.cosigned
    assert set(cosigned.splitlines()) <= set(note.splitlines())
    at_work.one.start()
    at_work.reached(record(at_work.node, 1).size)
    assert text_of(at_work.one.cosigned) != text_of(cosigned)


def test_the_time_in_a_cosignature_never_decreases(at_work: Witnessing) -> None:
    """A clock that was put back, across a restart too, leaves the time where it was; one that goes on moves it."""
    witness = at_work.one
    at_work.reached(record(at_work.node, 1).size)
    first = witness.record.cosigned_at_s
    witness.now_us -= LATER_S * 1_000_000
    at_work.reached(record(at_work.node, 1).size)
    assert witness.record.cosigned_at_s == first
    witness.stop()
    witness.start()
    at_work.reached(record(at_work.node, 1).size)
    assert witness.record.cosigned_at_s == first
    witness.now_us += 2 * LATER_S * 1_000_000
    at_work.reached(record(at_work.node, 1).size)
    assert witness.record.cosigned_at_s == first + LATER_S


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_that_fails_lets_no_cosignature_out_before_it_is_durable(
    at_work: Witnessing, when: Literal["before", "after"]
) -> None:
    """Whether the batch reached the disk or not: what is cosigned in the end is on the disk, and is the ledger's."""
    at_work.reached(record(at_work.node, 1).size)
    store = at_work.one.store
    number = store.writes
    store.plan[("write", number)] = Fault("write", number, when, StorageFailed)
    checkpoint = record(at_work.node, 1)
    at_work.reached(checkpoint.size)
    assert store.writes > number + 1 or when == "after"
    assert text_of(at_work.one.cosigned).split("\n")[1] == str(checkpoint.size)


def test_nothing_is_cosigned_past_the_charters_term(at_work: Witnessing) -> None:
    """However often it is shown; and nothing is held against the ledger, which is cosigned when the clock, put right,
    stands before the end.
    """
    at_work.reached(record(at_work.node, 1).size)
    witnesses, calls = (at_work.one, at_work.other), at_work.node.calls
    cosigned = [witness.cosigned for witness in witnesses]
    for witness in witnesses:
        witness.now_us = witness.charter.expires_us
    size = record(at_work.node, 1).size
    before = calls.count("Cosign")
    loop.run(until(lambda: calls.count("Cosign") > before + len(witnesses)))
    assert [witness.cosigned for witness in witnesses] == cosigned
    for witness in witnesses:
        witness.now_us -= 1
    at_work.reached(size)


def test_a_dead_witness_costs_nothing_but_its_own_cosignature(tmp_path: Path) -> None:
    """With one of four away the ledger is witnessed; with two it says that it is not; back again, it is."""
    home, offices = witnessed_home(tmp_path, 4)
    with LyingNode(home) as node:
        witnesses = [Witness(office, node).start() for office in offices]
        try:
            witnesses[0].stop()
            assert gathered(node, record(node, 1).size) is not None
            witnesses[1].stop()
            size = record(node, 1).size
            assert gathered(node, size, wait_s=0.3) is None
            assert gathered(node, size - 1) is not None
            witnesses[1].start()
            assert gathered(node, size) is not None
        finally:
            for witness in witnesses:
                witness.stop()


def test_who_was_not_asked_follows_nothing(tmp_path: Path) -> None:
    """A bureau follows the ledgers that name it, none alone in its charter, and never its own."""
    home, offices = witnessed_home(tmp_path, 2)
    with LyingNode(home) as node:
        charter = Witness(offices[0], node).charter
        own = offices[0].bureau
        assert [found.id for found in charter.witnessed_by(own)] == ["market", "witness-1"]
    (tmp_path / "two").mkdir()
    home, offices = witnessed_home(tmp_path / "two", 1)
    with LyingNode(home) as node:
        assert Witness(offices[0], node).charter.witnessed_by(offices[0].bureau) == ()


# What is shown and proves nothing: it is tried again, and nothing is held against anybody.


def _cut_path(bundle: Bundle) -> None:
    del bundle.path[:]


def _other_entry(bundle: Bundle) -> None:
    bundle.entry[-1] += b"\0"


def _other_place(bundle: Bundle) -> None:
    bundle.first += 1


@pytest.mark.parametrize(
    ("call", "lie"),
    [
        ("ReadEntries", _cut_path),
        ("ReadEntries", _other_entry),
        ("ReadEntries", _other_place),
        ("ReadEntries", lambda bundle: ()),
        ("Cosign", lambda shown: [ToCosign(checkpoint=b"no note")]),
        ("Cosign", lambda shown: [ToCosign(checkpoint=shown.checkpoint.replace(b"\n", b"\n\n", 1))]),
        ("Cosign", lambda shown: ()),
    ],
)
def test_what_proves_nothing_is_tried_again(at_work: Witnessing, call: str, lie: Callable[[Any], Any]) -> None:
    """Bad paths, wrong places, empty streams and notes without the ledger's signature stop nothing for good."""
    at_work.reached(record(at_work.node, 1).size)
    told: list[int] = []

    def once(answer: Any) -> Any:
        told.append(1)
        return lie(answer) if len(told) == 1 else None

    at_work.node.lies[call] = once
    at_work.reached(record(at_work.node, 1).size)
    assert told
    assert not at_work.one.record.stopped
    assert not at_work.other.record.stopped


def test_a_key_that_a_later_charter_may_name_stops_nothing(tmp_path: Path) -> None:
    """A ledger goes by the version that renewed its registrar's key before its witnesses do: they wait, and remember
    nothing against it; once they go by it too, they cosign.
    """
    home, offices = witnessed_home(tmp_path, 2)
    office, told = home.office, list[int]()
    with LyingNode(home) as node:
        witnesses = [Witness(each, node).start() for each in offices]
        size = record(node, 1).size
        assert gathered(node, size) is not None
        old, office.keys["registrar"] = office.bureau, key_of("the next registrar")
        renewed = VerifierKey.of(f"{office.origin}/registrar", office.keys["registrar"].public).format()
        floor = Floor(size, encode_base64(node.sequencer.ledger.root_at(size)))
        node.stop()
        retired = (Retired(old.registrar_key, size),)
        office.bureau = msgspec.structs.replace(old, registrar_key=renewed, floor=floor, retired=retired)
        node.lies["ReadEntries"] = lambda bundle: told.append(1)
        node.start()
        loop.run(node.sequencer.record(office.prepared([office.registers("carol")], "registrar")))
        loop.run(until(lambda: len(told) > 4))
        assert gathered(node, size + 1, wait_s=0.05) is None
        for witness in witnesses:
            witness.stop()
            assert not witness.record.stopped
            witness.start()
        assert gathered(node, size + 1) is not None
        for witness in witnesses:
            witness.stop()
            witness.check()


# What the ledger's own key has signed, and cannot stand.


def _signed(at_work: Witnessing, checkpoint: Checkpoint) -> Callable[[Any], Any]:
    """Shows another checkpoint, properly signed by the ledger's key."""
    note = at_work.node.home.office.note(checkpoint.size, checkpoint.root)
    return lambda shown: [ToCosign(checkpoint=note)]


@pytest.mark.parametrize("shift", [0, -1])
def test_a_fork_ends_cosigning_and_both_notes_are_kept(at_work: Witnessing, shift: int) -> None:
    """Another root at a size that is held, the newest or an earlier one: remembered, and cosigned no more, nor after a
    restart.
    """
    checkpoint = record(at_work.node, 3)
    at_work.reached(checkpoint.size)
    cosigned = at_work.one.cosigned
    forked = Checkpoint(checkpoint.origin, checkpoint.size + shift, b"\x07" * 32)
    at_work.node.lies["Cosign"] = _signed(at_work, forked)
    record(at_work.node, 1)
    at_work.one.ended()
    stopped = at_work.one.record
    assert "signed two different histories" in stopped.stopped
    evidence = at_work.one.proven.against(at_work.one.ledger)
    assert evidence is not None
    assert verify_equivocation(evidence, at_work.one.charter)[1].smaller.size == forked.size
    assert stopped.shown == at_work.node.home.office.note(forked.size, forked.root)
    assert at_work.one.cosigned == cosigned
    del at_work.node.lies["Cosign"]
    at_work.one.stop()
    at_work.one.start()
    at_work.one.ended()
    assert at_work.one.record == stopped


def test_a_rewritten_ledger_is_not_cosigned(tmp_path: Path) -> None:
    """A ledger written anew, with valid hashes and its own valid signatures, is stopped at, and the node goes on."""
    home, offices = witnessed_home(tmp_path, 2)
    with LyingNode(home) as node:
        one, other = (Witness(office, node).start() for office in offices)
        try:
            assert gathered(node, record(node, 3).size) is not None
            port = node.port
            node.stop()
            (tmp_path / "again").mkdir()
            again, _ = witnessed_home(tmp_path / "again", 2)
            with LyingNode(again) as unseen:  # as the node itself would not: it is written before anybody sees it
                record(unseen, 6)
            with LyingNode(again, port=port) as rewritten:
                one.ended()
                other.ended()
                assert rewritten.gathering.witnessed is None
        finally:
            one.stop()
            other.stop()
        for witness in (one, other):
            assert witness.record.stopped
            evidence = witness.proven.against(witness.ledger)
            assert evidence is not None
            _, proven = verify_equivocation(evidence, witness.charter)
            assert (proven.smaller.size, proven.larger.size) == (6, 9)
            assert len(witness.entries) == 6
            witness.check()


def test_only_the_ledgers_own_signature_is_kept_of_what_is_shown(at_work: Witnessing) -> None:
    """Whatever else stands on a note, under the ledger's very name too, what is cosigned can be opened by everybody."""
    office = at_work.node.home.office
    namesake = NoteSignature(office.origin, b"\0\0\0\0", bytes(64))

    def crowded(shown: ToCosign) -> list[ToCosign]:
        parsed = parse_note(shown.checkpoint)
        return [ToCosign(checkpoint=format_note(Note(parsed.text, (namesake, *parsed.signatures))))]

    at_work.node.lies["Cosign"] = crowded
    checkpoint = record(at_work.node, 1)
    at_work.reached(checkpoint.size)
    for witness in (at_work.one, at_work.other):
        found = open_cosigned(witness.cosigned, witness.charter, office.bureau)
        assert (found.checkpoint, found.count) == (checkpoint, 1)
        assert len(parse_note(witness.cosigned).signatures) == 2


def test_an_older_checkpoint_shown_again_is_no_fork_and_no_news(at_work: Witnessing) -> None:
    """A ledger shown as it once was is not cosigned again there, and is followed when it shows what it is."""
    earlier = record(at_work.node, 1)
    at_work.reached(earlier.size)
    at_work.reached(record(at_work.node, 1).size)
    shown: list[int] = []
    older = _signed(at_work, earlier)

    def once_each(answer: Any) -> Any:
        shown.append(1)
        return older(answer) if len(shown) <= 2 else None

    at_work.node.lies["Cosign"] = once_each
    at_work.reached(record(at_work.node, 1).size)
    assert not at_work.one.record.stopped
    assert not at_work.other.record.stopped
