"""A ledger whose node is away is read from its witnesses' copies, believed no more than the node itself would be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import (
    Forked,
    NotFound,
    ProofFailed,
    Refused,
    RolledBack,
    Stopping,
    TallystickError,
    Unreachable,
)
from tallystick.core.evidence import verify_presence
from tallystick.core.kinds import TERM_FIELDS
from tallystick.sdk import sources
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.trust_store import TrustStore
from tallystick.sdk.wire import Wire
from tallystick.sdk.witnessing import refreshed, shown_cosigned
from tallystick_node import answers
from tallystick_proto.v1.ledger_pb2 import Bundle, CheckpointAnswer, PresenceAnswer
from tallystick_proto.v1.witness_pb2 import CosignedAnswer
from tests.harness import loop
from tests.harness.witnesses import WAIT_S, Neighbours, record

DECLARED = [(TERM_FIELDS["kind"], b"10")]


class Client:
    """Someone who reads the first node's ledger, and knows its witnesses."""

    def __init__(self, neighbours: Neighbours, folder: Path) -> None:
        self.neighbours = neighbours
        self.node = neighbours.node
        self.first, self.second = neighbours.witnesses
        self.trust = TrustStore(folder / "trust")
        witnesses = [witness.bureau for witness in neighbours.witnesses]
        self.reader = LedgerReader(Wire(self.node.bureau), self.trust, witnesses)

    def recorded(self, count: int) -> int:
        """The size after so many more entries, which every witness holds and cosigned."""
        return self.neighbours.witnessed(record(self.node, count).size)

    def accused(self) -> list[str]:
        """What this client keeps against anybody."""
        names = [path.name for path in self.trust.folder.iterdir()] if self.trust.folder.exists() else []
        return [name for name in names if "conflict" in name or "equivocation" in name]

    def asks(self) -> dict[str, Callable[[], Any]]:
        """Every way to read, each giving what it read."""
        reader = self.reader
        return {
            "entries": lambda: [shown.entry.raw for shown in reader.entries()],
            "raws": lambda: list(reader.raws(reader.refresh())),
            "entry": lambda: reader.entry(4).entry.raw,
            "find": lambda: [shown.entry.raw for shown in reader.find(DECLARED)],
            "newest": lambda: [shown.entry.raw for shown in reader.find(DECLARED, newest_first=True, limit=5)],
            "show": lambda: reader.show(4).entry.raw,
        }


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Neighbours(tmp_path) as neighbours:
        made = Client(neighbours, tmp_path)
        yield made
        made.reader.close()


def refuses(answer: Any) -> Any:
    raise Stopping("on its way out")


@pytest.mark.parametrize("ask", ["entries", "raws", "entry", "find", "newest", "show"])
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_a_ledger_whose_node_is_away_is_read_from_a_copy(client: Client, ask: str, known: bool) -> None:
    """The same entries, by whoever saw the ledger before and who did not; and the reader says whose copy it was."""
    client.recorded(9)
    before = client.asks()[ask]()
    assert client.reader.keeper == ""
    if not known:
        client.reader.close()
        client.trust.folder.rename(client.trust.folder.with_name("elsewhere"))
        client = Client(client.neighbours, client.trust.folder.parent)
    client.node.stop()
    assert client.asks()[ask]() == before
    assert client.reader.keeper == client.first.bureau.id
    assert all(shown.keeper == client.reader.keeper for shown in client.reader.entries())
    client.reader.close()


def test_an_evidence_file_from_a_copy_is_as_good(client: Client) -> None:
    """It verifies by the charter alone, as one from the ledger's own node does."""
    client.recorded(2)
    client.node.stop()
    proven = verify_presence(client.reader.prove(4), client.neighbours.charter)
    assert proven.reference == f"{client.node.bureau.id}#4"


