"""Through real nodes: what is called witnessed is held elsewhere, and no cosignature is lost or taken back."""

from __future__ import annotations

import os
import random
import signal
import threading

import pytest

from tallystick.core.witnessing import open_cosigned
from tallystick.sdk.witnessing import standing
from tallystick_node.cluster.local import LocalCluster
from tests.harness.members import declare, kept_by, witnessed

KILLS = int(os.environ.get("TALLYSTICK_KILLS", "8"))
MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"


def said_of(cluster: LocalCluster, ledger: str) -> dict[str, tuple[int, int]]:
    """Per witness the size it cosigned and when, as the ledger's node has heard it."""
    found = {}
    member = cluster[ledger]
    for note in member.sdk.wire.cosigned().newest:
        cosigned = open_cosigned(note, cluster.charter, member.bureau)
        for cosigner in cosigned.cosigners:
            found[cosigner.witness.id] = (cosigned.checkpoint.size, cosigner.at_s)
    return found


def test_a_witnessed_receipt_is_held_and_cosigned_by_a_quorum(cluster: LocalCluster) -> None:
    """Each witness that a receipt names has the entry on its own disk, in a copy that fsck finds sound."""
    market = cluster[MARKET]
    receipt = witnessed(market, "SCJG-0001")
    assert set(receipt.cosigned_by) == {TAXATION, PLANNING}
    cluster.stop()
    for witness in (cluster[TAXATION], cluster[PLANNING]):
        kept = kept_by(witness, market)
        assert kept.entries[receipt.index] == receipt.entry
        assert kept.cosigned.size > receipt.index
        assert witness.fsck().copied >= len(kept.entries)


def test_a_sending_waits_for_its_witnesses(cluster: LocalCluster) -> None:
    """The data goes out when a quorum holds the record of it, and without waiting where that is wished."""
    market = cluster[MARKET]
    digest = f"blake3:{'ab' * 32}"
    with market.sdk.sending("R-1@1", to=TAXATION, digest=digest, size=7) as sending:
        assert sending.receipt.standing == "witnessed"
    with market.sdk.sending("R-1@1", to=TAXATION, digest=digest, size=7, wait_witnessed_s=0) as sending:
        assert not sending.receipt.waited


def test_a_silent_witness_is_said_to_be_missing_and_stops_nobody(cluster: LocalCluster) -> None:
    """While one of two is paused a receipt says recorded and names who cosigned; later it is witnessed."""
    market, taxation = cluster[MARKET], cluster[TAXATION]
    witnessed(market, "SCJG-0001")
    paused = taxation.running
    assert paused is not None
    paused.send(signal.SIGSTOP)
    try:
        receipt = declare(market, "SCJG-0002", wait_s=0.5)
        assert (receipt.standing, receipt.waited) == ("recorded", True)
        assert TAXATION not in receipt.cosigned_by
        found = standing(market.sdk, cluster.charter)
        assert found.checkpoint.size == receipt.index + 1
        assert found.witnessed == receipt.index
    finally:
        paused.send(signal.SIGCONT)
    witnessed(market, "SCJG-0003")
    assert standing(market.sdk, cluster.charter).witnessed == receipt.index + 2


def test_a_witness_that_was_away_catches_up(cluster: LocalCluster) -> None:
    """Started again after a kill, a witness takes what it missed and cosigns it."""
    market, taxation = cluster[MARKET], cluster[TAXATION]
    witnessed(market, "SCJG-0001")
    taxation.kill()
    with market.gateway.recorder() as record:
        for number in range(3_000):
            record.use("SCJG-0001@1", purpose="joint-supervision", case=f"case {number}")
    taxation.start()
    receipt = witnessed(market, "SCJG-0002")
    cluster.stop()
    assert len(kept_by(taxation, market).entries) == receipt.index + 1


def test_what_was_witnessed_is_known_after_the_ledgers_own_restart(cluster: LocalCluster) -> None:
    """The ledger's node is told again by its witnesses, whatever it had written down when it was killed."""
    market = cluster[MARKET]
    receipt = declare(market, "SCJG-0001")
    market.kill()
    market.start()
    witnessed(market, "SCJG-0002")
    assert standing(market.sdk, cluster.charter).witnessed == receipt.index + 2


@pytest.mark.timeout(600)
def test_a_kill_takes_back_no_cosignature(cluster: LocalCluster) -> None:
    """What left a witness is on its disk, whenever it is killed; neither size nor time ever decreases."""
    moments = random.Random(7)
    market, taxation = cluster[MARKET], cluster[TAXATION]
    stopping = threading.Event()
    failed: list[BaseException] = []

    def load() -> None:
        try:
            with market.gateway.recorder(linger_ms=1, batch_max=7) as record:
                number = 0
                while not stopping.wait(0.001):
                    record.use("SCJG-0001@1", purpose="joint-supervision", case=f"case {number}")
                    number += 1
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    before = (0, 0)
    try:
        for _ in range(KILLS):
            witnessed(market, f"SCJG-{moments.random()}")
            threading.Event().wait(moments.uniform(0, 0.2))
            heard = said_of(cluster, MARKET)[TAXATION]
            taxation.kill()
            kept = kept_by(taxation, market)
            now = kept.cosigned.size, kept.at_s
            assert before <= heard <= now
            assert before[1] <= heard[1] <= kept.at_s
            assert len(kept.entries) >= kept.cosigned.size
            report = taxation.fsck()
            assert report.clean, report.differences[0]
            before = now
            taxation.start()
        witnessed(market, "SCJG-last")
        assert before <= said_of(cluster, MARKET)[TAXATION]
    finally:
        stopping.set()
        thread.join()
    assert not failed
