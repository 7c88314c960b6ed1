"""A witness asks the others what it cosigned itself, before it cosigns any more."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tallystick.core.charter import Bureau
from tallystick.core.charter_note import open_charter
from tallystick.core.cosignature import make_cosignature
from tallystick.core.note import add_signatures, parse_note
from tallystick_node.reminding import Reminding
from tallystick_node.shelf import Shelf
from tallystick_node.store.memory import MemoryStore
from tallystick_proto.v1.witness_pb2 import HeldAnswer
from tests.harness import loop
from tests.harness.asked_witnesses import until
from tests.harness.faulty_store import Fault, FaultyStore
from tests.harness.witnesses import AT_S, witnessed_home


class Answering:
    """A network in which every node shows the same notes."""

    def __init__(self, *notes: bytes) -> None:
        self.notes = notes
        self.asked = 0

    def __call__(self, bureau: Bureau) -> Any:
        return self

    async def __aenter__(self) -> Answering:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def held(self, origin: str) -> HeldAnswer:
        self.asked += 1
        return HeldAnswer(note=self.notes)


def test_what_cannot_be_held_against_the_record_now_is_asked_for_again(tmp_path: Path) -> None:
    """Where the disk fails at the moment of the answer, what reminds is not lost, whatever else is shown beside it."""
    home, (own, _) = witnessed_home(tmp_path, 2)
    ledger, key, name = home.office.bureau, own.keys["witness"], f"{own.origin}/witness"
    note = home.office.note(3, b"\1" * 32)
    cosigned = add_signatures(note, make_cosignature(parse_note(note).text, AT_S, key, name))
    store = FaultyStore(MemoryStore())
    shelf = Shelf(store, key, name)
    shelf.load([ledger])
    network = Answering(b"no note", note, cosigned)

    async def asked() -> None:
        reminding = Reminding(
            open_charter(*home.office.charter()), own.bureau, ledger, shelf, network, random.Random(0)
        )
        store.plan = {("read", store.reads): Fault("read", store.reads, "before")}
        reminding.start()
        await until(lambda: bool(shelf.reminder(ledger.origin)))
        await reminding.answered()
        await reminding.stop()

    loop.run(asked())
    assert shelf.reminder(ledger.origin) == cosigned
    assert network.asked == 2
