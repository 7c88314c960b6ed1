"""Everything a history is played on: the loop, the network, the machines, what was said and done, and what must hold.

What must hold at every step is checked where it would be broken: what a node writes down reaches the judges at each
write, and what its log calls a bug reaches `logged`.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import structlog

from tallystick.core.charter import Charter
from tests.simulation.network import Host, Network
from tests.simulation.nodes import Lie, Machine, NodeProcess
from tests.simulation.signing import counted
from tests.simulation.virtual_loop import VirtualLoop, running
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.clients import Clients
    from tests.simulation.judges import Judges

_LOUD: Final = ("warning", "error", "critical")


class Bench:
    """One district. `liars` are the bureaus whose nodes may do what they like; use within `playing`."""

    def __init__(self, seed: int, world: World, liars: Sequence[str] = ()) -> None:
        self.seed = seed
        self.world = world
        self.versions = [world.version]
        """The versions of the charter that were published."""
        self.liars = frozenset(liars)
        self.loop = VirtualLoop()
        self.checks: Counter[str] = Counter()
        self.network = Network(self.chance("network"), self._route)
        self.machines: dict[str, Machine] = {}
        self.faces: dict[str, dict[str, Machine]] = {}
        self.shown: dict[tuple[str, str], str] = {}
        """Which face of a liar another sees, by (liar, the other's id); the first where none is said."""
        self.lie: Lie | None = None
        self.judges: Judges
        self.clients: Clients
        self.told: list[tuple[float, str, str]] = []
        """What happened: when, to whom, what."""
        self.broken: list[str] = []

    def chance(self, what: str) -> random.Random:
        """A source of chance of its own for each thing, so that a change to one leaves the others as they were."""
        return random.Random(f"{self.seed}/{what}")

    @property
    def charter(self) -> Charter:
        """The newest version of the charter."""
        return self.versions[-1].charter

    def place(self, machine: Machine) -> Machine:
        """A machine joins; the first of a bureau is the one that others reach."""
        self.machines[machine.name] = machine
        self.faces.setdefault(machine.id, {})[machine.face] = machine
        return machine

    def honest(self) -> list[Machine]:
        return [machine for machine in self.machines.values() if machine.honest]

    # What happens.

    def say(self, who: str, what: str) -> None:
        self.told.append((self.loop.time(), who, what))

    def fail(self, what: str) -> None:
        """Something that must hold does not."""
        self.say("judge", what)
        self.broken.append(what)

    def logged(self, logger: object, level: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """A line of a node's log."""
        process = running.get()
        if isinstance(process, NodeProcess) and process.alive:
            error = event.pop("exc_info", None)
            said = " ".join(f"{key}={value}" for key, value in sorted(event.items()) if key != "event")
            if level in _LOUD:
                self.say(process.machine.name, f"log: {event['event']} {said}".rstrip())
            if error and process.machine.honest:
                self.fail(f"a bug in {process.machine.name}: {event['event']} {said} {error!r}")
        raise structlog.DropEvent

    def _route(self, caller: Host, to: str) -> Host | None:
        """Which process answers for a bureau: of a liar's faces, the one that the caller is to see."""
        faces = self.faces.get(to)
        if faces is None:
            return None
        asking = caller.machine if isinstance(caller, NodeProcess) else None
        if asking is None or asking.honest:
            machine = faces[self.shown.get((to, caller.id), "")]
        elif to in self.liars:
            machine = faces.get(asking.face, faces[""])
        elif self.shown.get((asking.id, to), "") == asking.face:
            machine = faces[""]
        else:
            return None  # who is shown another face is not to know of this one
        return machine.process

    # The whole.

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Within, nothing depends on anything but the seed: chance, logs and signatures are the history's own."""
        chance = self.chance("secrets")
        processors = structlog.get_config()["processors"]
        before = list(processors)
        with ExitStack() as within:
            within.enter_context(counted(self.checks))
            within.enter_context(mock.patch.object(secrets, "token_bytes", chance.randbytes))
            self.loop.set_exception_handler(self._unhandled)
            processors[:] = [self.logged]
            try:
                yield
            finally:
                self.loop.run(self._end())
                self.loop.close()
                processors[:] = before

    async def _end(self) -> None:
        for machine in self.machines.values():
            if machine.process is not None:
                machine.process.die("")
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _unhandled(self, loop: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        process = running.get()
        if isinstance(error, Exception) and (process is None or process.alive):
            self.fail(f"nobody handled {error!r}: {context.get('message')}")

    def trace(self) -> str:
        """The history as text, a line for each thing that happened."""
        return "".join(f"{at_s:9.3f}  {who:12}  {what}\n" for at_s, who, what in self.told)

    def digest(self) -> str:
        """What tells two histories apart: everything that happened, and every byte on every disk."""
        seen = sha256(self.trace().encode())
        for machine in self.machines.values():
            for key, value in machine.disk.store.range(b"", None):
                seen.update(len(key).to_bytes(4, "big") + key + len(value).to_bytes(4, "big") + value)
        return seen.hexdigest()
