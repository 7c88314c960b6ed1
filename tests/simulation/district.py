"""A simulated district in which nothing goes wrong: what a round of gossip costs there, and how fast news travels.

The nodes run their own code, over a network that loses nothing. Up to seven bureaus everybody witnesses everybody;
beyond, each ledger has seven witnesses, drawn by chance. One bureau can be had to show two histories. All time is
simulated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.core.charter import EVERYBODY_WITNESSES_MAX
from tallystick_node.gossip import INTERVAL_S
from tallystick_node.signing import Published
from tests.simulation.bench import Bench
from tests.simulation.clients import Clients
from tests.simulation.judges import Judges
from tests.simulation.liars import SECOND, Liars
from tests.simulation.nodes import Machine, NodeProcess
from tests.simulation.world import world

_WAIT_MAX_S: Final = 600.0
"""No news takes so long."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one bureau's share of one round is: messages and bytes either way, and signatures that its node verifies."""

    messages: float
    size_bytes: float
    checks: float


class District:
    """Use within its `bench.playing`, which it may have to itself."""

    def __init__(self, bureaus: int) -> None:
        place = world(bureaus, 0 if bureaus <= EVERYBODY_WITNESSES_MAX else EVERYBODY_WITNESSES_MAX)
        self.bench = Bench(1, place, [place.offices[0].bureau.id])
        self.judges = self.bench.judges = Judges(self.bench)
        self.clients = self.bench.clients = Clients(self.bench, self.judges)
        self.liars = Liars(self.bench, lies=False)
        for office, disk in zip(place.offices, place.disks, strict=True):
            rng = self.bench.chance(f"machine {office.bureau.id}")
            self.bench.place(Machine(self.bench, office, disk.copy(), rng))

    @property
    def liar(self) -> str:
        """Who shows two histories once it is had to."""
        (liar,) = self.bench.liars
        return liar

    async def start(self) -> None:
        """Have every node at work."""
        for machine in self.bench.machines.values():
            machine.boot()
        await self.until(lambda: len(self._at_work()) == len(self.bench.machines))

    async def until(self, done: Callable[[], bool]) -> float:
        """Wait until something is so; how many rounds of gossip it took."""
        loop = self.bench.loop
        began = loop.time()
        while not done():
            assert loop.time() < began + _WAIT_MAX_S, f"not within {_WAIT_MAX_S:g} s"
            await asyncio.sleep(INTERVAL_S / 4)
        return (loop.time() - began) / INTERVAL_S

    async def settle(self) -> float:
        """Wait until every node holds the newest checkpoint of every ledger; how many rounds it took."""
        return await self.until(self._known)

    async def rounds(self, count: int, *, busy: bool) -> Cost:
        """What some rounds cost, in which every ledger grows by a statement each, or none does."""
        bench = self.bench
        bench.network.traffic.clear()
        bench.checks.clear()
        for _ in range(count):
            for bureau in bench.faces if busy else ():
                self.clients.record(bureau, 1, 0)
            await asyncio.sleep(INTERVAL_S)
        share = len(bench.machines) * count
        traffic = bench.network.traffic
        return Cost(traffic.messages.total() / share, traffic.size_bytes.total() / share, bench.checks.total() / share)

    async def news(self) -> float:
        """Rounds until a statement on one ledger is known everywhere."""
        size = self._published("").state.size
        self.clients.record(self.liar, 1, 0)
        return await self.until(lambda: self._published("").state.size > size and self._known())

    async def fork(self, side: Sequence[str] = ()) -> None:
        """One ledger has two histories from now on; a `side` is shown the second, drawn by chance if not given."""
        self.liars.fork(side)
        await asyncio.sleep(INTERVAL_S)
        for face in self.bench.faces[self.liar]:
            self.clients.record(self.liar, 1, 0, face)

    async def proven(self) -> float:
        """Rounds until every node holds evidence of it."""
        return await self.until(lambda: self.judges.proven_everywhere(self.liar))

    async def tell(self, bureau: str) -> None:
        """Have a node be told the newest checkpoint of the second history, once there are two, and look whether that
        proves anything.
        """
        await self.until(lambda: self._published("").state.root != self._published(SECOND).state.root)
        engine = self._process(self.bench.machines[bureau]).engine
        await engine.heard.take([self._published(SECOND).note], (), "somebody")
        await engine.gossip.settle()

    def _published(self, face: str) -> Published:
        writer = self._process(self.bench.faces[self.liar][face]).writer
        assert writer is not None
        return writer.sequencer.published

    def _known(self) -> bool:
        writers = [process.writer for process in self._at_work()]
        sizes = {each.who.bureau.origin: each.sequencer.published.state.size for each in writers if each is not None}
        return all(
            account.held is not None and account.held.size == sizes[origin]
            for process in self._at_work()
            for origin, account in process.engine.heard.accounts.items()
        )

    def _at_work(self) -> list[NodeProcess]:
        running = [machine.process for machine in self.bench.machines.values()]
        return [process for process in running if process is not None and process.at_work]

    @staticmethod
    def _process(machine: Machine) -> NodeProcess:
        assert machine.process is not None
        return machine.process
