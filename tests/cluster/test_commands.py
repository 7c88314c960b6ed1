"""`tallyd cluster` as a person uses it: each command a process, the nodes outliving it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick import Node
from tests.harness.processes import processes_of, refused, tallyd


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a cluster may be made; whatever runs there is stopped afterwards."""
    folder = tmp_path / "cluster"
    yield folder
    if folder.exists():
        tallyd("cluster", "down", "--dir", folder)
    assert not processes_of(tmp_path)


def states(folder: Path) -> dict[str, str]:
    done = tallyd("cluster", "status", "--dir", folder, "--json")
    assert done.returncode == 0, done.stderr
    return {each["bureau"]: each["state"] for each in json.loads(done.stdout)}


def test_a_cluster_lives_from_up_to_down(folder: Path) -> None:
    """Nodes outlive `up`, survive a kill and a start with what they recorded, and are gone after `stop` or `down`."""
    made = tallyd("cluster", "up", "--dir", folder, "--bureaus", "2")
    assert made.returncode == 0, made.stderr
    assert "nothing recorded on market-regulation, taxation is witnessed: a ledger needs two" in made.stdout
    assert len(processes_of(folder)) == 2
    with Node.open(folder / "profiles" / "taxation.toml") as taxation:
        receipt = taxation.declare("SW-1", scheme="pudong", title="Tax rolls", sharing="conditional")

    assert tallyd("cluster", "kill", "taxation", "--dir", folder).stdout == "taxation is killed\n"
    assert states(folder) == {"market-regulation": "serving", "taxation": "stopped"}
    assert tallyd("fsck", folder / "taxation").stdout.endswith("4 entries, no difference\n")
    assert "taxation serves at 127.0.0.1:" in tallyd("cluster", "start", "taxation", "--dir", folder).stdout
    with Node.open(folder / "profiles" / "taxation.toml") as taxation:
        assert taxation.show(receipt.index).entry.raw == receipt.entry

    before = processes_of(folder)
    again = tallyd("cluster", "up", "--dir", folder)
    assert again.returncode == 0, again.stderr
    assert sorted(processes_of(folder)) == sorted(before)

    assert tallyd("cluster", "stop", "taxation", "--dir", folder).stdout == "taxation is stopped\n"
    assert states(folder) == {"market-regulation": "serving", "taxation": "stopped"}
    assert "stopped" in (folder / "taxation" / "node.log").read_text().splitlines()[-1]
    assert tallyd("cluster", "stop", "taxation", "--dir", folder).stdout == "taxation was not running\n"

    assert tallyd("cluster", "down", "--dir", folder).returncode == 0
    assert not processes_of(folder)
    assert tallyd("cluster", "up", "--dir", folder).returncode == 0
    assert states(folder) == {"market-regulation": "serving", "taxation": "serving"}


def test_what_cannot_be_done_is_one_line(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster where $TALLYSTICK_CLUSTER says, an unknown bureau, another size, a folder in use: each says so."""
    monkeypatch.setenv("TALLYSTICK_CLUSTER", str(folder))
    assert f"{folder}: there is no cluster here" in refused(2, "cluster", "status")
    assert "0 bureaus" in refused(2, "cluster", "up", "--dir", folder, "--bureaus", "0")
    assert not folder.exists()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "a-file").touch()
    assert "nothing is overwritten" in refused(2, "cluster", "up", "--dir", tmp_path / "used")
    assert tallyd("cluster", "up", "--dir", folder, "--bureaus", "1").returncode == 0
    assert "no bureau 'nowhere'" in refused(4, "cluster", "kill", "nowhere", "--dir", folder)
    assert "the 1 it has" in refused(2, "cluster", "up", "--dir", folder, "--bureaus", "2")


@pytest.mark.parametrize(
    "line",
    ["nope", "--nope", "run", "run a b", "cluster up --bureaus x", "cert issue", "completion tcsh", "init d"],
)
def test_a_wrong_command_line_gets_one_line(line: str) -> None:
    """What is wrong with it, and where help is, as `tally` says it."""
    said = refused(2, *line.split())
    assert said.endswith(" --help)")
    assert "Error" not in said
