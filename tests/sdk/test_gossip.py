"""A client's gossip: what any node holds reaches it, and what it was shown reaches them; only proofs accuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import Forked, NotFound
from tallystick.core.reconciling import APART_MAX
from tallystick.sdk.gossip import NOTES_MAX, gossip
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.profile import Profile
from tallystick_proto.v1.gossip_pb2 import SwapAnswer
from tests.harness.company import Company
from tests.harness.lying_node import LyingNode
from tests.harness.witnesses import gathered, record

MARKET, TAX, PLANNING, AUDIT = "market", "taxation", "planning", "audit"
ALL = (MARKET, TAX, PLANNING, AUDIT)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Four bureaus, each a witness of the other three."""
    with capture_logs(), Company(tmp_path, *ALL) as company:
        yield company


def trusting(profile: Profile, ledger: str) -> int:
    """Have a client trust what a ledger's node shows now; its size."""
    with Ledgers.open(profile) as ledgers:
        return ledgers[ledger].refresh().size


def held(company: Company, holder: str) -> int:
    """Up to which size a node holds a checkpoint of the market's ledger."""
    account = company[holder].engine.heard.accounts[company.bureau(MARKET).origin]
    return -1 if account.held is None else account.held.size


def forked(company: Company) -> LyingNode:
    """The market's ledger, witnessed by all, and the other one that goes on from there, which no bureau is shown."""
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    return company.fork(MARKET)


def test_one_shown_the_other_history_finds_the_proof_at_any_honest_witness(company: Company) -> None:
    """The forker's own node is asked too, and lacks it; the file that is kept verifies, and that ledger is not read."""
    other = forked(company)
    profile = company.profile("auditor", shown={MARKET: other})
    record(other, 2)
    assert trusting(profile, MARKET) == 8
    assert gathered(company[MARKET], record(company[MARKET], 3).size) is not None
    company.rounds_until(lambda: held(company, TAX) == 9)
    heard = gossip(profile)
    assert list(heard.evidence) == [MARKET]
    assert verify_equivocation(heard.evidence[MARKET].read_bytes(), profile.charter)[0].id == MARKET
    with pytest.raises(Forked, match="proven by"):
        trusting(profile, MARKET)
    assert trusting(profile, TAX)


def test_what_a_client_was_shown_reaches_the_nodes(company: Company) -> None:
    """By its round alone they hold a note of the branch that none of them was shown, and prove it by their copies."""
    other = forked(company)
    profile = company.profile("auditor", shown={MARKET: other})
    record(other, 1)
    trusting(profile, MARKET)
    company.rounds_until(lambda: held(company, TAX) == 6)
    gossip(profile)
    assert gathered(company[MARKET], record(company[MARKET], 2).size) is not None
    company.rounds_until(lambda: all(company.evidence(each, MARKET) for each in (TAX, PLANNING, AUDIT)))


def test_what_nobody_proves_is_kept_as_a_suspicion_and_cleared_later(company: Company) -> None:
    """A newer checkpoint that every node refuses to join to the trusted one accuses nobody, and no second time."""
    assert gathered(company[MARKET], record(company[MARKET], 1).size) is not None
    profile = company.profile("auditor")
    assert trusting(profile, MARKET) == 4
    assert gathered(company[MARKET], record(company[MARKET], 2).size) is not None
    company.rounds_until(lambda: held(company, TAX) == 6)
    for node in company.nodes.values():
        node.lies["ProveConsistency"] = refused
    for _ in range(2):
        heard = gossip(profile)
        assert [(each.bureau, each.size) for each in heard.suspicions] == [(MARKET, 6)]
        assert not heard.evidence
    for node in company.nodes.values():
        del node.lies["ProveConsistency"]
    assert not gossip(profile).suspicions


def test_who_is_out_of_reach_is_skipped(company: Company) -> None:
    """The round goes on without it, says so, and says nothing of its ledger."""
    profile = company.profile("auditor")
    company[PLANNING].stop()
    heard = gossip(profile)
    assert [each.node.id for each in heard.asked if each.error is not None] == [PLANNING]
    assert (heard.evidence, heard.suspicions, heard.not_cosigned) == ({}, (), {})


def test_who_shows_many_notes_that_nobody_proves_keeps_a_client_no_longer(company: Company) -> None:
    """A forker and one node that tells of it: of however many branches, a client asks about a few."""
    assert gathered(company[MARKET], record(company[MARKET], 1).size) is not None
    profile = company.profile("auditor")
    assert trusting(profile, MARKET) == 4
    many = [company.offices[MARKET].note(100 + number, bytes(32)) for number in range(5 * NOTES_MAX)]

    def flooding(answer: SwapAnswer) -> SwapAnswer:
        answer.note.extend(many)
        return answer

    company[TAX].lies["Swap"] = flooding
    before = company[PLANNING].calls.count("ProveConsistency")
    heard = gossip(profile)
    assert 0 < len(heard.suspicions) <= APART_MAX
    assert 0 < company[PLANNING].calls.count("ProveConsistency") - before <= NOTES_MAX


def refused(answer: object) -> object:
    raise NotFound("it is not shown", expected="nothing")
