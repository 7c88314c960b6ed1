"""Who is in a local cluster, whatever its size: every ledger of it can be witnessed, or it is said that none is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.core.note import encode_base64
from tallystick_node.cluster.births import Births
from tallystick_node.cluster.layout import make_cluster
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.roster import observers, roster
from tallystick_node.config import Write
from tests.harness.charters import adopt_at_clients, signed_next
from tests.harness.clusters import checked_cluster
from tests.harness.processes import processes_of, refused, tallyd

MARKET, HEIR = "market-regulation", "market-2"


@pytest.mark.parametrize(
    ("bureaus", "watching", "needed"),
    [(3, 0, 2), (2, 1, 2), (7, 0, 4), (6, 1, 4), (7, 1, 4), (8, 0, 4), (2, 6, 4)],
    ids=lambda value: str(value),
)
def test_every_ledger_of_a_cluster_has_a_quorum(tmp_path: Path, bureaus: int, watching: int, needed: int) -> None:
    """Beyond seven members too, observers counted, where the charter has to list who witnesses whom."""
    places = [*roster(bureaus), *observers(watching, after=bureaus)]
    folder = tmp_path / "made"
    make_cluster(folder, places, range(20_000, 20_000 + len(places)), Write(), in_the_clear=True)
    charter = LocalCluster(folder, Births()).charter
    quorums = [charter.quorum_of(ledger) for ledger in charter.ledgers]
    assert [quorum and quorum.needed for quorum in quorums] == [needed] * bureaus


def test_a_cluster_whose_charter_gained_a_bureau_goes_on_as_one(tmp_path: Path) -> None:
    """Who has no folder in it is named, and not started, stopped or asked; the others are, and who is closed is said
    to be.
    """
    with checked_cluster(tmp_path / "two", 2) as two:
        market = two[MARKET].bureau
        wish = ("--origin", f"pudong.example/{HEIR}", "--credit-code", market.credit_code)
        made = tallyd("init", tmp_path / "heir", "--bureau", HEIR, *wish)
        assert made.returncode == 0, made.stderr
        with two.auditor as auditor:
            checkpoint = auditor[MARKET].refresh()
        floor = f'floor = {{ size = {checkpoint.size}, root = "{encode_base64(checkpoint.root)}" }}'
        closing = f'[[bureau]]\nid = "{MARKET}"\nstate = "closed"\nsuccessor = "{HEIR}"\n{floor}\n'
        version = signed_next(two, f"{closing}\n{(tmp_path / 'heir' / 'bureau.toml').read_text()}")
        two.stop()
        adopt_at_clients(sorted((two.folder / "profiles").glob("*.toml")), version)
        at = ("--dir", two.folder)
        for command in (("up",), ("status",), ("up", "--bureaus", "2"), ("down",)):
            done = tallyd("cluster", *command, *at)
            assert done.returncode == 0, done.stderr
            assert f"not started, stopped or asked here: {HEIR}" in done.stdout
            if command != ("down",):
                assert f"{MARKET}: closed, succeeded by {HEIR}" in done.stdout
                assert len(processes_of(two.folder)) == 2
        assert not processes_of(two.folder)
        assert f"no folder of {HEIR}" in refused(4, "cluster", "start", HEIR, *at)
