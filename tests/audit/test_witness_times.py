"""What is kept of an audit's witness times: who waits for a bound, and nothing of what was answered or witnessed."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.audit.questions.owed import owed_json
from tests.harness.cosigned import witnessed
from tests.harness.district import District
from tests.harness.lawful import END, World
from tests.harness.stories import requested
from tests.harness.stories_of_office import STORIES


@pytest.mark.parametrize("seed", range(8))
def test_only_what_is_owed_waits_for_bounds(seed: int) -> None:
    """However much was said and answered, by the end nobody waits but those that are still owed an answer."""
    district = World(Random(seed), bureaus=5).play(STORIES * 3)
    _, seen, _ = district.look(END)
    owed = {owed.opening for owed in seen.obligations.open()}
    times = seen.witness_times
    unserved = [each for by_addressee in times._unserved.values() for each in by_addressee.values()]
    for waiting in (*(ledger.waiting for ledger in times._ledgers.values()), *unserved):
        assert set(waiting) <= owed


def test_what_was_witnessed_is_not_kept() -> None:
    """Of a ledger that is witnessed to its end nothing is kept, however long it is."""
    where = District("market", "tax", "planning")
    for number in range(50):
        where.now_us += 1
        where["market"].declare(f"R-{number}", scheme="local", title="R", sharing="unconditional")
    witnessed(where, "market")
    _, seen, _ = where.look("2027-03-01")
    ledger = seen.witness_times._ledgers[where["market"].bureau.origin]
    assert ledger.runs == [(50, where.now_us)]  # the note itself


def test_what_is_owed_says_how_its_clock_was_started() -> None:
    """Programs are told what the sentence would say."""
    where = District("tax", "market", "planning")
    requested(where)
    for served in ("by-word", "cosigned"):
        _, seen, _ = where.look("2027-03-02")
        (owed,) = seen.obligations.open()
        assert owed_json(owed, seen)["served"] == served
        witnessed(where, "tax")
