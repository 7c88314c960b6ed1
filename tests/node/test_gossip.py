"""Gossip between nodes: news goes everywhere, a fork is proven to all, a suspicion to nobody, and others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tallystick.core.charter import Bureau
from tallystick.core.equivocation import make_equivocation, verify_equivocation
from tallystick.core.errors import BehindSigned, ClockOff, NotAllowed, NotFound, StorageFailed
from tallystick.core.reconciling import APART_MAX
from tallystick.core.statement import read
from tallystick.core.witnessing import open_cosigned
from tallystick_node import clocks
from tallystick_node.peers import Peer
from tallystick_node.proven import Proven
from tallystick_node.store.memory import MemoryStore
from tallystick_proto.v1.gossip_pb2 import SwapAnswer, SwapRequest
from tallystick_proto.v1.witness_pb2 import HeldRequest
from tests.harness import loop
from tests.harness.asked_witnesses import until
from tests.harness.company import Company
from tests.harness.faulty_store import Fault, FaultyStore
from tests.harness.witnesses import gathered, record
from tests.simulation.judges import PROVEN_ROUNDS_MAX

WAIT_S = 20.0
MARKET, TAX, PLANNING, AUDIT = "market", "taxation", "planning", "audit"
ALL = (MARKET, TAX, PLANNING, AUDIT)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Four bureaus, each a witness of the other three."""
    with capture_logs(), Company(tmp_path, *ALL) as company:
        yield company


def held(company: Company, holder: str, ledger: str) -> int:
    """Up to which size a node holds a checkpoint of a ledger."""
    account = company[holder].engine.heard.accounts[company.bureau(ledger).origin]
    return -1 if account.held is None else account.held.size


def stopped(company: Company, holder: str, ledger: str) -> str:
    """Why a node cosigns a ledger no more, as the record of its copy says."""
    return company[holder].engine.shelf.stopped.get(company.bureau(ledger).origin, "")


def apart(company: Company, holder: str, ledger: str) -> list[int]:
    return [seen.size for seen in company[holder].engine.heard.accounts[company.bureau(ledger).origin].apart]


def found(company: Company, holder: str) -> list[tuple[str, bytes]]:
    """Whom a node's own ledger accuses, and by which evidence."""
    ledger = company[holder].sequencer.ledger
    said = [read(entry.statement).statement for entry in ledger.decoded_all(0, ledger.state.size)]
    return [
        (each.head.counterparty, each.equivocation_found.evidence.encode())
        for each in said
        if each.HasField("equivocation_found") and each.head.actor == f"{holder}:node"
    ]


def everybody_knows(company: Company, accused: str, *but: str) -> bool:
    return all(company.evidence(each, accused) is not None for each in ALL if each not in (accused, *but))


def test_news_is_everywhere_with_its_cosignatures(tmp_path: Path) -> None:
    """Also at a node that is no witness of a ledger: it holds the newest checkpoint, and who cosigned it."""
    listed = {each: [other for other in (MARKET, TAX, PLANNING) if other != each] for each in ALL}
    with Company(tmp_path, *ALL, witnesses=listed) as company:
        size = record(company[MARKET], 3).size
        assert gathered(company[MARKET], size) is not None
        company.rounds_until(lambda: held(company, AUDIT, MARKET) == size)
        account = company[AUDIT].engine.heard.accounts[company.bureau(MARKET).origin]

        def cosigners() -> set[str]:
            assert account.held is not None
            found = open_cosigned(account.held.note, company.charter, company.bureau(MARKET))
            return {each.witness.id for each in found.cosigners}

        company.rounds_until(lambda: cosigners() == {TAX, PLANNING})
        with pytest.raises(NotFound):
            company[AUDIT].engine.shelf.at(company.bureau(MARKET).origin)


