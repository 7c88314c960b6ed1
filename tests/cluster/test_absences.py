"""Bureaus that are away, killed, paused or cut off: the others go on, it catches up, and nobody is accused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from tallystick.core.news import ledger_number
from tallystick.sdk.auditing import Audited, audit
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.profile import Profile
from tallystick.sdk.witnessing import standing
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.peers import Peer
from tallystick_proto.v1.gossip_pb2 import SwapAnswer, SwapRequest
from tests.harness import loop
from tests.harness.absences import ABSENCES, Absence, Wired, cut_off, killed, paused, wired_cluster
from tests.harness.members import declare, witnessed
from tests.harness.waiting import until

ASKED_S = 2.0
TAXATION, PLANNING = "taxation", "planning"


@pytest.fixture
def five(tmp_path: Path, nursery: Nursery) -> Iterator[Wired]:
    """Five bureaus behind proxies: four witnesses a ledger, of which three are a quorum."""
    with wired_cluster(tmp_path / "five", 5, nursery) as made:
        yield made


def audited(wired: Wired) -> Audited:
    """A full pass of a new auditor's client, which waits for no node for long."""
    ledgers = Ledgers(Profile.load(wired.cluster.auditor_profile), deadline_s=ASKED_S)
    try:
        return audit(ledgers, date.today())
    finally:
        ledgers.close()


def cosigned_sizes(wired: Wired, ledger: Member) -> dict[str, int | None]:
    """By witness, how much of a ledger it has cosigned, and under "" how much there is."""
    found = standing(ledger.sdk, wired.cluster.charter)
    return {"": found.checkpoint.size, **{each.witness: each.size for each in found.witnesses}}


def is_cosigned_by_all(wired: Wired, ledger: Member) -> bool:
    return len(set(cosigned_sizes(wired, ledger).values())) == 1


def holds(member: Member) -> SwapAnswer:
    """What a node says that it holds of all ledgers."""

    async def asking() -> SwapAnswer:
        async with Peer(member.bureau, credentials=member.settings.credentials) as peer:
            return await peer.swap(SwapRequest())

    return loop.run(asking())


def suspects_nobody(wired: Wired) -> bool:
    """Whether no node has evidence, or a checkpoint that was not joined to the newest."""
    said = [holds(member) for member in wired.cluster]
    assert not any(each.proven for each in said)
    known = {ledger_number(ledger.origin) for ledger in wired.cluster.charter.ledgers}
    lines = [each.line for each in said]
    return all({line.ledger for line in each} == known and not any(line.apart for line in each) for each in lines)


def assert_all_is_well(wired: Wired) -> None:
    """Everybody cosigns everything again, and nothing is held or found against anybody."""
    until(lambda: all(is_cosigned_by_all(wired, member) for member in wired.cluster))
    for member in wired.cluster:
        witnessed(member, f"{member.id}-after")
    until(lambda: all(is_cosigned_by_all(wired, member) for member in wired.cluster))
    until(lambda: suspects_nobody(wired))
    found = audited(wired)
    assert not found.findings
    assert found.coverage.complete == {member.id for member in wired.cluster}
    for member in wired.cluster:
        assert "[error" not in member.log_text, member.id


def has_given_up(logged: str, bureau: str) -> bool:
    """Whether a log says that a node was called in vain."""
    return any(f"{bureau}{what}" in logged for what in (": no answer in time", " at 127.0.0.1"))


@pytest.mark.parametrize("absence", ABSENCES, ids=lambda absence: absence.__name__)
def test_one_bureau_away_is_missed_and_accused_by_nobody(five: Wired, absence: Absence) -> None:
    """Meanwhile all others record and are witnessed, also when a call to it was given up; an audit reads its ledger
    from a copy and says so. Back, however late its answers come, it catches up, cosigns, and is accused by nobody.
    """
    away, others = five[PLANNING], five.but(PLANNING)
    for member in five.cluster:
        witnessed(member, f"{member.id}-before")
    logged = {member.id: len(member.log_text) for member in others}
    with absence(five, away):
        for member in others:
            receipt = witnessed(member, f"{member.id}-meanwhile")
            assert PLANNING not in receipt.cosigned_by
        until(lambda: any(has_given_up(member.log_text[logged[member.id] :], PLANNING) for member in others))
        if absence is cut_off:
            alone = declare(away, "planning-meanwhile", wait_s=0.5)
            assert (alone.standing, alone.cosigned_by) == ("recorded", ())
        found = audited(five)
        assert not found.findings
        covered = found.coverage
        assert covered.complete == {member.id for member in five.cluster}
        assert {each.bureau for each in covered.ledgers if each.away} == (set() if absence is cut_off else {PLANNING})
        assert [each.bureau for each in covered.ledgers if each.unwitnessed] == [PLANNING] * (absence is cut_off)
    assert_all_is_well(five)


def test_with_two_of_five_away_what_is_not_witnessed_is_said(five: Wired) -> None:
    """A receipt says recorded, and who cosigned; when one of the two is back, the same entry is witnessed."""
    others = five.but(TAXATION, PLANNING)
    market = others[0]
    witnessed(market, "before")
    with ExitStack() as one, paused(five, five[PLANNING]):
        one.enter_context(killed(five, five[TAXATION]))
        receipt = declare(market, "meanwhile", wait_s=1.0)
        assert (receipt.standing, receipt.waited) == ("recorded", True)
        assert set(receipt.cosigned_by) <= {member.id for member in others[1:]}
        size = receipt.index + 1
        until(lambda: all(cosigned_sizes(five, market)[member.id] == size for member in others[1:]))
        assert standing(market.sdk, five.cluster.charter).witnessed == receipt.index
        one.close()
        until(lambda: standing(market.sdk, five.cluster.charter).witnessed == size)
    assert_all_is_well(five)
