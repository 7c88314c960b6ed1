"""What every test runs under, and the clusters tests are given.

One hypothesis profile, without deadlines, since no test here asserts a time. Every ledger of a cluster is checked whole
after the test that had it, except where the test broke it on purpose, and no process may outlive its cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tallystick_node.cluster.local import LocalCluster
    from tallystick_node.cluster.nursery import Nursery

settings.register_profile("tallystick", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("tallystick")


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """One warm process that starts the nodes of every cluster of this test process."""
    from tallystick_node.cluster.nursery import Nursery

    with Nursery() as made:
        yield made


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Three nodes of its own: market-regulation, taxation, planning."""
    from tests.harness.clusters import checked_cluster

    with checked_cluster(tmp_path_factory.mktemp("cluster"), 3, nursery) as made:
        yield made


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Three nodes shared by tests that only record and read: nothing on them may be stopped, altered or counted."""
    from tests.harness.clusters import checked_cluster

    with checked_cluster(tmp_path_factory.mktemp("shared"), 3, nursery) as made:
        yield made
