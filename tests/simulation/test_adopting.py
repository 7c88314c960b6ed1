"""A version of the charter comes to every node, and is recorded when it may record, however long that takes."""

from __future__ import annotations

import asyncio

import pytest

from tallystick_node.adoption import last_adopted
from tests.simulation.adopting import Adopting
from tests.simulation.scenes import district, play


def test_a_node_that_waited_with_a_wrong_clock_adopts_all_the_same() -> None:
    """It is started under a version while its clock is an hour ahead, and may sign once that was put right."""
    bench = district(0)
    adopting = Adopting(bench)
    machine, *others = bench.machines.values()

    async def history() -> None:
        machine.clock.off_us = 3_600_000_000
        machine.adopt(adopting.sign({}, machine))
        machine.boot()
        await asyncio.sleep(2)  # of simulated time, as below
        machine.clock.off_us = 0
        for other in others:
            other.boot()
        await asyncio.sleep(30)
        assert machine.process is not None
        assert machine.process.writer is not None
        assert last_adopted(machine.process.writer.sequencer.ledger) == (2, machine.version.digest)

    play(bench, history())
    assert not bench.broken


@pytest.mark.parametrize("gone", ["put back", "starts no more"])
def test_a_version_that_only_one_held_who_cannot_tell_it_any_more_is_handed_out_again(gone: str) -> None:
    """Otherwise the holders' word is with nobody, and nobody goes by it in the end."""
    bench = district(0)
    adopting = Adopting(bench)
    first = next(iter(bench.machines.values()))

    async def history() -> None:
        for machine in bench.machines.values():
            machine.boot()
        await asyncio.sleep(5)  # of simulated time, as below
        before = first.disk.copy()
        adopting.sign({}, first)
        first.crash()
        if gone == "put back":
            first.disk = before
        else:
            first.refused = "it will not"
        for _ in range(60):
            await asyncio.sleep(1)  # an operator looks now and then
            adopting.look()

    play(bench, history())
    assert not bench.broken
    assert {machine.version.number for machine in bench.machines.values() if machine is not first} == {2}