def test_a_fork_is_proven_to_everybody(company: Company) -> None:
    """Two histories for two halves: once they are there, every other node holds one and the same kind of proof within
    the rounds that a simulated history has.
    """
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    other = company.fork(MARKET, PLANNING, AUDIT)
    origin, there = company.bureau(MARKET).origin, {TAX: record(company[MARKET], 2).size}
    there[PLANNING] = there[AUDIT] = record(other, 3).size
    shelves = {each: company[each].engine.shelf for each in there}
    loop.run(until(lambda: all(shelf.at(origin).size == there[each] for each, shelf in shelves.items())))
    assert company.rounds_until(lambda: everybody_knows(company, MARKET)) <= PROVEN_ROUNDS_MAX
    for each in (TAX, PLANNING, AUDIT):
        evidence = company.evidence(each, MARKET)
        assert evidence is not None
        assert verify_equivocation(evidence, company.charter)[0].id == MARKET


def test_evidence_ends_cosigning_of_that_ledger_alone_and_is_known_after_a_restart(company: Company) -> None:
    """Nobody cosigns the forked ledger any more, neither who follows it at that moment nor after a restart; the others
    are witnessed as before.
    """
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    other = company.fork(MARKET, AUDIT)
    record(company[MARKET], 1)
    record(other, 2)
    company.rounds_until(lambda: everybody_knows(company, MARKET), TAX, PLANNING, AUDIT)
    before = {each: company.evidence(each, MARKET) for each in (TAX, PLANNING, AUDIT)}
    for each, evidence in before.items():
        company.rounds_until(lambda each=each: len(found(company, each)) == 1)  # type: ignore[misc]
        assert found(company, each) == [(MARKET, evidence)]
    size = record(company[MARKET], 1).size
    record(other, 1)
    loop.run(until(lambda: all(stopped(company, each, MARKET) for each in before)))
    for each in before:
        assert "two histories under its key are proven" in stopped(company, each, MARKET)
    assert gathered(company[MARKET], size, 0.0) is None
    company.restart(TAX, PLANNING, AUDIT)
    assert {each: company.evidence(each, MARKET) for each in before} == before
    assert gathered(company[MARKET], record(company[MARKET], 1).size, 1.0) is None
    for each in (TAX, PLANNING, AUDIT):
        assert gathered(company[each], record(company[each], 1).size) is not None
        assert len(found(company, each)) == 1


def test_what_nobody_proves_stays_a_suspicion_until_it_is_proven(company: Company) -> None:
    """While nobody shows a proof the note is apart, told, and no evidence; when a copy reaches so far, it is."""
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    company[AUDIT].stop()
    other = company.fork(MARKET)
    unseen = record(other, 3)
    company.rounds_until(lambda: {held(company, each, MARKET) for each in (TAX, PLANNING)} == {6}, TAX, PLANNING)
    told(company, TAX, other.sequencer.published.note)
    company.rounds_until(lambda: apart(company, PLANNING, MARKET) == [unseen.size], TAX)
    for _ in range(3):
        company.swap(TAX, PLANNING)
        company.swap(PLANNING, TAX)
    assert apart(company, TAX, MARKET) == apart(company, PLANNING, MARKET) == [unseen.size]
    assert not company.evidence(TAX, MARKET)
    assert gathered(company[MARKET], record(company[MARKET], 4).size) is not None
    company.rounds_until(lambda: company.evidence(TAX, MARKET) is not None, TAX, PLANNING)


def test_what_was_held_before_is_known_after_a_restart(company: Company) -> None:
    """It is written down with what is held now, and shown to a witness that asks what it cosigned."""
    for _ in range(2):
        size = record(company[MARKET], 1).size
        assert gathered(company[MARKET], size) is not None
        company.rounds_until(lambda size=size: held(company, TAX, MARKET) == size, TAX, PLANNING)  # type: ignore[misc]
    origin = company.bureau(MARKET).origin
    before = [seen.note for seen in company[TAX].engine.heard.accounts[origin].past]
    assert before
    company.restart(TAX)
    assert [seen.note for seen in company[TAX].engine.heard.accounts[origin].past] == before
    asked: Any = company[TAX].engine.witness.GetHeld
    assert set(before) <= set(loop.run(asked(HeldRequest(origin=origin), None)).note)


