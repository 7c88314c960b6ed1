"""One seeded history: a schedule of recordings and misfortunes, then calm, then the judges."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from tallystick.core.identifiers import uuid7
from tallystick_proto.v1.ledger_pb2 import Receipt, SubmitRequest
from tallystick_proto.v1.ledger_pb2_grpc import SubmitStub
from tests.harness.faulty_store import Fault
from tests.simulation.bench import Bench
from tests.simulation.disks import When
from tests.simulation.judges import Judges
from tests.simulation.network import FAIR, Host, Weather
from tests.simulation.nodes import Machine
from tests.simulation.world import EPOCH_US, world

TURMOIL_S: Final = 30.0
CALM_MAX_S: Final = 240.0
"""After this long without a misfortune everything is as it should be; mostly it is so at once."""

_LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of district: how many bureaus, and how many of them lie together."""

    name: str
    bureaus: int
    liars: int = 0


HONEST: Final = Kind("honest", 5)
KINDS: Final = {kind.name: kind for kind in (HONEST,)}


class History:
    """One history. `play` once."""

    def __init__(self, seed: int, kind: Kind = HONEST) -> None:
        self.seed = seed
        self.kind = kind
        place = world(kind.bureaus)
        self.bench = Bench(seed, place, [office.bureau.id for office in place.offices[: kind.liars]])
        self.judges = Judges(self.bench)
        self._rng = self.bench.chance("schedule")
        self._ids = self.bench.chance("ids")
        for office, disk in zip(place.offices, place.disks, strict=True):
            rng = self.bench.chance(f"machine {office.bureau.id}")
            self.bench.place(Machine(self.bench, office, disk.copy(), rng))

    def play(self) -> History:
        """To the end, whatever is broken on the way."""
        gc.disable()  # what is collected when depends on the process, and may run code
        try:
            with self.bench.playing():
                self.bench.loop.run(self._play())
                self.judges.disks()
        finally:
            gc.enable()
        return self

    def tally(self) -> Counter[str]:
        """What came of it, in numbers."""
        said = [each for many in self.judges.acknowledged.values() for each in many]
        return Counter(
            {
                "histories": 1,
                "submissions acknowledged": len(said),
                "of them witnessed": sum(each.witnessed for each in said),
                "crashes": sum(what.startswith("crashes") for _, _, what in self.bench.told),
            }
        )

    @property
    def broken(self) -> list[str]:
        return self.bench.broken

    async def _play(self) -> None:
        bench, rng = self.bench, self._rng
        for machine in bench.machines.values():
            machine.boot()
        bench.network.weather = rng.choice(_WEATHERS)
        for at_s, event in sorted(self._schedule(), key=lambda each: each[0]):
            bench.loop.call_at(at_s, event)
        await asyncio.sleep(TURMOIL_S)
        self._calm()
        ends = bench.loop.time() + CALM_MAX_S
        while bench.loop.time() < ends:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.judges.look()
            if self.judges.settled():
                break
        self.judges.end()

    def _calm(self) -> None:
        """No more misfortunes: everybody is up, and reaches everybody."""
        self.bench.say("history", "calm: no more misfortunes")
        self.bench.network.weather = FAIR
        self.bench.network.slow.clear()
        self.bench.network.heal()
        for machine in self.bench.machines.values():
            machine.crash_at = None
            machine.disk_delay_s = 0.002
            if machine.process is not None:
                machine.process.store.plan.clear()
            machine.boot()

    def _schedule(self) -> list[tuple[float, Callable[[], None]]]:
        rng = self._rng
        events: list[tuple[float, Callable[[], None]]] = []
        names = list(self.bench.machines)
        for _ in range(rng.randint(6, 16)):
            at_s, name, count = rng.uniform(0.5, TURMOIL_S), rng.choice(names), rng.randint(1, 3)
            wait_ms = rng.choice((0, 0, 3_000))
            events.append((at_s, partial(self._record, name, count, wait_ms)))
        for _ in range(rng.randint(0, 10)):
            at_s, machine = rng.uniform(0.0, TURMOIL_S), self.bench.machines[rng.choice(names)]
            misfortune = rng.choice(_MISFORTUNES)
            events.append((at_s, partial(misfortune, self, machine)))
        return events

    # Recording.

    def _record(self, name: str, count: int, wait_ms: int) -> None:
        machine = self.bench.machines[name]
        self.bench.loop.create_task(self._recording(machine, count, wait_ms))

    async def _recording(self, machine: Machine, count: int, wait_ms: int) -> None:
        bench, office = self.bench, machine.office
        client = Host(f"{office.bureau.id}:clerk")
        number = bench.loop.time()
        statements = [office.declare(f"R-{number:.6f}-{each}") for each in range(count)]
        at_us = EPOCH_US + int(bench.loop.time() * 1e6)
        submission = office.submission(statements, id=uuid7(at_us, self._ids.randbytes(10)))
        channel: Any = bench.network.channel(client, office.bureau.id)
        stub: Any = SubmitStub(channel)
        request = SubmitRequest(submission=submission, wait_witnessed_ms=wait_ms)
        for attempt in range(3):
            try:
                async with asyncio.timeout(10):
                    receipt = await stub.Submit(request)
            except (Exception, TimeoutError) as error:
                said = getattr(error, "details", lambda: "")() or type(error).__name__
                bench.say(client.id, f"is not answered, try {attempt + 1}: {said}")
                await asyncio.sleep(self._rng.uniform(0.5, 5.0))
                continue
            self.judges.receipt(machine, receipt)
            word = "witnessed" if receipt.standing == Receipt.WITNESSED else "recorded"
            bench.say(client.id, f"has #{receipt.first}..#{receipt.first + receipt.count - 1} {word}")
            return

    # Misfortunes.

    def _crash(self, machine: Machine) -> None:
        machine.crash()
        self._boot_later(machine)

    def _crash_at_a_step(self, machine: Machine) -> None:
        machine.crash_after(self._rng.randint(0, 4), self._rng.choice(("before", "after")))
        self._boot_later(machine)

    def _restart(self, machine: Machine) -> None:
        machine.halt()
        self._boot_later(machine)

    def _boot_later(self, machine: Machine) -> None:
        self.bench.loop.call_later(self._rng.uniform(0.1, 15.0), machine.boot)

    def _failing_write(self, machine: Machine) -> None:
        if machine.process is not None:
            store = machine.process.store
            number = store.writes + self._rng.randint(0, 2)
            when: When = self._rng.choice(("before", "after"))
            store.plan["write", number] = Fault("write", number, when)
            self.bench.say(machine.name, f"has a disk that will fail once, {when} it wrote")

    def _part(self, machine: Machine) -> None:
        names = list(self.bench.faces)
        side = self._rng.sample(names, self._rng.randint(1, len(names) // 2))
        self.bench.network.part(side)
        self.bench.say("network", f"cuts off {', '.join(side)}")
        self.bench.loop.call_later(self._rng.uniform(0.5, 20.0), self._heal)

    def _heal(self) -> None:
        self.bench.network.heal()
        self.bench.say("network", "everybody reaches everybody")

    def _break(self, machine: Machine) -> None:
        self.bench.network.break_all(machine.id)
        self.bench.say(machine.name, "loses every connection")

    def _slow(self, machine: Machine) -> None:
        self.bench.network.slow[machine.id] = self._rng.choice((20.0, 200.0))
        machine.disk_delay_s = self._rng.choice((0.002, 0.5))
        self.bench.say(machine.name, "is slow from now on")

    def _step_clock(self, machine: Machine) -> None:
        by_s = self._rng.choice((-3_600, -60, -1, 1, 60, 3_600))
        machine.clock.off_us += by_s * 1_000_000
        self.bench.say(machine.name, f"has its clock stepped by {by_s} s")


_MISFORTUNES: Final = (
    History._crash,
    History._crash_at_a_step,
    History._crash_at_a_step,
    History._restart,
    History._failing_write,
    History._part,
    History._break,
    History._slow,
    History._step_clock,
)

_WEATHERS: Final = (
    FAIR,
    Weather(delay_s=0.05, late=0.05),
    Weather(delay_s=0.02, late=0.05, lost=0.02, cut=0.02, twice=0.2),
    Weather(delay_s=0.3, late=0.02, cut=0.05, twice=0.1),
)
