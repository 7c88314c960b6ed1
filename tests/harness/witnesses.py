"""Witnesses in this process: bureaus that follow the ledger of a `LyingNode`, each with a database of its own.

What a witness has durable outlives it: `start` again is what a restart finds.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from tallystick.core.charter import Bureau, Charter
from tallystick.core.charter_note import open_charter
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.cosignature import make_cosignature
from tallystick.core.errors import NotFound
from tallystick.core.note import add_signatures, parse_note
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node.charters import Charters
from tallystick_node.cluster.roster import credit_code
from tallystick_node.copies import Copy, open_copy, read_cosigning
from tallystick_node.doctor.copies import check_copy
from tallystick_node.following import Follower, Means
from tallystick_node.peers import Peer
from tallystick_node.proven import Proven
from tallystick_node.shelf import Shelf
from tallystick_node.store.memory import MemoryStore
from tallystick_node.witness import Cosigned
from tallystick_proto.v1.storage_pb2 import Cosigning
from tallystick_proto.v1.witness_pb2 import HeldAnswer
from tests.harness import loop
from tests.harness.faulty_store import FaultyStore
from tests.harness.home import Home
from tests.harness.lying_node import LyingNode
from tests.harness.office import NOW_US, Office

WAIT_S = 30.0
AT_S = NOW_US // 1_000_000


def witnessed_home(folder: Path, witnesses: int, now_us: int = NOW_US, *, listed: int = 0) -> tuple[Home, list[Office]]:
    """A founded ledger, and the offices that its charter lets witness it: all, or the first `listed` of them."""
    office = Office(now_us=now_us)
    offices = [Office(f"witness-{number}") for number in range(witnesses)]
    for number, other in enumerate(offices, 2):
        other.bureau = msgspec.structs.replace(other.bureau, credit_code=credit_code(number))
    office.others = tuple(other.bureau for other in offices)
    names = tuple(other.bureau.id for other in offices[:listed])
    office.bureau = msgspec.structs.replace(office.bureau, witnesses=names)
    return Home(folder, office), offices


class _HoldsNone:
    """Another witness, which has cosigned nothing yet."""

    async def __aenter__(self) -> _HoldsNone:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def held(self, origin: str) -> HeldAnswer:
        return HeldAnswer(none=True)


class Witness:
    """One witness of a node's ledger. `now_us` is its clock; `store` its database, which fails when told to."""

    def __init__(self, office: Office, node: LyingNode) -> None:
        self.office = office
        self.node = node
        self.now_us = NOW_US
        self.disk = MemoryStore()
        self.store = FaultyStore(self.disk)
        self._task: asyncio.Task[None] | None = None

    @property
    def charter(self) -> Charter:
        return open_charter(*self.node.home.office.charter())

    @property
    def ledger(self) -> Bureau:
        """The ledger it follows, where it is served."""
        return self.node.bureau

    def start(self) -> Witness:
        """Follow, from what the disk holds."""
        loop.run(self._start())
        return self

    def stop(self) -> None:
        """Leave off, as a node that stops or dies."""
        loop.run(self._stop())

    def ended(self) -> None:
        """Wait until it follows no more by itself."""
        loop.run(self._ended())

    async def _start(self) -> None:
        self.disk = self.disk.reopened()
        self.store = FaultyStore(self.disk)
        self._pool = ThreadPoolExecutor(max_workers=1)
        self.shelf = Shelf(self.store, self.office.keys["witness"], f"{self.office.origin}/witness")
        self.proven = Proven(self.charter, self.store)
        self.proven.load()
        home = self.node.home
        self.charters = Charters(HeardVersions(home.office.versions(), home.folder), None)
        means = Means(
            self.charter,
            self.office.bureau,
            self.shelf,
            lambda: self.now_us,
            self._pool,
            self._reach,
            random.Random(),
            self.proven,
            self.charters,
        )
        self._follower = Follower(self.ledger, means)
        self._task = asyncio.create_task(self._follower.run())

    def _reach(self, bureau: Bureau) -> Any:
        return Peer(bureau) if bureau.id == self.ledger.id else _HoldsNone()

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._follower.reminding.stop()
            self._pool.shutdown(wait=True)
            self.proven.stop()
            self.charters.stop()
        self._task = None

    async def _ended(self) -> None:
        assert self._task is not None
        await asyncio.wait_for(self._task, WAIT_S)

    # What its disk holds.

    @property
    def record(self) -> Cosigning:
        """What it cosigned."""
        return read_cosigning(open_copy(self.disk.reopened(), self.ledger))

    @property
    def cosigned(self) -> bytes:
        """The note it cosigned last, made again from its disk."""
        store = self.disk.reopened()
        return Copy(store, self.ledger, self.office.keys["witness"], f"{self.office.origin}/witness").cosigned

    @property
    def entries(self) -> list[bytes]:
        copy = open_copy(self.disk.reopened(), self.ledger)
        return list(copy.entries(0, copy.state.size))

    def check(self) -> None:
        """Its copy is sound."""
        report = check_copy(self.disk.reopened(), self.ledger)
        assert report.clean, "\n".join(map(str, report.differences))


