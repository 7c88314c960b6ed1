"""An observer's node in this process: it finds what is proven, keeps it, and cosigns that ledger no more."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from structlog.testing import capture_logs

from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import TallystickError
from tallystick_node.observer import Observer
from tallystick_node.store.memory import MemoryStore
from tests.harness import loop
from tests.harness.company import ROUNDS_MAX, Company
from tests.harness.witnesses import gathered, record

MARKET, TAX, PLANNING, WATCH = "market", "taxation", "planning", "watch"


async def swap(observer: Observer, company: Company, *others: str) -> None:
    """A swap with each, and whatever can be settled then."""
    for other in others:
        with suppress(TallystickError):
            await observer.gossip.swap(company.bureau(other))
    await observer.gossip.settle()


async def ended(observer: Observer) -> None:
    observer.refuse_more()
    await observer.unfollow()
    await observer.stop()


def test_an_observer_keeps_the_evidence_it_finds(tmp_path: Path) -> None:
    """Shown one history here and another there, it holds the proof, tells it, and has it after a restart."""
    with capture_logs(), Company(tmp_path, MARKET, TAX, PLANNING, observers=[WATCH]) as company:
        assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
        other = company.fork(MARKET, PLANNING)
        record(company[MARKET], 2)
        record(other, 3)
        store = MemoryStore()
        watch = company.observer(WATCH, store)
        loop.run(watch.start())
        accused = company.bureau(MARKET)
        for _ in range(ROUNDS_MAX):
            if watch.proven.against(accused) is not None:
                break
            for each in (TAX, PLANNING):  # each knows of one history, and of the other through the observer alone
                company.swap(each, MARKET)
            loop.run(swap(watch, company, TAX, PLANNING))
        evidence = watch.proven.against(accused)
        assert evidence is not None
        assert verify_equivocation(evidence, company.charter)[0] == accused
        loop.run(swap(watch, company, TAX, PLANNING))
        assert company.evidence(TAX, MARKET) is not None
        loop.run(ended(watch))
        again = company.observer(WATCH, store.reopened())
        loop.run(again.start())
        assert again.proven.against(accused) == evidence
        assert not again.records
        loop.run(ended(again))
