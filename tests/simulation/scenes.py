"""Short histories that a test writes itself, step by step, in a district of five bureaus."""

from __future__ import annotations

import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.simulation.bench import Bench
from tests.simulation.clients import Clients
from tests.simulation.judges import Judges
from tests.simulation.nodes import Machine
from tests.simulation.world import world

Result = TypeVar("Result")

PLACE = world(5)


def district(seed: int, *liars: str) -> Bench:
    """Five bureaus, each with its node."""
    bench = Bench(seed, PLACE, liars)
    bench.judges = Judges(bench)
    bench.clients = Clients(bench, bench.judges)
    for office, disk in zip(PLACE.offices, PLACE.disks, strict=True):
        bench.place(Machine(bench, office, disk.copy(), bench.chance(office.bureau.id)))
    return bench


def play(bench: Bench, history: Coroutine[Any, Any, Result]) -> Result:
    """A history to its end, and what came of it."""
    gc.disable()
    try:
        with bench.playing():
            return bench.loop.run(history)
    finally:
        gc.enable()
