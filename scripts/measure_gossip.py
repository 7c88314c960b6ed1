"""Measures what holding each other to account costs a bureau, as a district grows: a simulated one, as Markdown.

quiet        nothing is recorded: what swapping and following cost all the same
busy         every ledger grows by one statement a round
known after  rounds until every node knows of a new checkpoint, and until every node holds evidence of a fork

The nodes run their own code, over a network that loses nothing (`tests/simulation`). A round is what gossip calls one:
every node swaps with one other. Up to seven bureaus everybody witnesses everybody; beyond, each ledger has seven
witnesses. Messages and bytes are those of all calls, in either direction, divided by bureaus and rounds; signature
checks are those that nodes compute.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tallystick.core.charter import EVERYBODY_WITNESSES_MAX
from tallystick_node.gossip import INTERVAL_S
from tests.simulation.bench import Bench
from tests.simulation.clients import Clients
from tests.simulation.judges import Judges
from tests.simulation.liars import Liars
from tests.simulation.nodes import Machine
from tests.simulation.world import world

SIZES = (5, 50, 300)
_ROUNDS_MAX = 10
_ROUNDS_MIN = 2
_BUREAU_ROUNDS = 600
_SETTLE_MAX_S = 120.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one bureau's share of one round is."""

    messages: float
    size_bytes: float
    checks: float


class District:
    """A simulated district that is measured. Use within its `bench.playing`."""

    def __init__(self, bureaus: int, seed: int = 1) -> None:
        place = world(bureaus, 0 if bureaus <= EVERYBODY_WITNESSES_MAX else EVERYBODY_WITNESSES_MAX)
        self.bench = Bench(seed, place, [place.offices[0].bureau.id])
        self.judges = self.bench.judges = Judges(self.bench)
        self.clients = Clients(self.bench, self.judges)
        self.liars = Liars(self.bench, lies=False)
        for office, disk in zip(place.offices, place.disks, strict=True):
            rng = self.bench.chance(f"machine {office.bureau.id}")
            self.bench.place(Machine(self.bench, office, disk.copy(), rng))

    async def settle(self) -> None:
        """Wait until every node is at work and knows every ledger as it is."""
        for machine in self.bench.machines.values():
            machine.boot()
        ends = self.bench.loop.time() + _SETTLE_MAX_S
        while not self.known() and self.bench.loop.time() < ends:
            await asyncio.sleep(INTERVAL_S)

    def known(self) -> bool:
        """Whether every node holds the newest checkpoint of every ledger."""
        running = [machine.process for machine in self.bench.machines.values()]
        if not all(process is not None and process.at_work for process in running):
            return False
        at_work = [process.engine for process in running if process is not None]
        writers = [process.writer for process in running if process is not None]
        sizes = {each.who.bureau.origin: each.sequencer.published.state.size for each in writers if each is not None}
        return all(
            account.held is not None and account.held.size == sizes[origin]
            for engine in at_work
            for origin, account in engine.heard.accounts.items()
        )

    async def rounds(self, count: int, *, busy: bool) -> Cost:
        """What some rounds cost."""
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
        began = self.bench.loop.time()
        self.clients.record(next(iter(self.bench.faces)), 1, 0)
        await asyncio.sleep(INTERVAL_S / 4)
        while not self.known():
            await asyncio.sleep(INTERVAL_S / 4)
        return (self.bench.loop.time() - began) / INTERVAL_S

    async def fork(self) -> float:
        """Rounds until a fork of one ledger is proven everywhere, from when both histories were shown."""
        liar = next(iter(self.bench.liars))
        self.liars.fork()
        await asyncio.sleep(INTERVAL_S)
        for face in self.bench.faces[liar]:
            self.clients.record(liar, 1, 0, face)
        began = self.bench.loop.time()
        while not self.judges.proven_everywhere(liar):
            await asyncio.sleep(INTERVAL_S / 4)
        return (self.bench.loop.time() - began) / INTERVAL_S


def measure(bureaus: int) -> str:
    """A row of the table."""
    district = District(bureaus)
    rounds = max(_ROUNDS_MIN, min(_ROUNDS_MAX, _BUREAU_ROUNDS // bureaus))

    async def main() -> tuple[Cost, Cost, float, float]:
        await district.settle()
        quiet = await district.rounds(rounds, busy=False)
        news = await district.news()
        busy = await district.rounds(rounds, busy=True)
        await district.settle()
        return quiet, busy, news, await district.fork()

    gc.disable()
    with district.bench.playing():
        quiet, busy, news, fork = district.bench.loop.run(main())
    gc.enable()
    figures = " | ".join(
        f"{cost.messages:.1f} | {cost.size_bytes / 1_000:.1f} | {cost.checks:.0f}" for cost in (quiet, busy)
    )
    return f"| {bureaus} | {figures} | {news:.1f} | {fork:.1f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench gossip", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bureaus", type=int, nargs="+", default=SIZES, help="sizes of the district (%(default)s)")
    said = parser.parse_args(arguments)
    print(f"`scripts/bench gossip`, {date.today().isoformat()}. Shares of one bureau in one round.\n")
    print("| bureaus | messages, quiet | kB | checks | messages, busy | kB | checks | news after | proof after |")
    print("|---|---|---|---|---|---|---|---|---|")
    for bureaus in said.bureaus:
        print(measure(bureaus), flush=True)


if __name__ == "__main__":
    main()
