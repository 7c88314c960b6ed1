"""Clusters for tests: every ledger is checked when the test is over, and nothing is left running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick_node import doctor
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.harness.processes import processes_of


@contextmanager
def checked_cluster(
    folder: Path, bureaus: int, nursery: Nursery | None = None, *, observers: int = 0
) -> Iterator[LocalCluster]:
    """A cluster in a folder, checked and gone afterwards."""
    with LocalCluster.up(folder, bureaus, observers=observers, nursery=nursery) as cluster:
        yield cluster
        cluster.stop()
        assert_sound(cluster)
    assert not processes_of(folder)


def assert_sound(cluster: LocalCluster) -> None:
    """Every stopped ledger that was not broken on purpose is what its entries say."""
    for member in cluster:
        if not member.broken_on_purpose:
            report = doctor.run(member.settings)
            assert report.clean, "\n".join(map(str, report.differences))
