"""kill -9 under load, at moments drawn from a seed: what was acknowledged is there, once, and the ledger is whole.

A recorder writes without pause while its node is killed and started again, over and over; what had no receipt is
sent again under the same ids. TALLYSTICK_KILLS says how often (100 for the real thing; each test kills four times).
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from tallystick.sdk.recorder import Pending
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.member import Member
from tallystick_node.cluster.nursery import Nursery
from tests.harness.clusters import checked_cluster

KILLS = int(os.environ.get("TALLYSTICK_KILLS", "8"))
KILLS_A_TEST = 4
LIFE_MAX_S = 0.3
VERSION = "SCJG-0012@2027-03"


class Load:
    """Uses of one version, each with a case of its own, recorded by a thread until it is told to stop."""

    def __init__(self, member: Member, seed: int) -> None:
        self.pending: list[Pending] = []
        self._stopping = threading.Event()
        self._recorded = threading.Event()
        self._member = member
        self._batch_max = random.Random(seed).choice((1, 7, 50, 1_000))
        self._thread = threading.Thread(target=self._run)
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Have everything acknowledged, and end."""
        self._stopping.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def wait_until_it_flows(self) -> None:
        """Wait until a statement recorded from now on has its receipt."""
        self._recorded.clear()
        assert self._recorded.wait(60), self._error
        self.pending[-1].result(60)

    def acknowledged(self) -> dict[int, int]:
        """The index of every statement that has a receipt by now, by its number."""
        return {number: each.result(0).index for number, each in enumerate(list(self.pending)) if each.done()}

    def _run(self) -> None:
        try:
            with self._member.gateway.recorder(linger_ms=1, batch_max=self._batch_max, give_up_s=30) as record:
                while not self._stopping.wait(0.0005):  # so that a hundred kills stay within what a check can read
                    case = len(self.pending).to_bytes(16, "big")
                    self.pending.append(record.use(VERSION, purpose="joint-supervision", case=case))
                    self._recorded.set()
        except BaseException as error:
            self._error = error


def uses_on(cluster: LocalCluster, bureau: str) -> dict[int, list[int]]:
    """The indexes at which each numbered use stands, every entry verified by the auditor."""
    found: dict[int, list[int]] = {}
    for shown in cluster.auditor[bureau].entries():
        statement = shown.read.statement
        if statement.HasField("data_used"):
            found.setdefault(int.from_bytes(statement.head.case, "big"), []).append(shown.entry.index)
    return found


def submissions_on(cluster: LocalCluster, bureau: str) -> Counter[bytes]:
    """How often each submission id stands on a ledger."""
    entries = (shown.entry for shown in cluster.auditor[bureau].entries())
    return Counter(entry.signed.submission_id for entry in entries if entry.signed is not None)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(-(-KILLS // KILLS_A_TEST)))
def test_a_kill_loses_nothing_and_repeats_nothing(tmp_path: Path, nursery: Nursery, seed: int) -> None:
    """After every SIGKILL the ledger is clean and holds all that was acknowledged; at the end, each use once."""
    moments = random.Random(seed)
    with checked_cluster(tmp_path / "cluster", 1, nursery) as cluster:
        (member,) = cluster
        with Load(member, seed) as load:
            for _ in range(KILLS_A_TEST):
                load.wait_until_it_flows()
                threading.Event().wait(moments.uniform(0, LIFE_MAX_S))
                acknowledged = load.acknowledged()
                member.kill()
                report = member.fsck()
                assert report.clean, report.differences[0]
                member.start()
                stands = uses_on(cluster, member.id)
                assert acknowledged.items() <= {number: at[0] for number, at in stands.items()}.items()
        everything = load.acknowledged()
        assert len(everything) == len(load.pending)
        assert uses_on(cluster, member.id) == {number: [index] for number, index in everything.items()}
        assert set(submissions_on(cluster, member.id).values()) == {1}
