"""Real nodes that start: on an older copy of their own home, with too few witnesses, and all of them at once."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tallystick.core.errors import Starting, Unreachable
from tallystick.sdk.receipt import Receipt
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tests.harness.channels import channel_to
from tests.harness.members import declare, kept_by, witnessed
from tests.harness.processes import processes_of, tallyd
from tests.harness.waiting import WAIT_S, until

SUBMIT = "tallystick.v1.Submit"
MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"


def declare_when_it_may(member: Member, code: str) -> Receipt:
    """A declaration, at a node that may still be starting."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            return declare(member, code)
        except Starting:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def states(cluster: LocalCluster) -> dict[str, str]:
    return {standing.bureau: standing.state for standing in cluster.status()}


def test_a_home_put_back_from_an_older_copy_stops_by_itself(cluster: LocalCluster, tmp_path: Path) -> None:
    """The whole folder as it was, while the others went on: one line with the instruction, exit code 4, and no witness
    is ever shown a second history. The newer folder, put back in its turn, goes on.
    """
    market = cluster[MARKET]
    witnessed(market, "SCJG-0001")
    market.stop()
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(market.home, old)
    market.start()
    last = witnessed(market, "SCJG-0002")
    market.kill()
    market.home.rename(new)
    shutil.copytree(old, market.home)
    for _ in range(2):
        with pytest.raises(Unreachable, match=r"market-regulation: its node did not start.*tallyd recover"):
            market.start()
        assert not processes_of(market.home)
    ended = tallyd("run", market.home)
    assert ended.returncode == 4
    line = ended.stderr.strip().splitlines()[-1]
    assert line.startswith("tallyd: ")
    assert "entries signed with its key" in line
    assert states(cluster)[MARKET] == "stopped"
    shutil.rmtree(market.home)
    new.rename(market.home)
    market.start()
    assert declare(market, "SCJG-0003").index > last.index
    cluster.stop()
    for witness in (cluster[TAXATION], cluster[PLANNING]):
        kept = kept_by(witness, market)
        assert kept.cosigned.size > last.index
        assert not kept.stopped


def test_a_witness_put_back_alone_cosigns_no_more_what_it_forgot(cluster: LocalCluster, tmp_path: Path) -> None:
    """A home whose own ledger said nothing since the copy starts, learns from a ledger's node what it had cosigned
    of that, and cosigns it no more: not after another restart either. Its own ledger goes on.
    """
    market, taxation = cluster[MARKET], cluster[TAXATION]
    witnessed(market, "SCJG-0001")
    taxation.stop()
    old = tmp_path / "old"
    shutil.copytree(taxation.home, old)
    taxation.start()
    witnessed(market, "SCJG-0002")
    taxation.kill()
    shutil.rmtree(taxation.home)
    shutil.copytree(old, taxation.home)
    for _ in range(2):
        taxation.start()
        until(lambda: "put back from an older copy" in taxation.log_text)
        taxation.stop()
    taxation.start()
    receipt = declare(market, "SCJG-0003", wait_s=0.5)
    assert receipt.standing == "recorded"
    assert TAXATION not in receipt.cosigned_by
    witnessed(taxation, "SW-0001")
    cluster.stop()
    assert "put back" in kept_by(taxation, market).stopped


def test_with_too_few_witnesses_a_node_reads_and_waits(cluster: LocalCluster) -> None:
    """Alone it answers, says that it is starting, and refuses to record; with its witnesses back it records."""
    market = cluster[MARKET]
    receipt = declare(market, "SCJG-0001")
    cluster.stop()
    market.start()
    assert states(cluster) == {MARKET: "starting", TAXATION: "stopped", PLANNING: "stopped"}
    assert market.sdk.show(receipt.index).author.actor == f"{MARKET}:clerk"
    with pytest.raises(Starting, match="0 of the 2 witnesses needed have answered"):
        declare(market, "SCJG-0002")
    cluster[TAXATION].start()
    assert states(cluster)[TAXATION] == "starting"
    with pytest.raises(Starting):
        declare(market, "SCJG-0002")
    cluster.start()
    assert declare_when_it_may(market, "SCJG-0002").standing == "witnessed"
    assert declare_when_it_may(cluster[TAXATION], "SW-0001").standing == "witnessed"
    assert set(states(cluster).values()) == {"serving"}


def test_a_district_that_is_killed_whole_comes_up_together(cluster: LocalCluster) -> None:
    """All nodes killed and started side by side: each may sign once the others answer, though none has signed yet."""
    for round_ in range(3):
        for member in cluster:
            declare(member, f"{member.id}-{round_}")
        for member in cluster:
            member.kill()
        cluster.start()
        assert set(states(cluster).values()) == {"serving"}
    witnessed(cluster[MARKET], "SCJG-last")


def test_health_tells_reading_from_recording(cluster: LocalCluster) -> None:
    """While a node is starting it serves, but no submissions; when it records, whoever watches is told."""
    market = cluster[MARKET]
    cluster.stop()
    market.start()
    status = health_pb2.HealthCheckResponse
    with channel_to(market.settings) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name, expected in (
            ("", status.SERVING),
            ("tallystick.v1.Ledger", status.SERVING),
            ("tallystick.v1.Witness", status.SERVING),
            (SUBMIT, status.NOT_SERVING),
        ):
            assert health.Check(health_pb2.HealthCheckRequest(service=name), timeout=WAIT_S).status == expected
        watching = health.Watch(health_pb2.HealthCheckRequest(service=SUBMIT), timeout=WAIT_S)
        assert next(watching).status == status.NOT_SERVING
        cluster.start()
        assert next(watching).status == status.SERVING
        watching.cancel()
