"""A bureau's node in a simulation: a machine with a disk and a clock, and the process on it, which comes and goes.

The process runs the node's own `Engine`, or an observer's `Observer`. It dies between any two steps, or right before or
after one that is durable; then its tasks end, its calls break, and nothing it still wanted to write is written.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tallystick.core.bureau import Bureau
from tallystick.core.charter_chain import Version
from tallystick.core.errors import StorageFailed, TallystickError
from tallystick.core.evidence import actors_of
from tallystick.core.keys import SigningKey
from tallystick_node import observer
from tallystick_node.adoption import adoption_due, check_floor
from tallystick_node.disclosures import Disclosures
from tallystick_node.engine import Engine, Who
from tallystick_node.ledger import Ledger, check_against_signed
from tallystick_node.sequencer import Sequencer
from tallystick_node.store.memory import MemoryStore
from tallystick_node.store.store import Batch
from tests.harness.faulty_store import FaultyStore
from tests.harness.office import Office
from tests.simulation.disks import Disk, Heard, When
from tests.simulation.network import Host, handlers_of
from tests.simulation.virtual_loop import Crashed, running
from tests.simulation.world import EPOCH_US

if TYPE_CHECKING:
    from tests.simulation.bench import Bench

DISK_DELAY_S: Final = 0.002
"""What a write takes, more or less."""

_LINGER_S: Final = 0.002
_QUEUE_BYTES_MAX: Final = 1 << 26


@dataclass(slots=True)
class Clock:
    """A machine's clock: off by so much, and ahead by so much more every second."""

    off_us: int = 0
    drift: float = 0.0

    def now_us(self, at_s: float) -> int:
        return EPOCH_US + int(at_s * 1e6 * (1 + self.drift)) + self.off_us


class Machine:
    """Where a bureau's node runs. `face` tells several machines of one bureau apart, where it lies."""

    def __init__(self, bench: Bench, office: Office, disk: Disk, rng: random.Random, face: str = "") -> None:
        self.bench = bench
        self.office = office
        self.disk = disk
        self.face = face
        self.clock = Clock()
        self.rng = rng
        self.disk_delay_s = DISK_DELAY_S
        self.durable_steps = 0
        self.crash_at: tuple[int, When] | None = None
        self.process: NodeProcess | None = None
        self.refused = ""
        """Why the node did not start, where it did not."""
        self.signed = disk.slot.size
        """How many entries its ledger's key signed for at most, whatever the disk holds now."""
        self.was_put_back = False
        """Whether its disk is a snapshot of what it was: as a witness it may have forgotten what it cosigned."""
        self.put_back_at_s = -math.inf
        """When that was last, or when the disk was lost."""
        self.put_back_at: int | None = None
        """How many entries the snapshot held, where it lacked some that were signed for."""
        self.lost = False
        """Whether its disk is gone, and it is not recovered yet."""
        self.two_writers = False
        """Whether it signed on from such a snapshot: then its key has signed two histories."""

    @property
    def id(self) -> str:
        return self.office.bureau.id

    @property
    def name(self) -> str:
        return f"{self.id}/{self.face}" if self.face else self.id

    @property
    def version(self) -> Version:
        """The version of the charter that its node goes by, at its next start if not now."""
        return self.disk.versions[-1]

    @property
    def bureau(self) -> Bureau:
        """Its bureau as that version has it."""
        return self.version.charter.by_id(self.id)

    @property
    def honest(self) -> bool:
        return self.id not in self.bench.liars

    def now_us(self) -> int:
        return self.clock.now_us(self.bench.loop.time())

    def boot(self) -> None:
        """Start the node, unless it runs; it goes on from what the disk holds."""
        if self.process is None and not self.lost:
            self.refused = ""
            self.process = NodeProcess(self)
            self.process.run(self.process.start())

    def adopt(self, version: Version) -> bool:
        """Have the stopped node go by a version from its next start on, if its ledger is as that pins it."""
        bureau = version.charter.by_id(self.id)
        if not bureau.is_observer:
            try:
                check_floor(Ledger.open(self.disk.store.reopened(), bureau.origin), bureau, "charter")
            except TallystickError as error:
                self.bench.say(self.name, f"does not adopt version {version.number}: {error}")
                return False
        self.disk.versions += (version,)
        self.bench.say(self.name, f"adopts version {version.number} of the charter")
        return True

    def crash(self) -> None:
        """The process dies where it is."""
        if self.process is not None:
            self.process.die("crashes")

    def halt(self) -> None:
        """Stop the node as an operator does."""
        if self.process is not None:
            self.process.run(self.process.stop())

    def put_back(self, snapshot: Disk) -> None:
        """The disk holds again what it held; the process must be gone."""
        # What was durable and not noted yet is signed, the same, as soon as the node has started.
        lacks = max(0, self.signed - snapshot.entries)
        self.bench.say(self.name, f"has its snapshot put back, which lacks {lacks} entries it signed for")
        self.disk = snapshot.copy()
        self.was_put_back = True
        self.put_back_at_s = self.bench.loop.time()
        if lacks:
            self.put_back_at = snapshot.entries

    def lose(self) -> None:
        """The machine is gone with all that was on it."""
        self.crash()
        self.lost = True
        self.put_back_at_s = self.bench.loop.time()
        self.bench.say(self.name, "loses its disk")

    def replace(self, disk: Disk, keys: Mapping[str, SigningKey]) -> None:
        """Another machine takes its place, with what was rebuilt, and new keys."""
        self.lost = False
        self.disk = disk
        self.signed = disk.slot.size
        self.office = copy(self.office)
        self.office.keys = {**self.office.keys, **keys}

    def noted(self, size: int) -> None:
        """The note of what is signed next is durable."""
        self.signed = max(self.signed, size)
        if self.put_back_at is not None and size > self.put_back_at and not self.two_writers:
            self.two_writers = True
            self.bench.say(self.name, "signs another history than before: two writers under one key")
            self.bench.judges.two_writers(self)

    def crash_after(self, steps: int, when: When) -> None:
        """Die right before or after a durable step to come, counted from 0."""
        self.crash_at = self.durable_steps + steps + 1, when


