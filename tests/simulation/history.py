"""One seeded history: a schedule of recordings, misfortunes and lies, then calm, then the judges.

In some of them the last bureau is an observer, in some new versions of the charter come out, and in some an honest
bureau loses its disk, and is recovered. There no snapshot is put back.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from tallystick_node.gossip import INTERVAL_S
from tests.simulation.adopting import Adopting
from tests.simulation.audited import check_audit
from tests.simulation.bench import Bench
from tests.simulation.clients import Clients
from tests.simulation.judges import Judges
from tests.simulation.liars import SECOND, Liars
from tests.simulation.misfortunes import WEATHERS, Misfortunes
from tests.simulation.nodes import Machine
from tests.simulation.recovering import Recovering
from tests.simulation.remains import check_remains
from tests.simulation.world import world

TURMOIL_S: Final = 30.0
CALM_MAX_S: Final = 240.0
"""After this long without a misfortune everything is as it should be; mostly it is so at once."""

OBSERVER: Final = 0.3
VERSIONS: Final = 0.3
LOST: Final = 0.2
"""How many of the histories have an observer, new versions of the charter, and a disk that is lost."""

_LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of district: how many bureaus, and how many of them lie together."""

    name: str
    bureaus: int
    liars: int = 0


KINDS: Final = {
    kind.name: kind for kind in (Kind("honest", 5), Kind("one-of-five-lies", 5, 1), Kind("two-of-seven-lie", 7, 2))
}


