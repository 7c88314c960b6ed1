"""`tally lookups` over real nodes: by officer, by hours, and by a subject that nobody is shown."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tallystick.core.compose import Sensitive
from tallystick.core.hashing import leaf_hash
from tallystick.sdk.ledgers import Ledgers
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_proto.v1.ledger_pb2 import Openings
from tallystick_proto.v1.statement_pb2 import Ref
from tests.cli.conftest import Bent, Tally
from tests.harness.clusters import checked_cluster

MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"
OFFICER = "taxation:o-7f3a"
SUBJECT = "310115198001010013"
NIGHT = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai
NOON = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)

Asking = Callable[[bytes], None]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Three nodes: one officer's four lookups, two of one subject, one at night; another bureau's two."""
    with checked_cluster(tmp_path_factory.mktemp("lookups"), 3, nursery) as made:
        taxation, planning = made[TAXATION].sdk, made[PLANNING].sdk
        with taxation.recorder() as record:
            for subject, happened_at in ((SUBJECT, NOON), ("another", NIGHT), (SUBJECT, NOON), (None, NOON)):
                committed = None if subject is None else Sensitive(subject)
                record.use(
                    "R-1@1", purpose="tax-registration", officer=OFFICER, subject=committed, happened_at=happened_at
                )
        planning.use(resource="R-2", purpose="project-approval", case="case-1", subject=Sensitive(SUBJECT))
        planning.use(resource="R-2", purpose="project-approval")
        yield made


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Puts something on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


def test_an_officer_is_looked_up_in_the_indexes(tally: Tally, told: LocalCluster) -> None:
    """Each line says who, when, what, what for, and where it stands; the coverage that none left out is not proven."""
    said = tally("lookups", "--officer", OFFICER, profile=told.auditor_profile)
    assert said.code == 0
    assert said.lines[0].split("\t") == [
        "2026-01-05 12:00:00+08:00",
        OFFICER,
        "R-1@1",
        "tax-registration",
        "none",
        "taxation#3",
    ]
    assert "4 lookups by 1. Each is its bureau's own word, signed." in said.lines
    assert "that none was left out is not" in said.out


def test_hours_are_those_of_the_charters_zone(tally: Tally, told: LocalCluster) -> None:
    """Half past eleven in the evening there is in the night, whatever the clock here says."""
    said = tally("lookups", "--officer", OFFICER, "--hours", "22-06", "--json", profile=told.auditor_profile)
    assert [each["reference"] for each in said.json["lookups"]] == ["taxation#4"]
    every = tally("lookups", "--hours", "22-06", "--json", profile=told.auditor_profile).json
    assert "taxation#4" in [each["reference"] for each in every["lookups"]]
    assert (said.json["coverage"]["full"], every["coverage"]["full"]) == (False, True)


def test_an_officer_without_lookups_in_those_hours_is_known(tally: Tally, told: LocalCluster) -> None:
    """One that nobody ever named is not found: exit code 4."""
    arguments = ("lookups", "--hours", "03-04", "--officer")
    assert tally(*arguments, OFFICER, profile=told.auditor_profile).code == 0
    nobody = tally(*arguments, "taxation:nobody", profile=told.auditor_profile)
    assert nobody.code == 4
    assert "No such lookup was shown." in nobody.out


def test_a_subject_is_opened_by_the_nodes_and_counted_against_their_ledgers(
    tally: Tally, told: LocalCluster, asking: Asking
) -> None:
    """On every ledger; what is proven is told from what is a node's word; the subject is printed nowhere."""
    asking(f"{SUBJECT}\n".encode())
    said = tally("lookups", "--subject-from-stdin", profile=told.auditor_profile)
    assert said.code == 0
    assert [line.split("\t")[-1] for line in said.lines[:3]] == ["taxation#3", "taxation#5", "planning#3"]
    account = (
        "taxation: of 3 lookups of a subject, 2 proven to be of this one; by its node's word alone 1 are of others"
    )
    assert account in said.out
    assert "planning: of 1 lookup of a subject, 1 proven" in said.out
    assert "market-regulation: of" not in said.out
    assert "full pass" in said.out
    assert SUBJECT not in said.out + said.err
    assert all(SUBJECT not in member.log_text for member in told)