@pytest.mark.parametrize("ask", ["entries", "raws", "find", "newest"])
def test_a_node_that_stops_in_the_middle_is_gone_on_from(
    client: Client, ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entry once and none left out, whoever showed which of them."""
    monkeypatch.setattr(answers, "READY_ENTRIES", 4)
    monkeypatch.setattr(answers, "_BUNDLE_BYTES", 1_000)
    client.recorded(20)
    before = client.asks()[ask]()
    told: list[Any] = []

    def stops(answer: Any) -> Any:
        told.append(answer)
        return refuses(answer) if len(told) > 2 else None

    for call in ("ReadEntries", "Find"):
        client.node.lies[call] = stops
    assert client.asks()[ask]() == before
    assert len(told) == 3
    assert client.reader.keeper == client.first.bureau.id


def test_a_copy_that_is_behind_is_passed_over_and_called_nothing(client: Client) -> None:
    """One that shows less than this client trusts is no rollback; the next is asked, and where all are behind, none
    serves.
    """
    client.recorded(1)
    loop.run(client.first.engine.unfollow())
    size = record(client.node, 2).size

    async def held() -> None:
        await client.second.engine.shelf.at(client.neighbours.origin).grown(size - 1)

    loop.run(held())
    assert client.reader.refresh().size == size
    client.node.stop()
    assert client.reader.refresh().size == size
    assert client.reader.keeper == client.second.bureau.id
    client.second.stop()
    with pytest.raises(Unreachable, match=f"of the {size} entries this client trusts") as raised:
        Client(client.neighbours, client.trust.folder.parent).reader.refresh()
    assert raised.value.where.startswith(client.node.bureau.id)
    assert client.accused() == []


def _other_entry(bundle: Bundle) -> None:
    bundle.entry[0] += b"\0"


def _no_path(answer: PresenceAnswer) -> None:
    del answer.inclusion[:]


def _no_author(answer: PresenceAnswer) -> None:
    answer.presence.authorship.signature.signature = bytes(64)


def _no_note(answer: CheckpointAnswer) -> None:
    answer.checkpoint = b"no note"


@pytest.mark.parametrize(
    ("ask", "call", "lie"),
    [
        ("entries", "ReadEntries", _other_entry),
        ("entries", "ReadEntries", lambda bundle: ()),
        ("raws", "ReadEntries", _other_entry),
        ("find", "Find", _other_entry),
        ("show", "ProvePresence", _no_path),
        ("show", "ProvePresence", _no_author),
        ("raws", "GetCheckpoint", _no_note),
        ("raws", "GetCheckpoint", lambda answer: CheckpointAnswer()),
        ("entry", "ReadEntries", refuses),
    ],
)
def test_a_witness_that_lies_is_passed_over_and_nobody_is_accused(
    client: Client, ask: str, call: str, lie: Callable[[Any], Any]
) -> None:
    """What proves nothing is refused, and the next copy is asked; where every copy lies, the node is out of reach."""
    client.recorded(9)
    before = client.asks()[ask]()
    client.node.stop()
    client.first.lies[call] = lie
    assert client.asks()[ask]() == before
    assert client.reader.keeper == client.second.bureau.id
    client.second.lies[call] = lie
    with pytest.raises(Unreachable, match="nor does a copy serve"):
        client.asks()[ask]()
    assert client.accused() == []


def test_a_copy_that_shows_no_proof_leaves_a_suspicion_and_the_next_is_asked(client: Client) -> None:
    """A larger checkpoint the ledger did sign, without its proof, is kept to be settled; reading goes on."""
    client.recorded(1)
    client.reader.refresh()
    size = client.recorded(3)
    client.node.stop()

    def unproven(answer: CheckpointAnswer) -> None:
        del answer.consistency[:]

    client.first.lies["GetCheckpoint"] = unproven
    assert client.reader.refresh().size == size
    assert client.reader.keeper == client.second.bureau.id
    assert client.accused() == []


def test_how_far_a_copy_is_witnessed_is_asked_of_every_witness(client: Client) -> None:
    """A quorum of them shows its own cosignatures; one that shows another's leaves it unwitnessed, and with one away it
    is not shown.
    """
    size, charter = client.recorded(3), client.neighbours.charter
    client.node.stop()
    checkpoint, witnessed = refreshed(client.reader, charter)
    assert (checkpoint.size, witnessed) == (size, size)
    alone: list[bytes] = []
    client.first.lies["GetCheckpoint"] = lambda answer: alone.append(answer.checkpoint)
    client.reader.refresh()
    client.second.lies["GetCheckpoint"] = lambda answer: CheckpointAnswer(checkpoint=alone[0])
    assert refreshed(client.reader, charter) == (checkpoint, 0)
    client.second.stop()
    assert refreshed(client.reader, charter) == (checkpoint, None)


def test_of_witnesses_that_came_to_different_sizes_the_quorums_counts(client: Client) -> None:
    """What all of a quorum hold is witnessed; what one of them holds beyond is not."""
    size = client.recorded(3)
    loop.run(client.second.engine.unfollow())
    more = record(client.node, 2).size

    async def held() -> None:
        await client.first.engine.shelf.at(client.neighbours.origin).grown(more - 1)

    loop.run(held())
    client.node.stop()
    checkpoint, witnessed = refreshed(client.reader, client.neighbours.charter)
    assert (checkpoint.size, witnessed) == (more, size)


@pytest.mark.parametrize("error", [Refused, Stopping], ids=["refused", "out of reach"])
def test_a_node_that_does_not_say_how_far_it_is_witnessed_is_not_spared_the_question(
    client: Client, error: type[TallystickError]
) -> None:
    """Its witnesses are asked instead: what they cosigned is witnessed, and what they did not is seen to be not."""
    size, charter = client.recorded(3), client.neighbours.charter

    def does_not_say(answer: CosignedAnswer) -> None:
        raise error("not today")

    client.node.lies["GetCosigned"] = does_not_say
    assert refreshed(client.reader, charter)[1] == size
    for witness in client.neighbours.witnesses:
        loop.run(witness.engine.unfollow())
    checkpoint, witnessed = record_more(client), shown_cosigned(client.reader, charter)
    assert checkpoint.size == size + 2
    assert witnessed is not None
    assert {each.checkpoint.size for each in witnessed} == {size}
    assert client.reader.keeper == ""
    client.second.stop()
    assert shown_cosigned(client.reader, charter) is None


def test_witnesses_are_asked_side_by_side(client: Client) -> None:
    """None is asked only after another has answered: here each answers once all are asked."""
    size, charter = client.recorded(3), client.neighbours.charter
    all_are_asked = asyncio.Barrier(len(client.neighbours.witnesses))

    async def once_all_are_asked() -> None:
        await all_are_asked.wait()

    def refuse(answer: CosignedAnswer) -> None:
        raise Refused("not today")

    client.node.lies["GetCosigned"] = refuse
    for witness in client.neighbours.witnesses:
        witness.lies["GetCheckpoint"] = lambda answer: once_all_are_asked()
    assert refreshed(client.reader, charter)[1] == size


def record_more(client: Client) -> Checkpoint:
    """Two more entries, and what the reader is shown of them."""
    record(client.node, 2)
    return client.reader.refresh()


def test_two_histories_are_proven_whoever_shows_the_second(client: Client) -> None:
    """A copy's checkpoint with another root, signed by the ledger's key, is evidence against that key alone."""
    size = client.recorded(3)
    client.reader.refresh()
    client.node.stop()
    note = client.node.home.office.note(size, b"\7" * 32)
    client.first.lies["GetCheckpoint"] = lambda answer: CheckpointAnswer(checkpoint=note)
    with pytest.raises(Forked):
        client.reader.refresh()
    assert [name.rpartition(".")[2] for name in client.accused()] == ["equivocation"]


def test_a_node_that_is_there_is_believed_or_not_and_no_copy_is_asked(client: Client) -> None:
    """What it answers wrongly is said of it, as ever; a refusal is its own."""
    client.recorded(3)
    client.node.lies["ReadEntries"] = _other_entry
    with pytest.raises(ProofFailed):
        client.reader.entry(4)
    with pytest.raises(NotFound):
        client.reader.entry(400)
    checkpoint = Checkpoint(client.neighbours.origin, 3, b"\7" * 32)
    note = client.node.home.office.note(checkpoint.size, checkpoint.root)
    client.node.lies["GetCheckpoint"] = lambda answer: CheckpointAnswer(checkpoint=note)
    with pytest.raises(RolledBack):
        client.reader.refresh()
    assert client.reader.keeper == ""
    assert "GetCheckpoint" not in client.first.calls


def test_a_node_that_is_back_is_asked_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at once, since it was away a moment ago; but after a while."""
    client.recorded(1)
    client.node.stop()
    client.reader.refresh()
    client.node.start()
    client.reader.refresh()
    assert client.reader.keeper == client.first.bureau.id
    monkeypatch.setattr(sources, "AWAY_S", 0.0)
    size = record(client.node, 1).size
    deadline = time.monotonic() + WAIT_S
    while client.reader.keeper and time.monotonic() < deadline:  # until its connection is tried again
        client.reader.refresh()
    assert client.reader.keeper == ""
    assert client.reader.refresh().size == size
