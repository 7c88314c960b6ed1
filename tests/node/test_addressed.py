"""A bureau follows and cosigns the ledgers that say something to it, whether it is a witness of them or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tallystick.core.errors import VerificationFailed
from tallystick.core.witnessing import others_of
from tallystick_node.answers import bundles
from tallystick_node.ledger import Ledger
from tallystick_proto.v1.ledger_pb2 import Bundle
from tests.harness import loop
from tests.harness.company import Company
from tests.harness.witnesses import WAIT_S, gathered, record

BUREAUS = tuple(f"bureau-{number}" for number in range(9))
MARKET, ONE, OTHER, *REST = BUREAUS
TAX = REST[-1]
NOBODY_ELSE = REST[:-1]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Nine bureaus; the ledger of each is witnessed by two."""
    witnesses = {each: [ONE, OTHER] if each not in (ONE, OTHER) else [MARKET, TAX] for each in BUREAUS}
    with capture_logs(), Company(tmp_path, *BUREAUS, witnesses=witnesses) as company:
        yield company


def addressed(company: Company, to: str, count: int = 1) -> int:
    """Something is recorded that is addressed to a bureau; the ledger's size then."""
    node = company[MARKET]

    async def recording() -> None:
        for _ in range(count):
            said = node.home.office.say("request", resource="R-1", provider=to, purpose="tax")
            await node.sequencer.record(node.home.office.prepared([said]))

    loop.run(recording())
    size = node.sequencer.published.state.size
    assert gathered(node, size) is not None
    return size


def follows(company: Company, bureau: str) -> bool:
    return company[bureau].engine.following.follows(company.bureau(MARKET))


def meets(company: Company, bureau: str) -> None:
    """A bureau's node has a round of gossip with the node of the ledger."""
    loop.run(company[bureau].engine.gossip.meet(company.bureau(MARKET)))


def cosigned(company: Company, bureau: str, size: int) -> None:
    """Wait until a ledger's node has heard a bureau cosign so much."""

    async def heard() -> None:
        gathering = company[MARKET].gathering
        async with asyncio.timeout(WAIT_S):
            while gathering.size_of(bureau) < size:
                await gathering.heard()

    loop.run(heard())


def asked(company: Company) -> int:
    """How often any node was asked for something since the last time."""
    count = sum(node.calls.count("Find") for node in company.nodes.values())
    for node in company.nodes.values():
        node.calls.clear()
    return count


def test_who_is_addressed_follows_cosigns_and_is_noted_and_nobody_else(company: Company) -> None:
    """It holds a copy, its cosignature is recorded beside the witnesses', and is nowhere shown as one of theirs."""
    size = addressed(company, TAX)
    for each in (TAX, *NOBODY_ELSE):
        meets(company, each)
    cosigned(company, TAX, size)
    node = company[MARKET]
    due = node.engine.witness_times.due()
    assert due is not None
    found = others_of(due, company.charter, company.bureau(MARKET), company.charter.bureau)
    assert [each.witness.id for each in found] == [TAX]
    assert company[TAX].engine.shelf.at(company.bureau(MARKET).origin).size == size
    assert len(node.gathering.newest) == 2
    assert not any(follows(company, each) for each in NOBODY_ELSE)


def test_it_follows_again_after_a_restart_and_asks_nobody(company: Company) -> None:
    """The copy says so by itself; what the ledger grows by is cosigned."""
    cosigned_size = addressed(company, TAX)
    meets(company, TAX)
    cosigned(company, TAX, cosigned_size)
    asked(company)
    company.restart(TAX)
    assert follows(company, TAX)
    assert asked(company) == 0
    cosigned(company, TAX, record(company[MARKET], 2).size)


def test_a_round_asks_each_once_at_most_and_for_nothing_twice(company: Company) -> None:
    """One call to each of the two that a round meets; none to whoever's ledger has not grown, or is followed."""
    addressed(company, TAX)

    async def round_(bureau: str) -> None:
        await company[bureau].engine.gossip.round()

    def knows(bureau: str) -> bool:
        """Whether a node has asked for all that is known of every ledger it does not follow."""
        engine = company[bureau].engine
        wanted = (
            account.held is not None and engine.addressed.wants(account.bureau, account.held.size)
            for account in engine.heard.accounts.values()
        )
        heard = all(account.held is not None for account in engine.heard.accounts.values())
        return heard and not any(wanted)

    asked(company)
    for bureau in BUREAUS:
        for _ in range(200):
            if knows(bureau):
                break
            loop.run(round_(bureau))
            assert asked(company) <= 2
        assert knows(bureau)
    for bureau in BUREAUS:
        loop.run(round_(bureau))
    assert asked(company) == 0
    record(company[MARKET], 1)
    for bureau in NOBODY_ELSE:
        meets(company, bureau)
        assert asked(company) == 1
        meets(company, bureau)
        assert asked(company) == 0


Lie = Callable[[Bundle, Ledger], object]


def _other_entry(answer: Bundle, ledger: Ledger) -> None:
    answer.entry[0] = answer.entry[0][:-1] + bytes([answer.entry[0][-1] ^ 1])


def _other_place(answer: Bundle, ledger: Ledger) -> None:
    answer.first -= 1


def _no_entry(answer: Bundle, ledger: Ledger) -> None:
    del answer.entry[:]


def _said_to_nobody(answer: Bundle, ledger: Ledger) -> list[Bundle]:
    return list(bundles(ledger, range(1), answer.size))


@pytest.mark.parametrize(
    "lie", [_other_entry, _other_place, _no_entry, _said_to_nobody], ids=["entry", "place", "none", "nobody"]
)
def test_what_is_not_proven_is_not_followed(company: Company, lie: Lie) -> None:
    """Another entry, another place, no entry at all, and one that is addressed to nobody; an honest answer later is."""
    addressed(company, TAX)
    ledger = company[MARKET].sequencer.ledger
    company[MARKET].lies["Find"] = lambda answer: lie(answer, ledger)
    asked(company)
    for _ in range(2):
        with pytest.raises(VerificationFailed):
            meets(company, TAX)
    assert asked(company) == 2
    assert not follows(company, TAX)
    company[MARKET].lies.clear()
    meets(company, TAX)
    assert follows(company, TAX)
