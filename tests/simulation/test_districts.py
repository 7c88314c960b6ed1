"""Districts larger than their circles of witnesses: a round costs no more there, and what is shown to one is known."""

from __future__ import annotations

import pytest

from tests.simulation.district import Cost, District
from tests.simulation.judges import PROVEN_ROUNDS_MAX
from tests.simulation.scenes import play

SMALLER, LARGER = 30, 45
MORE_MAX = 1.3
"""How much more a round may cost in a district half as large again, where a bureau follows as many ledgers."""


def costs(bureaus: int) -> tuple[Cost, Cost]:
    """Of a quiet round and of a busy one."""
    district = District(bureaus)

    async def history() -> tuple[Cost, Cost]:
        await district.start()
        await district.settle()
        await district.rounds(10, busy=False)
        quiet = await district.rounds(4, busy=False)
        await district.rounds(5, busy=True)
        return quiet, await district.rounds(3, busy=True)

    return play(district.bench, history())


def test_a_round_costs_no_more_in_a_larger_district() -> None:
    """Messages, bytes and signatures verified, for as many ledgers followed: in a quiet round, where nothing is news,
    and in one where every ledger has grown.
    """
    for smaller, larger in zip(costs(SMALLER), costs(LARGER), strict=True):
        assert larger.messages <= MORE_MAX * smaller.messages
        assert larger.size_bytes <= MORE_MAX * smaller.size_bytes
        assert larger.checks <= MORE_MAX * smaller.checks


@pytest.mark.parametrize("follows", [True, False])
def test_a_fork_of_which_one_node_was_shown_the_other_history_is_proven_everywhere(follows: bool) -> None:
    """Whether it follows that ledger or not: once it holds a checkpoint of it, within a few rounds."""
    district = District(SMALLER)
    charter = district.bench.world.charter
    witnesses = [each.id for each in charter.witnesses_of(charter.by_id(district.liar))]
    one = next(id for id in district.bench.machines if id != district.liar and (id in witnesses) == follows)

    async def history() -> float:
        await district.start()
        await district.settle()
        await district.fork([one])
        await district.tell(one)
        return await district.proven()

    assert play(district.bench, history()) <= PROVEN_ROUNDS_MAX
