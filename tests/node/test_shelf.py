"""A node answers about the copies it keeps as about its own ledger: the same bytes, as far as it cosigned them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from tallystick.core.checkpoint import parse_checkpoint
from tallystick.core.errors import NotFound, Stopping
from tallystick.core.kinds import TERM_FIELDS
from tallystick.core.note import parse_note
from tallystick.core.witnessing import open_cosigned
from tallystick_node.copies import COSIGNING, Copy
from tallystick_node.shelf import Shelf
from tallystick_node.store.store import Batch
from tallystick_proto.v1.ledger_pb2 import (
    CheckpointAnswer,
    CheckpointRequest,
    ConsistencyRequest,
    ErrorDetail,
    FindRequest,
    InclusionRequest,
    OpeningsRequest,
    ReadRequest,
    Term,
)
from tallystick_proto.v1.ledger_pb2_grpc import LedgerStub
from tests.harness import loop
from tests.harness.witnesses import Neighbours, record

WAIT_S = 20.0


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[Neighbours]:
    """A ledger's node, and two more that witness it."""
    with Neighbours(tmp_path) as made:
        yield made


@pytest.fixture
def stub(neighbours: Neighbours) -> Iterator[LedgerStub]:
    """Calls to the first of the witnesses."""
    with grpc.insecure_channel(f"127.0.0.1:{neighbours.witnesses[0].port}") as channel:
        yield LedgerStub(channel)


def bytes_of(answers: Any) -> list[bytes]:
    """One answer, or a stream of them, as it was sent."""
    return [answer.SerializeToString() for answer in (answers if hasattr(answers, "__iter__") else [answers])]


def size_of(note: bytes) -> int:
    return parse_checkpoint(parse_note(note).text).size


def questions(origin: str, size: int) -> list[Callable[[LedgerStub], Any]]:
    """Every question a ledger is asked about a tree of its own, by their names."""
    kind = [Term(field=TERM_FIELDS["kind"], value=b"10")]
    inclusion = InclusionRequest(origin=origin, index=size - 2, size=size)
    return [
        lambda at: at.ProveConsistency(ConsistencyRequest(origin=origin, old_size=3, new_size=size), timeout=WAIT_S),
        lambda at: at.ProveInclusion(inclusion, timeout=WAIT_S),
        lambda at: at.ProvePresence(inclusion, timeout=WAIT_S),
        lambda at: at.ReadEntries(ReadRequest(origin=origin, end=size, size=size), timeout=WAIT_S),
        lambda at: at.ReadEntries(ReadRequest(origin=origin, first=5, end=size - 3, size=size - 1), timeout=WAIT_S),
        lambda at: at.Find(FindRequest(origin=origin, size=size), timeout=WAIT_S),
        lambda at: at.Find(FindRequest(origin=origin, term=kind, size=size, newest_first=True), timeout=WAIT_S),
    ]


def test_a_copy_answers_byte_for_byte_as_its_ledger(neighbours: Neighbours, stub: LedgerStub) -> None:
    """Proofs, entries and what the index finds are the same bytes, whoever of the two is asked."""
    size = neighbours.witnessed(record(neighbours.node, 300).size)
    with grpc.insecure_channel(f"127.0.0.1:{neighbours.node.port}") as channel:
        for ask in questions(neighbours.origin, size):
            answered = bytes_of(ask(stub))
            assert answered
            assert answered == bytes_of(ask(LedgerStub(channel)))


def test_a_copy_answers_while_its_ledgers_node_is_away_and_after_a_restart(
    neighbours: Neighbours, stub: LedgerStub
) -> None:
    """From the disk alone, with the checkpoint cosigned last: the ledger's signature and this witness's."""
    size = neighbours.witnessed(record(neighbours.node, 40).size)
    before = [bytes_of(ask(stub)) for ask in questions(neighbours.origin, size)]
    neighbours.node.stop()
    witness = neighbours.witnesses[0]
    witness.stop()
    witness.start()
    with grpc.insecure_channel(f"127.0.0.1:{witness.port}") as channel:
        again = LedgerStub(channel)
        assert [bytes_of(ask(again)) for ask in questions(neighbours.origin, size)] == before
        answer = again.GetCheckpoint(CheckpointRequest(origin=neighbours.origin, known_size=3), timeout=WAIT_S)
    found = open_cosigned(answer.checkpoint, neighbours.charter, neighbours.node.home.office.bureau)
    assert (found.checkpoint.size, found.count) == (size, 1)
    assert answer.consistency