def test_a_later_proof_clears_a_suspicion(company: Company) -> None:
    """What is newer than this node's copy is apart while nobody shows how it follows, and held once somebody does."""
    assert gathered(company[MARKET], record(company[MARKET], 1).size) is not None
    company.rounds_until(lambda: held(company, TAX, MARKET) == 4, TAX)
    company[TAX].stop()
    newer = record(company[MARKET], 2)
    note = company[MARKET].sequencer.published.note
    company[MARKET].lies["Cosign"] = lambda shown: ()
    for each in (MARKET, PLANNING, AUDIT):
        company[each].lies["ProveConsistency"] = refused
    company[TAX].start()
    told(company, TAX, note)
    company.swap(TAX, AUDIT)
    assert (held(company, TAX, MARKET), apart(company, TAX, MARKET)) == (4, [newer.size])
    for each in (MARKET, PLANNING, AUDIT):
        del company[each].lies["ProveConsistency"]
    company.rounds_until(lambda: held(company, TAX, MARKET) == newer.size, TAX)
    assert not apart(company, TAX, MARKET)
    assert not company.evidence(TAX, MARKET)


def test_a_node_that_is_shown_its_own_other_history_writes_no_more(company: Company) -> None:
    """By a peer's gossip alone: its ledger does not have what its key signed."""
    other = company.fork(MARKET, AUDIT)
    company.restart(MARKET)
    size = record(other, 2).size
    company.rounds_until(lambda: held(company, AUDIT, MARKET) == size, AUDIT)
    company.rounds_until(lambda: company[MARKET].sequencer.stopped is not None, MARKET)
    with pytest.raises(BehindSigned, match="signed with its key"):
        record(company[MARKET], 1)


def test_evidence_is_told_to_who_lacks_it_and_kept_to_the_byte(company: Company) -> None:
    """One who met neither branch holds the very file of the one who found it; a file that proves nothing is dropped."""
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    other = company.fork(MARKET, TAX)
    record(company[MARKET], 1)
    record(other, 1)
    company.rounds_until(lambda: company.evidence(TAX, MARKET) is not None, TAX, PLANNING)
    file = company.evidence(TAX, MARKET)
    assert file is not None
    company.swap(AUDIT, TAX)
    assert company.evidence(AUDIT, MARKET) == file
    company.restart(AUDIT)
    assert company.evidence(AUDIT, MARKET) == file
    told(company, MARKET, evidence=company[AUDIT].sequencer.published.note)
    assert company.evidence(MARKET, AUDIT) is None


def refused(answer: object) -> object:
    raise NotFound("it is not shown", expected="nothing")


def told(company: Company, holder: str, *notes: bytes, evidence: bytes = b"") -> None:
    """A node is told so by a caller."""
    files = [evidence] if evidence else []
    loop.run(company[holder].engine.heard.take(notes, files, "somebody"))


HOUR_US = 3_600_000_000


def test_a_clock_that_is_off_records_nothing_until_it_is_right(company: Company) -> None:
    """Against a quorum of peers, as soon as they were heard; against a single liar it goes on."""
    market = company[MARKET]
    company[TAX].lies["Swap"] = lambda answer: answer.ClearField("now_us")
    heard(company, TAX, PLANNING, AUDIT)
    record(market, 1)
    del company[TAX].lies["Swap"]
    market.home.now_us += HOUR_US
    heard(company, TAX, PLANNING, AUDIT)
    with pytest.raises(ClockOff, match="3600 s ahead of"):
        record(market, 1)
    market.home.now_us -= HOUR_US
    heard(company, TAX, PLANNING, AUDIT)
    record(market, 1)


