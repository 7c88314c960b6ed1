"""`tally shown` over real nodes: what was searched for and found, of an entry, a subject, a ledger, to a reader."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator

import pytest

from tallystick.core.compose import Sensitive
from tallystick.core.errors import NotAllowed
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_proto.v1.ledger_pb2 import Openings
from tests.cli.conftest import Bent, Tally
from tests.harness.clusters import checked_cluster

TAXATION, PLANNING = "taxation", "planning"
SUBJECT = "310115198001010013"
AUDITOR = "audit-office"

Asking = Callable[[str], None]


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Puts something on standard input."""

    def put(line: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line.encode())))

    return put


@pytest.fixture
def told(
    tmp_path_factory: pytest.TempPathFactory, nursery: Nursery, tally: Tally, asking: Asking
) -> Iterator[LocalCluster]:
    """Three nodes: of five lookups, #3 to #5 and two elsewhere, three are of one subject, who is searched for once."""
    with checked_cluster(tmp_path_factory.mktemp("shown"), 3, nursery) as made:
        taxation, planning = made[TAXATION].sdk, made[PLANNING].sdk
        for subject in (SUBJECT, "another", SUBJECT):
            taxation.use("R-1@1", purpose="tax-registration", subject=Sensitive(subject))
        planning.use(resource="R-2", purpose="project-approval", subject=Sensitive(SUBJECT))
        planning.use(resource="R-2", purpose="project-approval")
        asking(SUBJECT)
        assert tally("lookups", "--subject-from-stdin", profile=made.auditor_profile).code == 0
        yield made


def rows(document: dict[str, object]) -> list[tuple[object, ...]]:
    shown = document["shown"]
    assert isinstance(shown, list)
    return [(each["how"], each["entry"], each["reference"]) for each in shown]


def test_of_an_entry_it_says_which_search_found_it(tally: Tally, told: LocalCluster) -> None:
    """The node opens which of the entries searched it was, and the asking is on the record for the next who asks."""
    said = tally("shown", "taxation#5", profile=told.auditor_profile)
    assert said.code == 0, said.err
    assert [line.split("\t")[1:] for line in said.lines[:2]] == [
        [AUDITOR, "search: subject of data used", "taxation#0-5", "taxation#6"],
        [AUDITOR, "found: subject of data used", "taxation#5", "taxation#8"],
    ]
    assert "taxation: of 2 entries found by searches, 1 proven to be this one; by its node's word alone 1" in said.out
    assert "full pass" in said.out
    again = tally("shown", "taxation#4", "--json", profile=told.auditor_profile).json
    assert rows(again) == [("searched", None, "taxation#6"), ("searched", None, "taxation#9")]
    assert again["opened"] == [{"bureau": TAXATION, "committed": 2, "matching": 0, "opened": 2, "unopened": 0}]


def test_of_a_subject_it_says_who_was_shown_an_entry_of_his(tally: Tally, told: LocalCluster, asking: Asking) -> None:
    """On every ledger, and what was searched for others is none of it; the subject is printed nowhere."""
    asking(SUBJECT)
    said = tally("shown", "--subject-from-stdin", "--json", profile=told.auditor_profile)
    assert sorted(rows(said.json), key=str) == [
        ("found", "planning#3", "planning#6"),
        ("found", "taxation#3", "taxation#7"),
        ("found", "taxation#5", "taxation#8"),
    ]
    assert {each["bureau"]: each["matching"] for each in said.json["opened"]} == {TAXATION: 2, PLANNING: 1}
    asking("another")
    other = tally("shown", TAXATION, "--subject-from-stdin", "--lang", "zh", profile=told.auditor_profile)
    assert "核查范围内无此类查阅留痕。" in other.out
    assert "税务局：涉及查询对象的查询 3 次中，经核验属此对象 1 次" in other.out
    assert SUBJECT not in said.out + said.err + other.out


