"""`tally catalogue` over real nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.cli.conftest import Bent, Tally
from tests.harness.clusters import checked_cluster

MARKET, PLANNING = "market-regulation", "planning"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Three nodes, two of which declare something."""
    with checked_cluster(tmp_path_factory.mktemp("catalogue"), 3, nursery) as made:
        market, planning = made[MARKET].sdk, made[PLANNING].sdk
        market.declare("SCJG-0012", scheme="local", title="企业登记\x1b[2J", sharing="unconditional", public=True)
        version = market.provide_version("SCJG-0012@1", digest=f"blake3:{'5a' * 32}", size=1)
        market.recall(version, reason="shifted")
        planning.declare("GH-0007", scheme="local", title="地块", sharing="withheld")
        planning.declare(
            "GH-0008", scheme="local", title="规划", sharing="conditional", condition={"words": "by contract"}
        )
        yield made


def test_each_line_says_how_a_resource_is_shared_and_on_what_ground(tally: Tally, cluster: LocalCluster) -> None:
    """A ground that is not stated is said; no control character of a title reaches the terminal."""
    said = tally("catalogue", profile=cluster.auditor_profile)
    assert said.code == 0
    rows = {row[1]: row for line in said.lines if len(row := line.split("\t")) == 7}
    assert rows["SCJG-0012"][3:] == [
        "unconditional, public",
        "",
        "SCJG-0012@1, recalled market-regulation#5",
        "market-regulation#3",
    ]
    assert rows["GH-0007"][3:] == ["withheld", "none stated", "", "planning#3"]
    assert rows["GH-0008"][4] == "by contract"
    assert "\x1b" not in said.out
    assert "3 resources: unconditional 1 (33%), conditional 1 (33%), withheld 1 (33%)." in said.out
    assert "full pass" in said.out


def test_it_reads_in_chinese(tally: Tally, cluster: LocalCluster) -> None:
    """Bureaus, classes and the sentence that counts them."""
    said = tally("catalogue", PLANNING, "--lang", "zh", profile=cluster.auditor_profile)
    for words in ("规划资源局", "不予共享", "有条件共享", "未列", "2 项信息资源", "核查范围"):
        assert words in said.out
    assert "SCJG-0012" not in said.out


def test_json_has_the_lines_and_the_coverage(tally: Tally, cluster: LocalCluster) -> None:
    """Filtered as the lines are."""
    document = tally("catalogue", "--sharing", "withheld", "--json", profile=cluster.auditor_profile).json
    assert [each["resource"] for each in document["resources"]] == ["GH-0007"]
    assert document["sharing"] == {"withheld": 1}
    assert document["coverage"]["full"] is True


def test_a_bureau_without_a_catalogue_is_told_so(tally: Tally, cluster: LocalCluster) -> None:
    """Within the coverage, and no error."""
    said = tally("catalogue", "taxation", profile=cluster.auditor_profile)
    assert said.code == 0
    assert "Nothing is declared within the coverage." in said.out


@pytest.mark.parametrize(
    ("arguments", "code"), [(["nobody"], 4), (["--sharing", "perhaps"], 2), (["--on", "2027-02-30"], 2)], ids=str
)
def test_what_is_not_known_is_refused(tally: Tally, cluster: LocalCluster, arguments: list[str], code: int) -> None:
    """In one line, before any ledger is read."""
    said = tally("catalogue", *arguments, profile=cluster.auditor_profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)


@pytest.mark.usefixtures("copies_away")
def test_a_bureau_that_does_not_answer_is_a_gap(tally: Tally, cluster: LocalCluster) -> None:
    """Exit code 3, and the others are listed."""
    with cluster[MARKET].stopped():
        said = tally("catalogue", profile=cluster.auditor_profile)
    assert said.code == 3
    assert "GH-0007" in said.out
    assert "Not covered: market-regulation" in said.out


def test_a_node_that_lies_is_named(tally: Tally, bent: Bent) -> None:
    """Exit code 5."""
    bent.node.lies["ReadEntries"] = lambda bundle: []
    said = tally("catalogue", profile=bent.profile)
    assert said.code == 5
    assert (said.out, "Not covered: market" in said.err) == ("", True)