def test_a_subject_reads_in_chinese_and_in_json(tally: Tally, told: LocalCluster, asking: Asking) -> None:
    """The same account, with an officer's lookups alone where one is named."""
    asking(SUBJECT.encode())
    said = tally("lookups", "--subject-from-stdin", "--officer", OFFICER, "--lang", "zh", profile=told.auditor_profile)
    assert "税务局：涉及查询对象的 3 次查询中，经核验属此对象 2 次" in said.out
    assert "1 名经办人查询 2 次" in said.out
    asking(b"nobody\n")
    document = tally("lookups", "--subject-from-stdin", "--json", profile=told.auditor_profile).json
    assert document["lookups"] == []
    assert {each["bureau"]: (each["committed"], each["matching"]) for each in document["subject"]} == {
        TAXATION: (3, 0),
        PLANNING: (1, 0),
    }


def test_as_of_a_day_only_what_was_recorded_by_then_is_asked_about(
    tally: Tally, told: LocalCluster, asking: Asking
) -> None:
    """Before the first lookup there is nothing, and no node is told the subject."""
    asking(SUBJECT.encode())
    document = tally(
        "lookups", "--subject-from-stdin", "--on", "2020-01-01", "--json", profile=told.auditor_profile
    ).json
    assert (document["lookups"], document["subject"]) == ([], [])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--officer", "nobody"], 2),
        (["--officer", "nobody:o-1"], 4),
        (["--hours", "22"], 2),
        (["--hours", "22-22"], 2),
        (["--subject", SUBJECT], 2),
        ([SUBJECT], 2),
        (["--on", "x"], 2),
    ],
    ids=str,
)
def test_what_is_not_known_is_refused(tally: Tally, told: LocalCluster, arguments: list[str], code: int) -> None:
    """In one line, before any ledger is read."""
    said = tally("lookups", *arguments, profile=told.auditor_profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe\n"])
def test_no_subject_is_wrong_usage(tally: Tally, told: LocalCluster, asking: Asking, data: bytes) -> None:
    """Nothing on standard input, or no text."""
    asking(data)
    said = tally("lookups", "--subject-from-stdin", profile=told.auditor_profile)
    assert (said.code, said.out) == (2, "")


@pytest.mark.usefixtures("copies_away")
def test_a_bureau_that_does_not_answer_is_a_gap(tally: Tally, told: LocalCluster, asking: Asking) -> None:
    """Exit code 3; the others' lookups are shown."""
    with told[TAXATION].stopped():
        by_officer = tally("lookups", "--officer", OFFICER, profile=told.auditor_profile)
        asking(SUBJECT.encode())
        by_subject = tally("lookups", "--subject-from-stdin", profile=told.auditor_profile)
    assert (by_officer.code, by_subject.code) == (3, 3)
    assert "planning#3" in by_subject.out
    for said in (by_officer, by_subject):
        assert "Not covered: taxation" in said.out


def test_a_node_that_lies_is_named(tally: Tally, bent: Bent, asking: Asking) -> None:
    """Exit code 5, and what it said matched is not shown."""
    from tallystick.sdk.wire import Wire
    from tallystick_proto.v1.ledger_pb2 import SubmitRequest

    wire = Wire(bent.node.bureau)
    wire.submit(SubmitRequest(submission=bent.office.uses(SUBJECT, "another")))
    wire.close()

    def other(answer: Openings) -> None:
        answer.opening[0].index += 1

    asking(SUBJECT.encode())
    assert "market#3" in tally("lookups", "--subject-from-stdin", profile=bent.profile).out
    bent.node.lies["FindOpenings"] = other
    asking(SUBJECT.encode())
    said = tally("lookups", "--subject-from-stdin", profile=bent.profile)
    assert said.code == 5
    assert "Not covered: market" in said.out
    assert SUBJECT not in said.out + said.err
    assert "market#4\n" not in said.out


def test_what_was_erased_is_accounted_for(tally: Tally, told: LocalCluster, asking: Asking) -> None:
    """It is a lookup of somebody still, which nothing opens any more."""
    with Ledgers.open(told.auditor_profile) as ledgers:
        entry = Ref(origin=told[PLANNING].bureau.origin, index=3, leaf=leaf_hash(ledgers.show("planning#3").entry.raw))
    told[PLANNING].sdk.erase(entry=entry, field_path="data_used.subject", reason="the case is closed")
    asking(SUBJECT.encode())
    said = tally("lookups", "--subject-from-stdin", profile=told.auditor_profile)
    account = "planning: of 1 lookup of a subject, 0 proven to be of this one; by its node's word alone 0 are of others"
    assert f"{account}, and it holds nothing to open 1." in said.out
    assert "taxation: of 3 lookups of a subject, 2 proven" in said.out
