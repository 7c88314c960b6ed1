"""What a witnessed receipt waits for, counted: messages between nodes, and what is synced to disks."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tallystick.core.witnessing import open_cosigned
from tallystick.sdk.wire import Wire
from tallystick_node import witness as gathering_room
from tallystick_proto.v1.ledger_pb2 import Receipt, SubmitRequest
from tests.harness import loop
from tests.harness.lying_node import LyingNode
from tests.harness.witnesses import WAIT_S, Witness, record, witnessed_home

WITNESSES = 4


def all_cosigned(node: LyingNode, witness: Witness, size: int) -> None:
    """Wait until the node has heard every witness cosign a size, and there is nothing left to do."""
    charter, bureau = witness.charter, node.home.office.bureau

    async def heard() -> None:
        async with asyncio.timeout(WAIT_S):
            while True:
                found = [open_cosigned(note, charter, bureau) for note in node.gathering.newest]
                if [each.checkpoint.size for each in found] == [size] * WITNESSES:
                    return
                await asyncio.sleep(0.01)

    loop.run(heard())


def test_on_an_idle_cluster_a_witnessed_receipt_takes_two_round_trips_and_three_syncs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A witness is shown the checkpoint and asks for entries, once; it is given them and answers, once.

    What is synced one after the other: the ledger's batch, the note of what is signed, and a batch of each witness,
    these side by side.
    """
    monkeypatch.setattr(gathering_room, "_KEEP_BEHIND_S", 3_600.0)  # written behind: no receipt waits for it
    home, offices = witnessed_home(tmp_path, WITNESSES)
    with LyingNode(home) as node, closing(Wire(node.bureau)) as wire:
        witnesses = [Witness(office, node).start() for office in offices]
        try:
            size = record(node, 1).size
            all_cosigned(node, witnesses[0], size)
            shown: list[Any] = []
            given: list[Any] = []
            noted: list[int] = []
            note = home.signed.note

            def counted(size: int, root: bytes) -> None:
                noted.append(size)
                note(size, root)

            monkeypatch.setattr(home.signed, "note", counted)
            node.lies.update(Cosign=shown.append, ReadEntries=given.append)
            node.calls.clear()
            stores = [home.store, *(witness.store for witness in witnesses)]
            before = [store.writes for store in stores]
            submission = home.office.submission(home.office.declares(1))
            receipt = wire.submit(SubmitRequest(submission=submission, wait_witnessed_ms=int(WAIT_S * 1_000)))
            assert receipt.standing == Receipt.WITNESSED
            all_cosigned(node, witnesses[0], size + 1)
            assert [store.writes - was for store, was in zip(stores, before, strict=True)] == [1] * len(stores)
            assert noted == [size + 1]
            assert (len(shown), len(given)) == (WITNESSES, WITNESSES)
            assert sorted(node.calls) == ["ReadEntries"] * WITNESSES + ["Submit"]
        finally:
            for witness in witnesses:
                witness.stop()
