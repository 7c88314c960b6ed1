"""Clusters for tests: every ledger is checked when the test is over, and nothing is left running."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.witnessing import refreshed
from tallystick_node import doctor
from tallystick_node.cluster.births import Births
from tallystick_node.cluster.layout import make_cluster
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.cluster.ports import held_ports
from tallystick_node.cluster.roster import roster
from tallystick_node.config import Write
from tests.harness.processes import processes_of

WITNESSED_MAX_S = 60.0
# Ledgers grow by what a test does, however long it takes: not by what its nodes would say of themselves meanwhile.
SILENT = Write(witness_times_s=3_600.0, shown_s=3_600.0)


@contextmanager
def checked_cluster(
    folder: Path, bureaus: int, nursery: Nursery | None = None, *, observers: int = 0
) -> Iterator[LocalCluster]:
    """A cluster in a folder, checked and gone afterwards."""
    with LocalCluster.up(folder, bureaus, observers=observers, write=SILENT, nursery=nursery) as cluster:
        yield cluster
        cluster.stop()
        assert_sound(cluster)
    assert not processes_of(folder)


def made_cluster(folder: Path, bureaus: int) -> LocalCluster:
    """A cluster in a folder, made and not started."""
    with held_ports(bureaus) as ports:
        make_cluster(folder, roster(bureaus), ports, SILENT)
    return LocalCluster(folder, Births())


def assert_sound(cluster: LocalCluster) -> None:
    """Every stopped ledger that was not broken on purpose is what its entries say."""
    for member in cluster:
        if not member.broken_on_purpose:
            report = doctor.run(member.settings)
            assert report.clean, "\n".join(map(str, report.differences))


def all_witnessed(cluster: LocalCluster) -> None:
    """Wait until a quorum holds all of every ledger, after which an answer about them stays the same for a while."""
    with Ledgers.open(cluster.auditor_profile) as ledgers:
        deadline = time.monotonic() + WITNESSED_MAX_S
        for reader in ledgers:
            checkpoint, witnessed = refreshed(reader, ledgers.charter)
            while witnessed != checkpoint.size:
                assert time.monotonic() < deadline, f"{reader.bureau.id}: {witnessed} of {checkpoint.size} witnessed"
                time.sleep(0.05)
                checkpoint, witnessed = refreshed(reader, ledgers.charter)
