"""What a swap is of: the ledgers that the asker names, and no notes of others; and what a round leaves to others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tallystick.core.errors import Unreachable
from tallystick.core.news import ledger_number
from tallystick_node.heard import Brought
from tallystick_proto.v1.gossip_pb2 import Line, SwapAnswer, SwapRequest
from tests.harness import loop
from tests.harness.company import Company
from tests.harness.witnesses import cosigned, gathered, record

BUREAUS = tuple(f"bureau-{number}" for number in range(9))
MARKET, ONE, OTHER, *REST = BUREAUS
UNKNOWN = 7


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Nine bureaus; the first two's ledgers are witnessed by two each, and the others' by nobody."""
    witnesses = {MARKET: [ONE, OTHER], ONE: [MARKET, OTHER]}
    with capture_logs(), Company(tmp_path, *BUREAUS, witnesses=witnesses) as company:
        yield company


def number(company: Company, bureau: str) -> int:
    return ledger_number(company.bureau(bureau).origin)


def asked(company: Company, *ledgers: int, named_only: bool) -> SwapAnswer:
    """What the first bureau's first witness answers to who names some ledgers, and holds nothing."""
    request = SwapRequest(line=[Line(ledger=each) for each in ledgers], named_only=named_only)

    async def answer() -> SwapAnswer:
        return company[ONE].engine.gossip.answer(request)

    return loop.run(answer())


def origins(answer: SwapAnswer) -> list[str]:
    """Of which ledgers there are notes, in their order."""
    return sorted(note.partition(b"\n")[0].decode() for note in answer.note)


def everything_heard(company: Company) -> None:
    """The witness holds a checkpoint of every ledger but one."""
    for each in (MARKET, OTHER, *REST[:-1]):
        note = company[each].sequencer.published.note
        loop.run(company[ONE].engine.heard.take([note], (), "somebody"))


def test_who_names_ledgers_is_told_of_these_alone(company: Company) -> None:
    """And of which the other speaks with everybody: its own, and those it follows. A number that is no ledger's, or
    comes twice, is nothing to it.
    """
    everything_heard(company)
    named = REST[:2]
    said = asked(company, *(number(company, each) for each in (*named, *named)), UNKNOWN, named_only=True)
    assert origins(said) == [company.bureau(each).origin for each in named]
    assert sorted(line.ledger for line in said.line) == sorted(number(company, each) for each in (ONE, MARKET, *named))


def test_a_ledger_of_which_nothing_is_held_is_named_by_a_line_that_says_no_more(company: Company) -> None:
    everything_heard(company)
    said = asked(company, number(company, REST[-1]), named_only=True)
    (line,) = (line for line in said.line if line.ledger == number(company, REST[-1]))
    assert line == Line(ledger=line.ledger)
    assert not said.note


def test_who_names_none_is_told_everything(company: Company) -> None:
    """As an auditor's client is."""
    everything_heard(company)
    said = asked(company, named_only=False)
    assert origins(said) == sorted(company.bureau(each).origin for each in BUREAUS if each != REST[-1])
    assert sorted(line.ledger for line in said.line) == sorted(number(company, each) for each in BUREAUS)


def test_a_round_meets_the_second_though_the_first_is_away(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    away, there = (company.bureau(each) for each in REST[:2])
    gossip = company[MARKET].engine.gossip
    monkeypatch.setattr(gossip._topics, "peers", lambda: [away, there])
    company[away.id].stop()
    with pytest.raises(Unreachable):
        loop.run(gossip.round())
    held = company[MARKET].engine.heard.accounts[there.origin].held
    assert held is not None
    assert held.size == company[there.id].sequencer.published.state.size
    company[away.id].start()


def test_what_was_new_last_is_known(company: Company) -> None:
    """A checkpoint that is new is news; one more cosignature for it is none."""
    heard = company[OTHER].engine.heard
    first, second = (company.bureau(each).origin for each in (MARKET, ONE))

    def told(bureau: str, size: int, *cosigners: str) -> list[str]:
        note = company.offices[bureau].note(size, bytes([size]) * 32)
        signed = cosigned(note, [company.offices[each] for each in cosigners])
        loop.run(heard.take([signed], (), "somebody"))
        return [origin for origin in heard.lately if origin in (first, second)]

    assert told(MARKET, 11)[-1:] == [first]
    assert told(ONE, 12) == [first, second]
    assert told(MARKET, 11) == told(MARKET, 11, ONE) == [first, second]
    assert told(MARKET, 13) == [second, first]


def test_what_own_copies_bring_while_a_round_settles_is_settled_by_the_next(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost where somebody's call takes it up just then."""
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    engine = company[ONE].engine
    take = engine.heard.take

    async def history() -> None:
        taken, settled = asyncio.Event(), asyncio.Event()

        async def slowly(notes: Iterable[bytes], evidence: Iterable[bytes], by: str) -> list[Brought]:
            brought = await take(notes, evidence, by)
            taken.set()
            await settled.wait()
            return brought

        monkeypatch.setattr(engine.heard, "take", slowly)
        engine.heard._copied.clear()
        engine.heard.accounts[company.bureau(MARKET).origin].held = None
        taking = asyncio.create_task(engine.heard.take_copies())
        await taken.wait()
        await engine.gossip.settle()
        settled.set()
        await taking
        assert [account.bureau.id for account, _ in engine.heard.brought] == [MARKET]

    loop.run(history())
