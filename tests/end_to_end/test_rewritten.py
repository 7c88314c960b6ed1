"""Real processes gossip: a rewritten ledger, properly signed, is proven by all others, who go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.core.equivocation import verify_equivocation
from tallystick.core.errors import VerificationFailed
from tallystick.sdk.ledgers import Ledgers
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tests.cli.conftest import Tally
from tests.harness.clusters import checked_cluster
from tests.harness.forger import Forger, rewrite
from tests.harness.members import kept_by, witnessed
from tests.harness.processes import tallyd
from tests.harness.waiting import until

MARKET = "market-regulation"


@pytest.fixture
def five(tmp_path: Path, nursery: Nursery) -> Iterator[LocalCluster]:
    """Five nodes, of which one may lie and another be away."""
    with checked_cluster(tmp_path / "five", 5, nursery) as cluster:
        yield cluster


def found(cluster: LocalCluster, member: Member, accused: str) -> list[bytes]:
    """The evidence against a bureau that stands on a member's ledger."""
    with Ledgers.open(cluster.auditor_profile) as ledgers:
        statements = [shown.read.statement for shown in ledgers[member.id].entries()]
    return [
        each.equivocation_found.evidence.encode()
        for each in statements
        if each.HasField("equivocation_found") and each.head.counterparty == accused
    ]


def test_a_rewritten_ledger_is_proven_by_all_others(five: LocalCluster, tally: Tally) -> None:
    """Rewritten with its own valid signature: the node's own software signs nothing of it, and what is signed by other
    software is on every other ledger as evidence, once, also after each was killed; it is cosigned no more, whatever is
    recorded on it, and all others are witnessed as before. An audit cites them all.
    """
    market = five[MARKET]
    others = [member for member in five if member is not market]
    size = [witnessed(market, f"SCJG-{number}").index + 1 for number in range(3)][-1]
    market.stop()
    market.close_clients()  # its officer's program ends, and remembers what it saw
    assert rewrite(market, lambda said: said.head.resource != "SCJG-1") == size - 1
    assert market.fsck().clean
    refused = tallyd("run", market.home)
    assert refused.returncode == 4
    assert f"shows {size} entries signed with its key, and {size - 1} are here" in refused.stderr
    with Forger(market):
        until(lambda: all(found(five, member, MARKET) for member in others))
        said = tally("status", "--json", profile=five.auditor_profile)
        assert said.code == 5
        alarms = [each["kind"] for each in said.json["alarms"] if each["bureau"] == MARKET and each["file"]]
        assert alarms == ["equivocation"]
        audited = tally("audit", "--json", "--rule", "equivocation", profile=five.auditor_profile).json
        (finding,) = audited["findings"]
        assert (finding["bureau"], finding["standing"]) == (MARKET, "proven")
        assert {each.id for each in others} <= {each.partition("#")[0] for each in finding["references"]}
        complete = {each["bureau"] for each in audited["coverage"]["ledgers"] if each["complete"]}
        assert complete == {each.id for each in others}
        with pytest.raises(VerificationFailed):  # by its own officer's client too, which saw the other history
            market.sdk.declare("SCJG-3", scheme="pudong", title="on the other history", sharing="unconditional")
        for member in others:
            witnessed(member, f"{member.id}-1")
        for member in others:
            member.kill()
            member.start()
            (file,) = found(five, member, MARKET)
            assert verify_equivocation(file, five.charter)[0].id == MARKET
        until(lambda: all("not cosigned" in member.log_text for member in others))
        for member in others:
            witnessed(member, f"{member.id}-2")
            assert len(found(five, member, MARKET)) == 1
    five.stop()
    for member in others:
        kept = kept_by(member, market)
        assert kept.cosigned.size == size
        assert kept.stopped
