"""What the judges of a history say where it never becomes calm."""

from __future__ import annotations

import asyncio

from tests.simulation.bench import Bench
from tests.simulation.remains import check_remains
from tests.simulation.scenes import PLACE, district, play

FIRST, SECOND, THIRD = (office.bureau.id for office in PLACE.offices[:3])


def judged(bench: Bench, *down: str) -> None:
    """A history in which these nodes are never started."""

    async def history() -> None:
        for machine in bench.machines.values():
            if machine.id not in down:
                machine.boot()
        for _ in range(20):
            await asyncio.sleep(1)  # of simulated time
            bench.judges.look(calm=True)
        bench.judges.end()

    play(bench, history())
    assert bench.judges.calm_at_s is None


def test_a_node_that_never_comes_to_work_is_named() -> None:
    """Also where no honest ledger is owed a quorum, two of its witnesses being put back."""
    bench = district(0)
    for id in (SECOND, THIRD):
        bench.machines[id].was_put_back = True
    judged(bench, FIRST)
    assert bench.broken == [f"{FIRST} is not at work in the end: it does not run"]


def test_who_waits_for_more_witnesses_than_are_honest_and_up_is_not() -> None:
    """Two of five lie by not answering: the others never sign."""
    bench = district(0, FIRST, SECOND)
    judged(bench, FIRST, SECOND)
    assert not bench.broken


def test_a_lost_disk_that_a_liar_keeps_from_being_recovered_is_not_called_unwitnessed() -> None:
    """Though its ledger has a quorum of honest witnesses; in an honest district its remains are what accuses."""
    for liars, said in (((FIRST,), []), ((), [f"{SECOND} was not recovered"])):
        bench = district(0, *liars)
        bench.machines[SECOND].lose()
        judged(bench, SECOND)
        assert not bench.broken
        check_remains(bench)
        assert bench.broken == said


def test_a_quorum_is_not_owed_where_a_lost_disk_would_have_to_be_of_it() -> None:
    """One of four witnesses lies, and keeps another from being recovered: the two others are none."""
    bench = district(0, FIRST)
    bench.machines[SECOND].lose()
    judged(bench, FIRST, SECOND)
    assert not bench.broken


def test_what_was_witnessed_may_be_with_nobody_where_as_many_as_a_quorum_lost_it() -> None:
    """Three of four witnesses are a quorum; of two that lost what they held there was a third."""
    for lost, said in ((2, [f"no honest witness holds what was witnessed of {FIRST} up to 5"]), (3, [])):
        bench = district(0)
        owner, *witnesses = bench.machines.values()
        owner.put_back_at = 3
        bench.judges.witnessed[FIRST] = {5: bytes(32)}
        for witness in witnesses[:lost]:
            witness.put_back_at_s = 1.0
        play(bench, asyncio.sleep(1))  # of simulated time
        check_remains(bench)
        assert bench.broken == said