def test_a_clock_that_fewer_than_a_quorum_contradict_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two peers of four make none: the node warns, and records; so it does when what a quorum said is of long ago."""
    with capture_logs() as log, Company(tmp_path, *ALL, "archives") as company:
        market = company[MARKET]
        market.home.now_us += HOUR_US
        heard(company, TAX, PLANNING)
        record(market, 1)
        (warned,) = [line for line in log if line["event"] == "this node's clock is off"]
        assert (warned["peers"], warned["records"]) == (2, True)
        heard(company, AUDIT)
        with pytest.raises(ClockOff):
            record(market, 1)
        monkeypatch.setattr(clocks, "HEARD_S", -1.0)
        heard(company)
        record(market, 1)


def heard(company: Company, *peers: str) -> None:
    """The market's node swaps with each, and judges its clock."""

    async def swap() -> None:
        engine = company[MARKET].engine
        for peer in peers:
            await engine.gossip.swap(company.bureau(peer))
        engine.clocks.judge()

    loop.run(swap())


def test_what_a_forker_tells_without_end_hides_nothing(company: Company) -> None:
    """What a swap brought is settled though so much was told meanwhile that it is no longer kept."""
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    other = company.fork(MARKET)
    record(other, 1)
    size = record(company[MARKET], 2).size
    shelf, origin = company[TAX].engine.shelf, company.bureau(MARKET).origin
    loop.run(until(lambda: origin in shelf.origins and shelf.at(origin).size == size))
    hidden, office = other.sequencer.published.note, company.offices[MARKET]
    company[PLANNING].lies["Swap"] = lambda answer: answer.note.append(hidden)
    told = [office.note(1_000 + number, bytes([number]) * 32) for number in range(APART_MAX)]

    async def flooded() -> None:
        gossip = company[TAX].engine.gossip
        await gossip.swap(company.bureau(PLANNING))
        await gossip.heard.take(told, (), "a caller")
        await gossip.settle()

    loop.run(flooded())
    assert company.evidence(TAX, MARKET) is not None


def test_rounds_end_when_told_to_though_the_disk_fails_just_then(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stops in the middle of a swap waits for no further round, whatever else goes wrong at that moment."""
    gossip = company[TAX].engine.gossip

    async def stopped() -> None:
        swapping = asyncio.Event()

        async def swap(bureau: Bureau) -> None:
            swapping.set()
            await asyncio.Event().wait()

        async def settle() -> None:
            raise StorageFailed("the disk fails", where="test")

        monkeypatch.setattr(gossip, "_interval_s", 0.0)
        monkeypatch.setattr(gossip, "swap", swap)
        monkeypatch.setattr(gossip, "settle", settle)
        gossip.start()
        await swapping.wait()
        async with asyncio.timeout(WAIT_S):
            await gossip.stop()

    loop.run(stopped())


def test_evidence_that_could_not_be_written_is_held_and_written_later(company: Company) -> None:
    """A full disk costs nobody what proves a fork: it stands at once, and is on the disk when there is room."""
    office = company.offices[MARKET]
    one, other = (office.note(9, bytes([number]) * 32) for number in range(2))
    file = make_equivocation(one, other, office.bureau.ledger_verifier)
    disk = MemoryStore()

    async def keep() -> None:
        proven = Proven(company.charter, FaultyStore(disk, [Fault("write", 0, "before")]))
        with pytest.raises(StorageFailed):
            await proven.keep(file)
        assert proven.against(company.bureau(MARKET)) == file
        await proven.write()
        proven.stop()

    loop.run(keep())
    again = Proven(company.charter, disk.reopened())
    again.load()
    again.stop()
    assert again.against(company.bureau(MARKET)) == file


def test_a_node_that_is_let_in_no_more_connects_anew_under_a_renewed_certificate(company: Company) -> None:
    """A kept connection was made under the certificate before: refused on it, the next swap goes over a new one."""
    gossip = company[MARKET].engine.gossip
    peers: list[Refused] = []

    class Refused(Peer):
        outdated = True

        async def swap(self, request: SwapRequest) -> SwapAnswer:
            raise NotAllowed("not for you")

    def reach(bureau: Bureau) -> Peer:
        peers.append(Refused(bureau))
        return peers[-1]

    gossip._reach = reach
    for _ in range(2):
        with pytest.raises(NotAllowed):
            loop.run(gossip.swap(company.bureau(TAX)))
    assert len(peers) == 2
