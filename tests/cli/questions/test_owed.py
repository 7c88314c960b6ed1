"""`tally owed` and `tally inbox` over real nodes: what is read, in which language, with which exit code."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.cli.conftest import Bent, Tally
from tests.harness.clusters import checked_cluster
from tests.harness.waiting import until

MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"
EVIL = "R-1; rm -rf $HOME"
LATER = (date.today() + timedelta(days=60)).isoformat()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Three nodes on which a request, a duty and a sending wait for their answers."""
    with checked_cluster(tmp_path_factory.mktemp("owed"), 3, nursery) as made:
        market, taxation, planning = (made[bureau].sdk for bureau in (MARKET, TAXATION, PLANNING))
        market.declare("SCJG-0012", scheme="local", title="企业登记", sharing="unconditional")
        taxation.request("SCJG-0012", provider=MARKET, purpose="tax-registration")
        taxation.request(EVIL, provider=MARKET, purpose="tax-registration")
        market.assign_duty(PLANNING, duty="supervisor", matter="310115-GH-03")
        market.send("exchange-1", to=TAXATION, resource="SCJG-0012", digest=f"committed:{'ab' * 32}", size=7)
        planning.raise_concern(to=MARKET, sort="quality", resource="SCJG-0012", words="line 40")
        yield made


def test_each_line_says_who_owes_what_to_whom_and_how_to_answer(tally: Tally, cluster: LocalCluster) -> None:
    """With the entry that opened it, and how far it is proven; below them the coverage of a full pass."""
    said = tally("owed", profile=cluster.auditor_profile)
    assert said.code == 0
    rows = {row[6]: row for line in said.lines if len(row := line.split("\t")) == 8}
    assert len(rows) == 5
    assert rows["taxation#3"][:3] == [MARKET, TAXATION, "an answer to the request for SCJG-0012"]
    assert rows["market-regulation#4"][2] == "whether it is supervisor of 310115-GH-03"
    assert (rows["taxation#3"][7], rows["market-regulation#5"][7]) == ("proven", "one side's word")
    assert "No answer to any of these stands within the coverage." in said.lines
    commands = [line.split("\t") for line in said.lines if line.count("\t") == 1]
    assert ["taxation#3", "tally grant taxation#3"] in commands
    assert ["taxation#3", "tally deny taxation#3 --reason TEXT"] in commands
    assert ["market-regulation#4", "tally duty decline market-regulation#4"] in commands
    (receive,) = (command for reference, command in commands if reference == "market-regulation#5")
    assert receive.startswith("tally receive ")
    assert receive.endswith(".SALT FILE --sender market-regulation")
    assert "full pass" in said.out


def test_what_a_ledger_says_is_no_command(tally: Tally, cluster: LocalCluster) -> None:
    """A code that a shell would run is one quoted word of the command that answers."""
    market = cluster[MARKET].sdk
    asked = cluster[PLANNING].sdk.request(EVIL, provider=MARKET, purpose="joint-supervision")
    granted = market.grant(asked, to=PLANNING, resource=EVIL)
    found = tally("owed", MARKET, "--json", profile=cluster.auditor_profile).json["owed"]
    (command,) = next(each["answers"] for each in found if each["reference"] == granted.reference)
    assert shlex.split(command)[2] == f"{EVIL}@VERSION"


def test_the_inbox_is_what_the_own_bureau_owes(tally: Tally, cluster: LocalCluster) -> None:
    """The same as asking for that bureau; an auditor has none."""

    def mine() -> Any:
        return tally("inbox", "--json", profile=cluster[PLANNING].profile).json["owed"]

    assert [(each["bureau"], each["rule"]) for each in mine()] == [(PLANNING, "duty-unaccepted")]
    # What was recorded a moment ago is witnessed in a moment, and both say whether it is.
    until(lambda: mine() == tally("owed", PLANNING, "--json", profile=cluster.auditor_profile).json["owed"])
    nobody = tally("inbox", profile=cluster.auditor_profile)
    assert (nobody.code, nobody.out) == (2, "")


def test_it_is_late_once_its_day_is_over(tally: Tally, cluster: LocalCluster) -> None:
    """Judged as of the day that was asked for; what is late is owed all the same, and no error."""
    today = tally("owed", "--to", TAXATION, "--json", profile=cluster.auditor_profile).json["owed"]
    later = tally("owed", "--to", TAXATION, "--json", "--on", LATER, profile=cluster.auditor_profile).json["owed"]
    assert [each["reference"] for each in later] == [each["reference"] for each in today]
    assert not any(each["late"] for each in today)
    assert all(each["late"] and each["late_days"] > 0 for each in later)
    said = tally("owed", "--to", TAXATION, "--on", LATER, "--lang", "zh", profile=cluster.auditor_profile)
    assert said.code == 0
    for words in ("市场监管局", "税务局", "答复 SCJG-0012 的共享申请", "个工作日", "核查范围"):
        assert words in said.out


def test_a_bureau_nobody_owes_is_told_so(tally: Tally, cluster: LocalCluster) -> None:
    """Within the coverage, in either language."""
    arguments = ("owed", TAXATION, "--to", PLANNING)
    assert "Nothing is owed within the coverage." in tally(*arguments, profile=cluster.auditor_profile).out
    assert "核查范围内无待办。" in tally(*arguments, "--lang", "zh", profile=cluster.auditor_profile).out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["owed", "nobody"], 4), (["owed", "--to", "nobody"], 4), (["owed", "--on", "x"], 2), (["inbox", "me"], 2)],
    ids=str,
)
def test_what_is_not_known_is_refused(tally: Tally, cluster: LocalCluster, arguments: list[str], code: int) -> None:
    """In one line, before any ledger is read."""
    said = tally(*arguments, profile=cluster[MARKET].profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)


@pytest.mark.usefixtures("copies_away")
def test_a_bureau_that_does_not_answer_is_a_gap(tally: Tally, cluster: LocalCluster) -> None:
    """Exit code 3; what it owes is not covered, and what the others owe is said."""
    with cluster[MARKET].stopped():
        said = tally("owed", profile=cluster.auditor_profile)
        alone = tally("owed", MARKET, profile=cluster.auditor_profile)
    assert (said.code, alone.code) == (3, 3)
    assert "Not covered: market-regulation" in said.out
    assert "What market-regulation owes is not covered" in alone.out
    assert "Nothing is owed" not in alone.out


def test_a_node_that_lies_is_named(tally: Tally, bent: Bent) -> None:
    """Exit code 5."""
    assert tally("inbox", profile=bent.profile).code == 0
    bent.node.lies["ReadEntries"] = lambda bundle: []
    said = tally("inbox", profile=bent.profile)
    assert said.code == 5
    assert (said.out, "Not covered: market" in said.err) == ("", True)
