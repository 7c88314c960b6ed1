"""Recovery goes by what any of the witnesses shows."""

from __future__ import annotations

import asyncio

from tests.simulation.adopting import Adopting
from tests.simulation.recovering import Recovering
from tests.simulation.scenes import PLACE, district, play

FIRST, BEHIND, LOST = (office.bureau.id for office in PLACE.offices[:3])
_PROOF = "/tallystick.v1.Ledger/ProveConsistency"


def test_what_one_witness_does_not_show_another_does() -> None:
    """Of those who hold the most the first shows no proof that it extends what another witness holds; the next one is
    asked, and the ledger is recovered.
    """
    bench = district(0)
    recovering = Recovering(bench, Adopting(bench))
    first, behind, lost = (bench.machines[id] for id in (FIRST, BEHIND, LOST))

    async def history() -> None:
        for machine in bench.machines.values():
            machine.boot()
        await asyncio.sleep(12)  # of simulated time, as below
        behind.crash()
        bench.clients.record(LOST, 1, 0)
        await asyncio.sleep(5)
        bench.judges.look()
        recovering.lose(lost)
        behind.boot()
        assert first.process is not None
        del first.process.handlers[_PROOF]
        await asyncio.sleep(60)
        assert recovering.done == 1
        assert lost.process is not None
        assert lost.process.at_work

    play(bench, history())
    assert not bench.broken
