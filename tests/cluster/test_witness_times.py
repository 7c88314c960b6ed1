"""Through real nodes: a ledger says itself what was witnessed, and an audit goes by that."""

from __future__ import annotations

from contextlib import closing

from msgspec.structs import replace

from tallystick.core.kinds import BY_NAME
from tallystick.core.witnessing import open_cosigned
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tests.harness.members import witnessed

MARKET = "market-regulation"
WITNESSED = BY_NAME["CheckpointWitnessed"].number


def notes_at_once(member: Member) -> None:
    """The node is restarted to record what was witnessed as soon as it is."""
    member.stop()
    settings = member.settings
    settings.config = replace(settings.config, write=replace(settings.config.write, witness_times_s=0.01))
    settings.save()
    member.start()


def test_a_ledger_records_what_was_witnessed_and_leaves_it_at_that(cluster: LocalCluster) -> None:
    """The note covers what was declared and is a quorum's; that it is itself witnessed gives no rise to another."""
    market = cluster[MARKET]
    notes_at_once(market)
    with closing(cluster.auditor[MARKET].watch()) as watching:
        start = next(watching).size
        receipt = market.sdk.declare("SCJG-0001", scheme="pudong", title="Licences", sharing="unconditional")
        entry = None
        while entry is None:
            size = next(watching).size
            for shown in market.sdk.entries(start, size):
                if shown.read.statement.head.kind == WITNESSED:
                    note = shown.read.statement.checkpoint_witnessed.note.encode()
                    found = open_cosigned(note, cluster.charter, market.bureau)
                    if found.checkpoint.size > receipt.index:
                        entry = shown.entry
                        assert found.enough(cluster.charter)
                        assert found.checkpoint.size <= entry.index
    assert witnessed(market, "SCJG-0002").index == entry.index + 1