def gathered(node: LyingNode, size: int, wait_s: float = WAIT_S) -> Cosigned | None:
    """What a quorum has cosigned, once it covers a size."""
    return loop.run(node.gathering.gather(size, wait_s))


def record(node: LyingNode, count: int) -> Checkpoint:
    """Record statements on the node's ledger, one submission each; the checkpoint then signed."""

    async def recording() -> None:
        office = node.home.office
        await asyncio.gather(
            *(node.sequencer.record(office.prepared([office.declare(f"W-{n}")])) for n in range(count))
        )

    loop.run(recording())
    state = node.sequencer.published.state
    return Checkpoint(node.home.office.origin, state.size, state.root)


def cosigned(note: bytes, witnesses: Sequence[Office]) -> bytes:
    """A note with the cosignatures of these witnesses, whatever they hold."""
    lines = [
        make_cosignature(text_of(note), AT_S, office.keys["witness"], f"{office.origin}/witness")
        for office in witnesses
    ]
    return add_signatures(note, *lines)


def hear(node: LyingNode, witnesses: Sequence[Office]) -> None:
    """The node hears that these witnesses have cosigned its newest checkpoint."""

    async def hearing() -> None:
        note = node.sequencer.published.note
        for office in witnesses:
            node.gathering.take(office.bureau.id, cosigned(note, [office]))

    loop.run(hearing())


def text_of(note: bytes) -> str:
    """The checkpoint a note shows, without who signed."""
    return parse_note(note).text


class Neighbours:
    """A ledger's node and two more that witness it, each a whole node; use as a context. Every ledger is checked."""

    def __init__(self, folder: Path, witnesses: int = 2) -> None:
        home, offices = witnessed_home(folder, witnesses)
        bureaus = [office.bureau for office in (home.office, *offices)]
        homes = [home]
        for office in offices:
            office.others = tuple(bureau for bureau in bureaus if bureau != office.bureau)
            (folder / office.bureau.id).mkdir()
            homes.append(Home(folder / office.bureau.id, office))
        self.origin = home.office.origin
        self._nodes = {home.office.bureau.id: LyingNode(home, reach=self._reach) for home in homes}
        self.node, *self.witnesses = self._nodes.values()

    @property
    def charter(self) -> Charter:
        """The first node's, with where each node listens."""
        charter = open_charter(*self.node.home.office.charter())
        bureaus = tuple(self._nodes[each.id].bureau for each in charter.bureau)
        return msgspec.structs.replace(charter, bureau=bureaus)

    def __enter__(self) -> Neighbours:
        for node in self._nodes.values():
            node.start()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self._nodes.values():
            node.stop()
        for node in self._nodes.values():
            assert not node.home.check().differences

    def witnessed(self, size: int) -> int:
        """Wait until all hold and cosigned a size of the first node's ledger."""

        async def held() -> None:
            for witness in self.witnesses:
                await _grown(witness, self.origin, size)

        loop.run(held())
        return size

    def _reach(self, bureau: Bureau) -> Peer:
        return Peer(self._nodes[bureau.id].bureau)


async def _grown(witness: LyingNode, origin: str, size: int) -> None:
    """Wait until a node's copy of a ledger reaches a size, from before there is one too."""
    async with asyncio.timeout(WAIT_S):
        while True:
            with suppress(NotFound):
                return await witness.engine.shelf.at(origin).grown(size - 1)
            await asyncio.sleep(0.01)
