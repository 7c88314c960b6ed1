"""What becomes of a simulated node that does not start."""

from __future__ import annotations

import asyncio

import pytest

from tallystick.core.errors import StorageFailed, StoreDamaged, TallystickError
from tests.simulation.misfortunes import Misfortunes
from tests.simulation.nodes import NodeProcess
from tests.simulation.scenes import PLACE, district, play

ONE = PLACE.offices[0].bureau.id


@pytest.mark.parametrize(
    ("error", "again"),
    [(StorageFailed("it failed once", where="disk"), True), (StoreDamaged("torn", where="disk"), False)],
)
def test_a_node_whose_disk_failed_once_as_it_started_is_started_again(
    error: TallystickError, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once that is sound; one whose database is damaged is not."""
    bench = district(0)
    machine = bench.machines[ONE]
    opened, failing = NodeProcess._open, [error]

    def fails(process: NodeProcess) -> None:
        if process.machine is machine and failing:
            raise failing.pop()
        opened(process)

    monkeypatch.setattr(NodeProcess, "_open", fails)

    async def history() -> None:
        for each in bench.machines.values():
            each.boot()
        await asyncio.sleep(5)  # of simulated time, as below
        assert machine.process is None
        Misfortunes(bench).mend()
        await asyncio.sleep(5)

    play(bench, history())
    assert (machine.refused == "") == again
    assert any("does not start" in str(line) for line in bench.told)
    assert sum("serves" in str(line) and ONE in str(line) for line in bench.told) == again
