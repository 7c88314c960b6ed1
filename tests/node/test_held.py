"""A witness says what it holds of a ledger: what it cosigned last, what contradicts that, "none", or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tallystick.core.errors import NotFound, StoreDamaged
from tallystick_node.copies import COSIGNING, open_copy
from tallystick_node.peers import Peer
from tallystick_node.services.witness import WitnessService
from tallystick_node.shelf import Shelf
from tallystick_node.store.store import Batch
from tallystick_proto.v1.witness_pb2 import HeldAnswer, HeldRequest, ToCosign
from tests.harness import loop
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import Office
from tests.harness.witnesses import Witness, gathered, record, witnessed_home


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[list[Witness]]:
    """The two witnesses of a ledger, which do not follow it yet."""
    home, offices = witnessed_home(tmp_path, 2)
    with LyingNode(home) as node:
        made = [Witness(office, node) for office in offices]
        try:
            yield made
        finally:
            for witness in made:
                witness.stop()


def held(witness: Witness, origin: str = "") -> HeldAnswer:
    """What a witness answers from its disk, as after a restart."""
    shelf = Shelf(witness.disk.reopened(), witness.office.keys["witness"], f"{witness.office.origin}/witness")
    shelf.load([witness.ledger])
    heard = witness.node.engine.heard  # of the ledger's own node, which holds nothing of it that others told
    service = WitnessService(witness.office.bureau, witness.node.gathering, shelf, heard)
    return loop.run(service.GetHeld(HeldRequest(origin=origin or witness.ledger.origin), cast(Any, None)))


def test_what_was_cosigned_last_is_what_is_held(witnesses: list[Witness]) -> None:
    """None where nothing was cosigned; afterwards the newest note, with the cosignature that was given."""
    assert held(witnesses[0]) == HeldAnswer(none=True)
    for witness in witnesses:
        witness.start()
    for _ in range(2):
        assert gathered(witnesses[0].node, record(witnesses[0].node, 1).size) is not None
        for witness in witnesses:
            assert held(witness) == HeldAnswer(note=[witness.cosigned])


def test_what_contradicts_a_ledger_is_held_beside_it(witnesses: list[Witness]) -> None:
    """A witness that was shown two histories answers with both notes."""
    one, node = witnesses[0].start(), witnesses[0].node
    witnesses[1].start()
    checkpoint = record(node, 1)
    assert gathered(node, checkpoint.size) is not None
    fork = node.home.office.note(checkpoint.size, b"\7" * 32)
    node.lies["Cosign"] = lambda shown: [ToCosign(checkpoint=fork)]
    record(node, 1)
    one.ended()
    assert held(one) == HeldAnswer(note=[one.cosigned, fork])


def test_who_cannot_know_does_not_answer(witnesses: list[Witness]) -> None:
    """Asked of its own ledger, of a stranger's, or where its record is damaged, a node says so and not "none"."""
    witness = witnesses[0]
    for origin in (witness.office.origin, "pudong.example/nobody", "x"):
        with pytest.raises(NotFound):
            held(witness, origin)
    batch = Batch()
    batch.put(COSIGNING, b"\xff")
    open_copy(witness.disk, witness.ledger).store.write(batch)
    with pytest.raises(StoreDamaged):
        held(witness)


def test_a_peer_is_asked_over_the_wire(witnesses: list[Witness]) -> None:
    """A real node answers "none" of a ledger in its charter, and refuses one that is not."""
    node = witnesses[0].node

    async def ask(origin: str) -> HeldAnswer:
        async with Peer(node.bureau) as peer:
            return await peer.held(origin)

    assert loop.run(ask(witnesses[0].office.origin)) == HeldAnswer(none=True)
    with pytest.raises(NotFound):
        loop.run(ask("pudong.example/nobody"))


def test_what_others_told_is_held_too(tmp_path: Path) -> None:
    """A checkpoint that a witness heard of, and has not cosigned, is in its answer: the ledger's key signed it."""
    _, offices = witnessed_home(tmp_path, 2)
    office, other = offices
    office.others = (other.bureau, Office().bureau)
    (tmp_path / "witness").mkdir()
    heard = Office().note(9, b"\7" * 32)
    with LyingNode(Home(tmp_path / "witness", office)) as node:

        async def ask() -> HeldAnswer:
            await node.engine.heard.take([heard], (), other.bureau.id)
            async with Peer(node.bureau) as peer:
                return await peer.held(Office().origin)

        assert loop.run(ask()) == HeldAnswer(note=[heard])