def test_a_copy_says_nothing_beyond_what_was_cosigned(neighbours: Neighbours) -> None:
    """Entries that are stored and not cosigned yet are in no answer, and the record alone says how far it goes."""
    witness = neighbours.witnesses[0]
    size = neighbours.witnessed(record(neighbours.node, 3).size)
    loop.run(witness.engine.unfollow())
    record(neighbours.node, 2)
    office, key = witness.home.office, witness.home.office.keys["witness"]
    shelf = Shelf(witness.home.store, key, f"{office.origin}/witness")
    copy = shelf.open(neighbours.node.home.office.bureau)
    history = copy.history()
    ledger = neighbours.node.sequencer.ledger
    commit = copy.build(history.extend(list(ledger.entries(size, size + 2))))
    copy.ledger.store.write(commit.batch)
    shelf.load([neighbours.node.home.office.bureau])
    held = shelf.at(neighbours.origin)
    assert held.ledger.state.size == size + 2
    assert (held.size, size_of(held.note)) == (size, size)
    neighbours.node.stop()
    witness.stop()
    witness.start()
    with grpc.insecure_channel(f"127.0.0.1:{witness.port}") as channel:
        beyond = ReadRequest(origin=neighbours.origin, first=size, end=size + 1, size=size + 2)
        refused(lambda: list(LedgerStub(channel).ReadEntries(beyond, timeout=WAIT_S)), NotFound)


def test_a_copy_is_watched_as_it_grows(neighbours: Neighbours, stub: LedgerStub) -> None:
    """What comes later is shown with the proof that it extends what was shown before, to watchers and who follows."""
    size = neighbours.witnessed(record(neighbours.node, 1).size)
    watching = stub.WatchCheckpoints(CheckpointRequest(origin=neighbours.origin, known_size=size), timeout=WAIT_S)
    following = stub.Find(FindRequest(origin=neighbours.origin, first=size, size=size, follow=True), timeout=WAIT_S)
    answer: CheckpointAnswer = next(watching)
    assert size_of(answer.checkpoint) == size
    later = neighbours.witnessed(record(neighbours.node, 2).size)
    while size_of(answer.checkpoint) < later:
        answer = next(watching)
        assert answer.consistency
    found = 0
    while found < later - size:
        found += len(next(following).entry)
    watching.cancel()
    following.cancel()


def test_what_is_no_copys_to_answer_is_refused(neighbours: Neighbours, stub: LedgerStub) -> None:
    """What opens commitments stays with the ledger's own node; a ledger nobody copied here is not found."""
    neighbours.witnessed(record(neighbours.node, 1).size)
    asked = OpeningsRequest(origin=neighbours.origin, field="data_used.subject", value=b"x", end=1)
    assert "a copy" in refused(lambda: list(stub.FindOpenings(asked, timeout=WAIT_S)), NotFound)
    nobody = CheckpointRequest(origin="pudong.example/nobody")
    assert "no ledger" in refused(lambda: stub.GetCheckpoint(nobody, timeout=WAIT_S), NotFound)


def test_a_copy_of_which_nothing_was_cosigned_is_not_there(neighbours: Neighbours) -> None:
    """An empty copy, and one that was damaged, are on no shelf, and keep no other off it."""
    witness = neighbours.witnesses[0]
    neighbours.witnessed(record(neighbours.node, 1).size)
    disk, key, name = witness.home.disk.reopened(), witness.home.office.keys["witness"], "pudong.example/x/witness"
    bureau = neighbours.node.home.office.bureau
    other = neighbours.witnesses[1].home.office.bureau
    damaged = Copy(disk, other, key, name)
    damaged.cosigning.note = b"junk"
    damaged.ledger.store.write(_record_of(damaged))
    shelf = Shelf(disk, key, name)
    shelf.load([other, bureau])
    assert shelf.at(bureau.origin).size
    with pytest.raises(NotFound):
        shelf.at(other.origin)


def test_who_waits_for_more_of_a_copy_is_let_go_at_the_end(neighbours: Neighbours) -> None:
    """A node that stops ends every wait for a copy to grow."""
    size = neighbours.witnessed(record(neighbours.node, 1).size)
    shelf = neighbours.witnesses[0].engine.shelf

    async def waits() -> None:
        waiting = asyncio.ensure_future(shelf.at(neighbours.origin).grown(size))
        await asyncio.sleep(0)
        shelf.refuse_more()
        with pytest.raises(Stopping):
            await asyncio.wait_for(waiting, WAIT_S)

    loop.run(waits())


def test_copies_are_read_on_after_the_database_was_opened_again(neighbours: Neighbours, stub: LedgerStub) -> None:
    """A write of the node's own that fails has the database closed and opened; its copies answer, and grow."""
    witness = neighbours.witnesses[0]
    size = neighbours.witnessed(record(neighbours.node, 1).size)
    before = bytes_of(questions(neighbours.origin, size)[3](stub))
    witness.home.fail_write("before")
    with pytest.raises(Exception, match="on purpose"):
        record(witness, 1)
    record(witness, 1)
    assert bytes_of(questions(neighbours.origin, size)[3](stub)) == before
    later = neighbours.witnessed(record(neighbours.node, 1).size)
    assert bytes_of(questions(neighbours.origin, later)[3](stub))


def _record_of(copy: Copy) -> Batch:
    batch = Batch()
    batch.put(COSIGNING, copy.cosigning.SerializeToString())
    return batch


def refused(call: Callable[[], Any], error: type[Exception]) -> str:
    """What a call is refused with, in the end."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    status = rpc_status.from_call(raised.value)
    assert status is not None
    detail = ErrorDetail()
    assert status.details[0].Unpack(detail)
    assert detail.name == error.__name__
    return detail.what
