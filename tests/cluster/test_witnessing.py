"""Through real nodes: what is called witnessed is held elsewhere, and no cosignature is lost or taken back."""

from __future__ import annotations

import os
import random
import signal
import threading

import pytest

from tallystick.core.checkpoint import open_checkpoint
from tallystick.core.witnessing import open_cosigned
from tallystick.sdk.receipt import Receipt
from tallystick.sdk.witnessing import standing
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.copies import open_copy, read_cosigning
from tallystick_node.store.leveldb import LevelDbStore

KILLS = int(os.environ.get("TALLYSTICK_KILLS", "8"))
WAIT_S = 30.0
MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"


def declare(member: Member, code: str, wait_s: float = WAIT_S) -> Receipt:
    """A declaration, and a wait for its witnesses."""
    return member.sdk.record_witnessed(
        "declare", wait_s, resource=code, scheme="pudong", title=code, sharing="unconditional"
    )


def held_by(member: Member, of: Member) -> tuple[list[bytes], int, int]:
    """What a stopped node's disk has of another ledger: the entries, the size it cosigned, and when."""
    store = LevelDbStore.open(member.settings.database)
    try:
        copy = open_copy(store, of.bureau)
        record = read_cosigning(copy)
        size = open_checkpoint(record.note, of.bureau.ledger_verifier).size
        return list(copy.entries(0, copy.state.size)), size, record.cosigned_at_s
    finally:
        store.close()


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
    receipt = declare(market, "SCJG-0001")
    assert receipt.standing == "witnessed"
    assert set(receipt.cosigned_by) == {TAXATION, PLANNING}
    cluster.stop()
    for witness in (cluster[TAXATION], cluster[PLANNING]):
        entries, size, _ = held_by(witness, market)
        assert entries[receipt.index] == receipt.entry
        assert size > receipt.index
        assert witness.fsck().copied >= len(entries)


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
    assert declare(market, "SCJG-0001").standing == "witnessed"
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
    assert declare(market, "SCJG-0003").standing == "witnessed"
    assert standing(market.sdk, cluster.charter).witnessed == receipt.index + 2


def test_a_witness_that_was_away_catches_up(cluster: LocalCluster) -> None:
    """Started again after a kill, a witness takes what it missed and cosigns it."""
    market, taxation = cluster[MARKET], cluster[TAXATION]
    assert declare(market, "SCJG-0001").standing == "witnessed"
    taxation.kill()
    with market.gateway.recorder() as record:
        for number in range(3_000):
            record.use("SCJG-0001@1", purpose="joint-supervision", case=f"case {number}")
    taxation.start()
    receipt = declare(market, "SCJG-0002")
    assert receipt.standing == "witnessed"
    cluster.stop()
    assert len(held_by(taxation, market)[0]) == receipt.index + 1


def test_what_was_witnessed_is_known_after_the_ledgers_own_restart(cluster: LocalCluster) -> None:
    """The ledger's node is told again by its witnesses, whatever it had written down when it was killed."""
    market = cluster[MARKET]
    receipt = declare(market, "SCJG-0001")
    market.kill()
    market.start()
    assert declare(market, "SCJG-0002").standing == "witnessed"
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
            assert declare(market, f"SCJG-{moments.random()}").standing == "witnessed"
            threading.Event().wait(moments.uniform(0, 0.2))
            heard = said_of(cluster, MARKET)[TAXATION]
            taxation.kill()
            entries, size, at_s = held_by(taxation, market)
            assert before <= heard <= (size, at_s)
            assert before[1] <= heard[1] <= at_s
            assert len(entries) >= size
            report = taxation.fsck()
            assert report.clean, report.differences[0]
            before = (size, at_s)
            taxation.start()
        assert declare(market, "SCJG-last").standing == "witnessed"
        assert before <= said_of(cluster, MARKET)[TAXATION]
    finally:
        stopping.set()
        thread.join()
    assert not failed