class History:
    """One history. `play` once."""

    def __init__(self, seed: int, kind: Kind) -> None:
        self.seed = seed
        self.kind = kind
        drawn = random.Random(f"{seed}/drawn for {kind.name}")
        place = world(kind.bureaus, observer=drawn.random() < OBSERVER)
        self._versions = drawn.randint(1, 2) if drawn.random() < VERSIONS else 0
        self._loses = drawn.random() < LOST
        self.bench = Bench(seed, place, [office.bureau.id for office in place.offices[: kind.liars]])
        self.judges = self.bench.judges = Judges(self.bench)
        self._clients = self.bench.clients = Clients(self.bench, self.judges)
        self._misfortunes = Misfortunes(self.bench, put_back=not self._loses)
        self._liars = Liars(self.bench)
        self._adopting = Adopting(self.bench)
        self._recovering = Recovering(self.bench, self._adopting)
        for office, disk in zip(place.offices, place.disks, strict=True):
            rng = self.bench.chance(f"machine {office.bureau.id}")
            self.bench.place(Machine(self.bench, office, disk.copy(), rng))

    def play(self) -> History:
        """To the end, whatever is broken on the way."""
        gc.disable()  # what is collected when depends on the process, and may run code
        try:
            with self.bench.playing():
                self.bench.loop.run(self._play())
                check_remains(self.bench)
                check_audit(self.bench)
        finally:
            gc.enable()
        return self

    @property
    def broken(self) -> list[str]:
        return self.bench.broken

    async def _play(self) -> None:
        bench = self.bench
        for machine in bench.machines.values():
            machine.boot()
        for at_s, event in sorted(self._schedule(), key=lambda each: each[0]):
            bench.loop.call_at(at_s, event)
        ends = bench.loop.time() + TURMOIL_S
        while bench.loop.time() < ends:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.judges.look()
            self._adopting.look()
        self._misfortunes.calm()
        ends = bench.loop.time() + CALM_MAX_S
        while bench.loop.time() < ends:
            await asyncio.sleep(_LOOK_EVERY_S)
            self._adopting.look()
            self._misfortunes.mend()
            self.judges.look(calm=True)
            if self.judges.settled():
                break
        self.judges.end()

    def _schedule(self) -> list[tuple[float, Callable[[], None]]]:
        rng = self.bench.chance("schedule")
        self.bench.network.becomes(rng.choice(WEATHERS))
        events: list[tuple[float, Callable[[], None]]] = []
        names, ledgers = list(self.bench.machines), [each.id for each in self.bench.charter.ledgers]
        for _ in range(rng.randint(6, 14)):
            record = partial(self._clients.record, rng.choice(ledgers), rng.randint(1, 3), rng.choice((0, 0, 3_000)))
            events.append((rng.uniform(0.5, TURMOIL_S), record))
        for _ in range(rng.randint(0, 10)):
            machine = self.bench.machines[rng.choice(names)]
            events.append((rng.uniform(0.0, TURMOIL_S), partial(self._misfortunes.strike, machine)))
        if self.kind.liars and rng.random() < 0.8:
            forks_at_s = rng.uniform(2.0, TURMOIL_S - 5)
            events.append((rng.uniform(1.0, forks_at_s), self._liars.remember))
            events.append((forks_at_s, self._liars.fork))
            if rng.random() < 0.3:
                events += self._forgetting(
                    rng.choice([each for each in names if each not in self.bench.liars]), forks_at_s
                )
            for liar in sorted(self.bench.liars):
                for face in ("", SECOND):
                    record = partial(self._clients.record, liar, rng.randint(1, 3), 0, face)
                    events.append((rng.uniform(forks_at_s + 0.1, TURMOIL_S), record))
        for _ in range(self._versions):
            events.append((rng.uniform(1.0, TURMOIL_S), self._adopting.publish))
        if self._loses:
            lost = self.bench.chance("lost disks")
            machine = self.bench.machines[lost.choice([each for each in ledgers if each not in self.bench.liars])]
            events.append((lost.uniform(5.0, TURMOIL_S), partial(self._recovering.lose, machine)))
        return events

    def _forgetting(self, witness: str, forks_at_s: float) -> list[tuple[float, Callable[[], None]]]:
        """A witness is put back to before a fork, of which it cosigned one history by then."""
        machine, record, liars = self.bench.machines[witness], self._clients.record, sorted(self.bench.liars)
        return [
            (forks_at_s - 0.1, partial(self._misfortunes.snapshot_and_restore, machine, 4.0)),
            *((forks_at_s + 0.1, partial(record, liar, 1, 0)) for liar in liars),
            *((forks_at_s + 0.1, partial(record, liar, 2, 0, SECOND)) for liar in liars),
        ]

    def tally(self) -> Counter[str]:
        """What came of it, in numbers."""
        judges, bench = self.judges, self.bench
        said = [each for many in judges.acknowledged.values() for each in many]
        honest = bench.honest()
        from_calm = [judges.rounds_from_calm(liar) for liar in judges.proven_at_s]
        rounds = [(judges.proven_at_s[liar] - judges.provable_at_s[liar]) / INTERVAL_S for liar in judges.proven_at_s]
        return Counter(
            {
                "histories": 1,
                "never calm": judges.calm_at_s is None,
                "submissions acknowledged": len(said),
                "of them witnessed": sum(each.witnessed for each in said),
                "with an observer": len(bench.charter.ledgers) < len(bench.charter.bureau),
                "versions of the charter published": len(bench.versions) - 1,
                "versions adopted by honest nodes": sum(len(each.disk.versions) - 1 for each in honest),
                "lost disks recovered": self._recovering.done,
                "lost disks that liars kept from it": sum(machine.lost for machine in honest),
                "crashes": sum(what.startswith("crashes") for _, _, what in bench.told),
                "forks": sum(len(faces) > 1 for faces in bench.faces.values()),
                "forks that could be proven": len(judges.provable_at_s),
                "forks proven everywhere": len(judges.proven_at_s),
                "of them within 5 rounds of gossip": sum(each <= 5 for each in rounds),
                "of them within 15": sum(each <= 15 for each in rounds),
                "of them within 5 of calm": sum(each is not None and each <= 5 for each in from_calm),
                "witnesses named that were put back": len(judges.put_back.named),
                "unreconciled in the end": len(judges.unreconciled),
                "honest bureaus accused": sum("accuses" in what for what in bench.broken),
                "snapshots put back": sum(machine.was_put_back for machine in honest),
                "of them behind what was signed": sum(machine.put_back_at is not None for machine in honest),
                "of these noticed": len(judges.noticed),
                "of these two writers": sum(machine.two_writers for machine in honest),
            }
        )
