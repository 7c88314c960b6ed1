"""`tally systems` over real nodes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.cli.conftest import Bent, Tally
from tests.harness.clusters import checked_cluster

MARKET, PLANNING = "market-regulation", "planning"
YESTERDAY = date.today() - timedelta(days=1)
LONG_AGO = date.today() - timedelta(days=300)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Three nodes, two of which have systems: in use, used by nobody, retired."""
    with checked_cluster(tmp_path_factory.mktemp("systems"), 3, nursery) as made:
        market, planning = made[MARKET].sdk, made[PLANNING].sdk
        market.register_system("PORTAL", name="门户", operator="云数据中心", accepted_on="2012-01-15")
        market.report_system_use("PORTAL", since=LONG_AGO, until=YESTERDAY, users=0, operations=0)
        planning.register_system("PLANS", name="plans")
        planning.report_system_use("PLANS", since=LONG_AGO, until=YESTERDAY, users=3, operations=40)
        planning.register_system("OLD", name="old")
        planning.retire_system("OLD", replaced_by="PLANS")
        yield made


def test_each_line_says_whether_a_system_is_used(tally: Tally, cluster: LocalCluster) -> None:
    """By whose word stands at the entry; that nobody used it holds within the coverage."""
    said = tally("systems", profile=cluster.auditor_profile)
    assert said.code == 0
    rows = {row[1]: row for line in said.lines if len(row := line.split("\t")) == 8}
    assert rows["PORTAL"][4:6] == ["2012-01-15", f"no use within the coverage since {LONG_AGO}"]
    assert rows["PLANS"][4:6] == ["no day given", f"last used {YESTERDAY}"]
    assert rows["OLD"][5] == "retired, planning#6"
    assert rows["PORTAL"][7] == "market-regulation#3"
    assert "3 systems. Each line is its bureau's own word." in said.out
    assert "full pass" in said.out


def test_it_reads_in_chinese(tally: Tally, cluster: LocalCluster) -> None:
    """One bureau's systems, and what became of them."""
    said = tally("systems", PLANNING, "--lang", "zh", profile=cluster.auditor_profile)
    for words in ("规划资源局", "最近使用", "已下线", "未载", "2 个系统", "核查范围"):
        assert words in said.out
    assert "PORTAL" not in said.out


def test_json_has_the_lines_and_the_coverage(tally: Tally, cluster: LocalCluster) -> None:
    """What people read, and the rest of what was registered."""
    document = tally("systems", MARKET, "--json", profile=cluster.auditor_profile).json
    (portal,) = document["systems"]
    assert (portal["use"], portal["known_since"]) == ("unused", LONG_AGO.isoformat())
    assert document["coverage"]["full"] is True


@pytest.mark.parametrize(("arguments", "code"), [(["nobody"], 4), (["a", "b"], 2), (["--on", "x"], 2)], ids=str)
def test_what_is_not_known_is_refused(tally: Tally, cluster: LocalCluster, arguments: list[str], code: int) -> None:
    """In one line, before any ledger is read."""
    said = tally("systems", *arguments, profile=cluster.auditor_profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)


@pytest.mark.usefixtures("copies_away")
def test_a_bureau_that_does_not_answer_is_a_gap(tally: Tally, cluster: LocalCluster) -> None:
    """Exit code 3, and the others' systems are listed."""
    with cluster[MARKET].stopped():
        said = tally("systems", profile=cluster.auditor_profile)
    assert said.code == 3
    assert "PLANS" in said.out
    assert "Not covered: market-regulation" in said.out


def test_a_node_that_lies_is_named(tally: Tally, bent: Bent) -> None:
    """Exit code 5."""
    bent.node.lies["ReadEntries"] = lambda bundle: []
    said = tally("systems", profile=bent.profile)
    assert said.code == 5
    assert (said.out, "Not covered: market" in said.err) == ("", True)