class NodeProcess(Host):
    """One run of a bureau's node, from its start to its end."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.id)
        self.machine = machine
        self.alive = True
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.context.run(running.set, self)
        self.store = FaultyStore(MemoryStore())
        self.serves_from_s = 0.0
        self.at_work = False
        """Whether it has begun to write and to follow."""
        self.engine: observer.Observer

    @property
    def writer(self) -> Engine | None:
        """What writes its ledger; None of an observer."""
        return self.engine if isinstance(self.engine, Engine) else None

    def disk_delay_s(self) -> float:
        return self.machine.disk_delay_s * self.machine.rng.uniform(0.5, 2.0)

    def run(self, work: Any) -> None:
        """Do something as this process."""
        asyncio.get_running_loop().create_task(work, context=self.context.copy())

    def says(self, path: str, message: Any) -> Iterable[Any]:
        bench = self.machine.bench
        return (message,) if self.machine.honest or bench.lie is None else bench.lie(self, path, message)

    async def start(self) -> None:
        """As a node starts: opened, checked against what was signed, served."""
        machine, bench = self.machine, self.machine.bench
        try:
            self._open()
            await self.engine.start()
            self.handlers = await handlers_of(servicers(self.engine))
            self.serves_from_s = bench.loop.time()
            if machine.was_put_back:
                bench.judges.put_back.serves(machine)
            held = f"{self.writer.sequencer.ledger.state.size} entries" if self.writer else "what it holds of others"
            bench.say(machine.name, f"serves {held}")
            await self.engine.begin()
            self.at_work = True
        except TallystickError as error:
            # Whose disk failed once is started again when it is sound; whatever else keeps it from starting stays so.
            machine.refused = "" if type(error) is StorageFailed else str(error)
            bench.say(machine.name, f"does not start: {error}")
            self.die("")
            return
        if self.writer:
            bench.say(machine.name, f"records after {self.writer.sequencer.published.state.size} entries")

    def _open(self) -> None:
        machine = self.machine
        version, bureau, keys = machine.version, machine.bureau, machine.office.keys
        self.store = self._opened()
        keeps = partial(self._step, what="it keeps a version of the charter")
        reach, versions = machine.bench.network.reach(self), Heard(machine.disk, keeps)
        if bureau.is_observer:
            rng = random.Random(machine.rng.getrandbits(64))
            onlooker = observer.Who(versions, bureau, keys["witness"], machine.now_us, reach, rng)
            self.engine = observer.Observer(onlooker, self.store)
            return
        signed = machine.disk.noted(self._step)
        ledger = Ledger.open(self.store, bureau.origin)
        check_against_signed(ledger, signed)
        check_floor(ledger, bureau, "charter")
        due = adoption_due(ledger, keys["node"], version.charter, version.digest, bureau)
        sequencer = Sequencer(
            ledger,
            signed,
            keys["node"],
            actors_of(bureau),
            Disclosures(bureau.origin, keys["disclosure"], machine.rng),
            now_us=machine.now_us,
            reopen=self._opened,
            linger_s=_LINGER_S,
            queue_bytes_max=_QUEUE_BYTES_MAX,
            expires_us=version.charter.expires_us,
            state=bureau.state,
        )
        rng = random.Random(machine.rng.getrandbits(64))
        who = Who(versions, bureau, keys["witness"], machine.now_us, reach, rng, keys["node"])
        self.engine = Engine(who, sequencer, due)
        if not machine.honest:
            self._unbind()

    def _unbind(self) -> None:
        """Take from a liar's node what would keep it from lying: it never stops, and asks nobody before it signs."""
        engine: Any = self.engine
        engine.sequencer.stop_writing = lambda why: None
        engine.asking.needed = 0

    def _opened(self) -> FaultyStore:
        self.store = FaultyStore(self.machine.disk.opened(), around=self._step)
        return self.store

    async def stop(self) -> None:
        """As a node stops."""
        if self.handlers:
            await self.engine.unfollow()
            self.engine.refuse_more()
            await asyncio.sleep(0.01)
            self.handlers = {}
            await self.engine.stop()
            self.die("stops")

    def die(self, how: str) -> None:
        """End: no task of it goes on, no call, no write."""
        if not self.alive:
            return
        if how:
            self.machine.bench.say(self.machine.name, how)
        self.alive = False
        self.handlers = {}
        self.machine.process = None
        self.machine.bench.network.gone(self)
        for task in list(self.tasks):
            task.cancel()

    def _step(self, when: When, batch: Batch | None = None, what: str = "it notes what it will sign") -> None:
        """Something becomes durable, or has."""
        machine = self.machine
        if not self.alive:
            raise Crashed
        if when == "before":
            machine.durable_steps += 1
        elif batch is not None:
            machine.bench.judges.written(machine, batch)
        else:
            machine.noted(machine.disk.slot.size)
        if machine.crash_at == (machine.durable_steps, when):
            machine.crash_at = None
            self.die(f"crashes right {when} {what if batch is None else 'it writes'}")
            raise Crashed


def servicers(engine: observer.Observer) -> list[Any]:
    """The services that an engine offers."""
    return [
        piece
        for piece in vars(engine).values()
        if any(base.__name__.endswith("Servicer") for base in type(piece).__mro__)
    ]


Lie = Callable[[NodeProcess, str, Any], Iterable[Any]]
"""What a node sends in place of a message of a call, which goes by its path."""
