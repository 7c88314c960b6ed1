"""Nothing leaks: not when a node dies at start-up, not when who started the nodes is killed."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.core.errors import Unreachable
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.harness.clusters import made_cluster
from tests.harness.processes import processes_of, refused, tallyd, wait_until_none

STARTER = """
import sys
from pathlib import Path
from tallystick_node.cluster.local import LocalCluster
cluster = LocalCluster.up(Path(sys.argv[1]), 3)
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Path]:
    """A cluster of three that was made and not started."""
    folder = made_cluster(tmp_path / "cluster", 3).folder
    yield folder
    assert not processes_of(folder)


def occupied(folder: Path, bureau: str) -> socket.socket:
    """A stranger that listens where a bureau's node would."""
    settings = (folder / bureau / "tallyd.toml").read_text()
    port = int(settings.partition('listen = "127.0.0.1:')[2].partition('"')[0])
    stranger = socket.create_server(("127.0.0.1", port))
    return stranger


def test_a_node_that_cannot_listen_takes_the_others_with_it(made: Path) -> None:
    """A port in use: `up` names the node and the reason in one line, and no node is left running."""
    with occupied(made, "taxation"):
        line = refused(3, "cluster", "up", "--dir", made)
    assert line.startswith("tallyd: taxation: its node did not start; its log ends: ")
    assert "the address is in use" in line
    assert not processes_of(made)


def test_a_node_with_a_damaged_config_takes_the_others_with_it(made: Path, nursery: Nursery) -> None:
    """A setting that is none: the same through the API, and once it is mended everything starts."""
    settings = made / "planning" / "tallyd.toml"
    good = settings.read_text()
    settings.write_text('unheard_of = "yes"\n' + good)
    with pytest.raises(Unreachable, match=r"planning: its node did not start.*unheard_of"):
        LocalCluster.up(made, nursery=nursery)
    assert not processes_of(made)
    settings.write_text(good)
    with LocalCluster.up(made, nursery=nursery) as cluster:
        assert {standing.state for standing in cluster.status()} == {"serving"}


def test_one_that_fails_leaves_those_that_ran_before(made: Path) -> None:
    """`up` on a cluster that half runs stops only what it started itself."""
    assert tallyd("cluster", "start", "market-regulation", "--dir", made).returncode == 0
    ran = processes_of(made)
    with occupied(made, "taxation"):
        refused(3, "cluster", "up", "--dir", made)
    assert processes_of(made) == ran
    assert tallyd("cluster", "down", "--dir", made).returncode == 0


@pytest.mark.parametrize("how", ["killed", "closed"])
def test_nodes_end_with_the_process_that_started_them(tmp_path: Path, how: str) -> None:
    """Until they are released, SIGKILL of their starter ends every node, and so does its ordinary end."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, tmp_path / "cluster"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        assert len(processes_of(tmp_path)) == 3
        if how == "killed":
            starter.kill()
    wait_until_none(tmp_path)
    assert not processes_of(tmp_path)


def test_a_new_cluster_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    """What an interrupted making left is named and refused, and nothing appears beside it."""
    (tmp_path / "cluster.making").mkdir()
    assert "remove it if nothing is being made" in refused(2, "cluster", "up", "--dir", tmp_path / "cluster")
    assert not (tmp_path / "cluster").exists()