def test_of_a_ledger_it_lists_all_and_opens_nothing(tally: Tally, told: LocalCluster) -> None:
    """What was found is one of several; no node is asked, and nothing is recorded of this."""
    said = tally("shown", TAXATION, "--lang", "zh", profile=told.auditor_profile)
    assert said.code == 0
    assert [line.split("\t")[2:4] for line in said.lines[:3]] == [
        ["按值查找：数据使用·查询对象", "taxation#0-5"],
        ["查得：数据使用·查询对象", "taxation#0-5 之一"],
        ["查得：数据使用·查询对象", "taxation#0-5 之一"],
    ]
    assert "3 条查阅留痕，各为出示节点之言。" in said.lines
    document = tally("shown", "--json", profile=told.auditor_profile).json
    assert len(document["shown"]) == 5
    assert {each["bureau"]: each["size"] for each in document["coverage"]["ledgers"]}[TAXATION] == 9
    assert tally("shown", "--to", AUDITOR, "--json", profile=told.auditor_profile).json["shown"] == document["shown"]
    assert tally("shown", "--to", TAXATION, "--json", profile=told.auditor_profile).json["shown"] == []


def test_what_was_read_is_recorded_by_the_node_that_showed_it(tally: Tally, told: LocalCluster) -> None:
    """An auditor's reading by whoever showed it, at the latest when the node stops; the bureau's own not at all."""
    for member in told:
        member.sdk.entry(0)
    tally("show", "taxation#1", "--profile", told[PLANNING].profile)
    told[TAXATION].stop()
    told[TAXATION].start()
    document = tally("shown", "taxation#1", "--json", profile=told.auditor_profile).json
    read = {each["to"].partition(":")[0]: each for each in document["shown"] if each["how"] == "read"}
    assert read.keys() == {AUDITOR, PLANNING}
    assert {each["bureau"] for each in read.values()} == {TAXATION}
    assert (read[PLANNING]["first"], read[PLANNING]["count"]) == (1, 1)
    assert read[AUDITOR]["first"] == 0


def test_who_searched_is_on_the_record_whatever_becomes_of_the_node(tally: Tally, told: LocalCluster) -> None:
    """What the asker was told was recorded before: a node that is killed then has it when it is back."""
    told[TAXATION].kill()
    told[TAXATION].start()
    document = tally("shown", TAXATION, "--json", profile=told.auditor_profile).json
    assert [each["how"] for each in document["shown"] if each["how"] != "read"] == ["searched", "found", "found"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["taxation#99"], 4),
        (["nobody"], 4),
        (["nobody#1"], 4),
        (["taxation#x"], 2),
        (["--on", "x"], 2),
        (["--to", "zzz"], 2),
        (["--to", "zzz:clerk"], 2),
        (["--to", ""], 2),
        (["--to", "taxation:A b"], 2),
    ],
    ids=str,
)
def test_what_is_not_known_is_refused(tally: Tally, told: LocalCluster, arguments: list[str], code: int) -> None:
    """In one line."""
    said = tally("shown", *arguments, profile=told.auditor_profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)


def test_who_may_not_have_it_opened_is_shown_what_is_in_the_open(tally: Tally, bent: Bent, asking: Asking) -> None:
    """What may have been the entry stays one of several, and that is no gap; a node that lies is one."""
    from tallystick.sdk.wire import Wire
    from tallystick_proto.v1.ledger_pb2 import SubmitRequest

    wire = Wire(bent.node.bureau)
    wire.submit(SubmitRequest(submission=bent.office.uses(SUBJECT, "another")))
    wire.close()
    asking(SUBJECT)
    assert "market#3" in tally("lookups", "--subject-from-stdin", profile=bent.profile).out

    def refuse(answer: Openings) -> None:
        raise NotAllowed("this is not for you to call")

    bent.node.lies["FindOpenings"] = refuse
    said = tally("shown", "market#3", profile=bent.profile)
    assert said.code == 0, said.err
    assert "1 of these found one of several entries; which, was not opened to you." in said.lines

    def other(answer: Openings) -> None:
        answer.opened += 1

    bent.node.lies["FindOpenings"] = other
    caught = tally("shown", "market#3", profile=bent.profile)
    assert caught.code == 5
    assert "Not covered: market" in caught.out
