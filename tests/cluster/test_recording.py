"""Through real nodes: what is recorded is read back verified, whatever happens to the process meanwhile."""

from __future__ import annotations

import pytest

from tallystick.core.errors import ProofFailed, Unreachable
from tallystick.core.evidence import verify_presence
from tallystick_node.cluster.local import LocalCluster


def declare(cluster: LocalCluster, code: str, bureau: str = "market-regulation"):  # type: ignore[no-untyped-def]
    return cluster[bureau].sdk.declare(code, scheme="pudong", title="Licences", sharing="unconditional")


def test_what_was_recorded_is_read_back_by_every_reader(shared_cluster: LocalCluster) -> None:
    """A statement stands where its receipt says, for its own bureau, for another program and for the auditor."""
    market = shared_cluster["market-regulation"]
    receipt = declare(shared_cluster, "SCJG-0001")
    assert receipt.standing == "recorded"
    shown = [
        market.sdk.show(receipt.index),
        market.gateway.show(receipt.index),
        shared_cluster.auditor.show(receipt.ref),
    ]
    assert {each.reference for each in shown} == {receipt.reference}
    assert {each.read.statement.resource_declared.title for each in shown} == {"Licences"}
    assert {each.author.actor for each in shown} == {"market-regulation:clerk"}


def test_a_proof_holds_without_any_node(shared_cluster: LocalCluster) -> None:
    """An evidence file needs the charter alone."""
    receipt = declare(shared_cluster, "SCJG-0002", "taxation")
    file = shared_cluster.auditor.prove(receipt.reference)
    assert verify_presence(file, shared_cluster.charter).reference == receipt.reference


def test_every_ledger_begins_with_its_charter_and_its_actors(shared_cluster: LocalCluster) -> None:
    """The first statements are the charter's adoption and the first actors' registration."""
    for ledger in shared_cluster.auditor:
        first = [shown.read.statement.WhichOneof("said") for shown in ledger.entries(0, 3)]
        assert first == ["charter_adopted", "actor_registered", "actor_registered"]


def test_the_system_signs_as_itself(shared_cluster: LocalCluster) -> None:
    """The gateway's profile records in the name of the bureau's system."""
    planning = shared_cluster["planning"]
    with planning.gateway.recorder() as record:
        pending = [record.use("SCJG-0001@1", purpose="joint-supervision", case=f"case {n}") for n in range(40)]
    indexes = [each.result(30).index for each in pending]
    assert len(set(indexes)) == 40
    assert planning.sdk.show(indexes[-1]).author.actor == "planning:gateway"


def test_a_killed_node_keeps_what_it_acknowledged(cluster: LocalCluster) -> None:
    """After SIGKILL and a start everything is there, under a checkpoint that extends the last one seen."""
    market = cluster["market-regulation"]
    receipts = [declare(cluster, f"SCJG-{n}") for n in range(5)]
    market.kill()
    assert market.running is None
    with pytest.raises(Unreachable, match="market-regulation"):
        market.sdk.refresh()
    market.start()
    assert [market.sdk.show(each.index).entry.raw for each in receipts] == [each.entry for each in receipts]
    assert declare(cluster, "SCJG-later").index == receipts[-1].index + 1


def test_a_stopped_node_keeps_what_it_acknowledged(cluster: LocalCluster) -> None:
    """SIGTERM ends a node cleanly, and its log says so."""
    receipt = declare(cluster, "SCJG-0012", "taxation")
    taxation = cluster["taxation"]
    taxation.stop()
    assert "stopped" in taxation.log_text.splitlines()[-1]
    taxation.start()
    assert cluster.auditor.show(receipt.ref).reference == receipt.reference


def test_a_flipped_byte_is_named_by_fsck_and_believed_by_no_reader(cluster: LocalCluster) -> None:
    """An altered stored entry is found where it stands, and nobody accepts it."""
    market = cluster["market-regulation"]
    receipt = declare(cluster, "SCJG-0012")
    with market.stopped(broken_on_purpose=True) as disk:
        disk.flip_byte_of(receipt.ref)
    assert market.fsck().first_difference == receipt.ref
    with pytest.raises(ProofFailed, match=r"market-regulation#\d+"):
        cluster.auditor.show(receipt.ref)


def test_fsck_of_a_running_node_leaves_it_running(cluster: LocalCluster) -> None:
    """A member is checked at rest and serves again afterwards."""
    declare(cluster, "SCJG-0012")
    market = cluster["market-regulation"]
    assert market.fsck().clean
    assert market.running is not None
    assert market.sdk.refresh().size == 4
