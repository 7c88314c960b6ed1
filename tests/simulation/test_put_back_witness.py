"""A witness that starts is told by whoever is in reach what it cosigned, and held up by nobody who is not.

Seconds are the simulation's: nothing here waits.
"""

from __future__ import annotations

import asyncio

import pytest

from tallystick.core.equivocation import verify_equivocation
from tests.simulation.liars import SECOND
from tests.simulation.nodes import Machine
from tests.simulation.scenes import PLACE, district, play

LIAR, WITNESS, AWAY = (office.bureau.id for office in PLACE.offices[:3])


def cosigned(ledger: Machine, witness: str) -> tuple[int, int]:
    """How many entries of a ledger a witness has cosigned, and how many there are."""
    assert ledger.process is not None
    assert ledger.process.writer is not None
    engine = ledger.process.writer
    return engine.gathering.size_of(witness), engine.sequencer.published.state.size


@pytest.mark.parametrize("seed", range(3))
def test_a_witness_put_back_cosigns_no_second_history(seed: int) -> None:
    """The ledger's own node shows it another history and hides what it cosigned; the other witnesses say that before
    anything is cosigned, and evidence names none but the ledger's key.
    """
    bench = district(seed, LIAR)

    async def history() -> None:
        first, witness = bench.machines[LIAR], bench.machines[WITNESS]
        for machine in bench.machines.values():
            machine.boot()
        await asyncio.sleep(12)  # of simulated time, as below
        early, snapshot = first.disk.copy(), witness.disk.copy()
        bench.clients.record(LIAR, 1, 0)
        await asyncio.sleep(5)
        before, size = cosigned(first, WITNESS)
        assert before == size
        witness.crash()
        witness.put_back(snapshot)
        second = bench.place(Machine(bench, first.office, early, bench.chance("second"), SECOND))
        bench.shown[LIAR, WITNESS] = SECOND
        second.boot()
        await asyncio.sleep(1)
        bench.clients.record(LIAR, 2, 0, SECOND)
        await asyncio.sleep(1)
        witness.boot()
        await asyncio.sleep(20)
        again, size = cosigned(second, WITNESS)
        assert before > again < size
        for machine in bench.honest():
            assert machine.process is not None
            if evidence := machine.process.engine.proven.against(PLACE.charter.by_id(LIAR)):
                assert not verify_equivocation(evidence, PLACE.charter)[1].cosigners

    play(bench, history())
    assert not bench.broken


def test_a_witness_that_is_away_holds_up_no_other() -> None:
    """Who starts while another witness is down cosigns all the same, after a while."""
    bench = district(0)

    async def history() -> None:
        for machine in bench.machines.values():
            machine.boot()
        await asyncio.sleep(12)
        bench.machines[AWAY].crash()
        bench.machines[WITNESS].crash()
        bench.clients.record(LIAR, 1, 0)
        await asyncio.sleep(1)
        bench.machines[WITNESS].boot()
        await asyncio.sleep(20)
        done, size = cosigned(bench.machines[LIAR], WITNESS)
        assert done == size

    play(bench, history())
    assert not bench.broken
