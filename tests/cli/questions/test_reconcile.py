"""`tally reconcile` over real nodes: what matches, whose word a half alone is, and which ledger shows no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.core.identifiers import exchange_short_form
from tallystick.core.values import exchange_id
from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tallystick_proto.v1.ledger_pb2 import CheckpointAnswer
from tests.cli.conftest import Bent, Tally
from tests.harness.clusters import checked_cluster
from tests.harness.xroad import DATA, SAMPLE_MAP_TEXT, needs_data

MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"
DIGEST = f"blake3:{'5a' * 32}"
SAME, SIZES, ALONE, UNSENT = "same", "sizes", "alone", "unsent"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Three nodes: two exchanges with both halves, one of which differs, and two halves alone."""
    with checked_cluster(tmp_path_factory.mktemp("reconcile"), 3, nursery) as made:
        market, taxation = made[MARKET].sdk, made[TAXATION].sdk
        for name, size in ((SAME, 7), (SIZES, 8)):
            sent = market.send(name, to=TAXATION, resource="R-1", digest=DIGEST, size=7)
            taxation.receive(name, sender=MARKET, resource="R-1", sent=sent, digest=DIGEST, size=size)
        market.send(ALONE, to=TAXATION, resource="R-1", size=7)
        taxation.receive(UNSENT, sender=PLANNING, resource="R-2", size=7)
        yield made


def short(name: str) -> str:
    return exchange_short_form(exchange_id(name))


def test_each_half_alone_says_whose_word_it_is_and_where_there_is_no_other(tally: Tally, told: LocalCluster) -> None:
    """Exit code 1; what differs convicts neither; the coverage is a full pass."""
    said = tally("reconcile", profile=told.auditor_profile)
    assert said.code == 1
    assert f"{MARKET}\t{TAXATION}\t1\tid, resource, digest, size" in said.lines
    rows = {row[0]: row[3:] for line in said.lines if len(row := line.split("\t")) == 5}
    assert rows == {
        short(SIZES): [
            "market-regulation#4 says it sent size 7; taxation#4 says it received size 8",
            "two signed claims differ, neither is convicted",
        ],
        short(ALONE): [
            "market-regulation#5 says it sent; the ledger of taxation shows no receipt up to #5",
            "one side's word",
        ],
        short(UNSENT): [
            "taxation#5 says it received; the ledger of planning shows no sending up to #2",
            "one side's word",
        ],
    }
    assert "1 matched, 1 with halves that differ, 2 with one half alone." in said.lines
    assert "full pass" in said.out


def test_it_reads_in_chinese(tally: Tally, told: LocalCluster) -> None:
    """Bureaus by their short names, and the same facts."""
    said = tally("reconcile", "--lang", "zh", profile=told.auditor_profile)
    assert said.code == 1
    for words in (
        "市场监管局",
        "规划资源局的台账至 #2 无发送记录",
        "一方之言",
        "1 项相符，1 项收发不符，2 项仅有一方。",
    ):
        assert words in said.out


def test_two_bureaus_without_exchanges_match(tally: Tally, told: LocalCluster) -> None:
    """Nothing to hold together is said, and is no finding."""
    said = tally("reconcile", MARKET, PLANNING, profile=told.auditor_profile)
    assert said.code == 0
    assert "No exchange within the coverage." in said.out


@pytest.mark.parametrize(("name", "code"), [(SAME, 0), (SIZES, 1), (ALONE, 1)])
def test_one_exchange_by_its_id_is_looked_up(tally: Tally, told: LocalCluster, name: str, code: int) -> None:
    """As answered by the indexes, which prove no absence; by its short form, every ledger is read."""
    by_id = tally("reconcile", "--exchange", name, "--json", profile=told.auditor_profile)
    by_name = tally("reconcile", "--exchange", short(name), "--json", profile=told.auditor_profile)
    assert (by_id.code, by_name.code) == (code, code)
    assert (by_id.json["coverage"]["full"], by_name.json["coverage"]["full"]) == (False, True)
    for fate in ("matched", "differing"):
        assert by_id.json[fate] == by_name.json[fate]
    if name == ALONE:
        text = tally("reconcile", "--exchange", name, profile=told.auditor_profile).out
        assert "no receipt by taxation was shown" in text
        assert "that none was left out is not" in text


@pytest.mark.parametrize("unknown", ["nothing", "7QK2M9", "019a8e5c-7d3a-7c41-9f0e-2b6d1c5a8e77"])
def test_an_exchange_nobody_recorded_is_not_found(tally: Tally, told: LocalCluster, unknown: str) -> None:
    """Exit code 4, with the coverage in which there is none."""
    said = tally("reconcile", "--exchange", unknown, profile=told.auditor_profile)
    assert said.code == 4
    assert said.lines[0].startswith("No ")
    assert "Coverage" in said.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nobody"], 4),
        ([MARKET, "nobody"], 4),
        ([MARKET, "--exchange", "x"], 2),
        ([MARKET, MARKET], 2),
        (["a", "b", "c"], 2),
    ],
    ids=str,
)
def test_what_is_not_known_is_refused(tally: Tally, told: LocalCluster, arguments: list[str], code: int) -> None:
    """In one line, before any ledger is read."""
    said = tally("reconcile", *arguments, profile=told.auditor_profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)


@pytest.mark.usefixtures("copies_away")
def test_a_bureau_that_does_not_answer_is_a_gap(tally: Tally, told: LocalCluster) -> None:
    """Exit code 3; halves whose others it should hold are not judged."""
    with told[TAXATION].stopped():
        said = tally("reconcile", profile=told.auditor_profile)
        by_id = tally("reconcile", "--exchange", SAME, profile=told.auditor_profile)
    assert (said.code, by_id.code) == (3, 3)
    assert "the ledger of taxation is not covered\tnot covered" in said.out
    assert "0 matched, 3 not judged." in said.out
    assert "Not covered: taxation" in by_id.out


def test_a_node_that_lies_is_named(tally: Tally, bent: Bent) -> None:
    """Exit code 5, by full pass and by index."""
    bent.node.lies["ReadEntries"] = lambda bundle: []
    said = tally("reconcile", profile=bent.profile)
    assert said.code == 5
    assert (said.out, "Not covered: market" in said.err) == ("", True)
    bent.node.lies["GetCheckpoint"] = lambda answer: CheckpointAnswer(checkpoint=bent.office.note(3, bytes(32)))
    assert tally("reconcile", "--exchange", "x", profile=bent.profile).code == 5


@needs_data
def test_real_records_of_both_sides_match(tally: Tally, cluster: LocalCluster, tmp_path: Path) -> None:
    """X-Road's fifty, by id, service and sizes; no digests on either side; a line that is missing is one half alone."""
    map_file, records = tmp_path / "map.toml", tmp_path / "records.tsv"
    map_file.write_text(SAMPLE_MAP_TEXT)
    lines = DATA.read_bytes().splitlines(keepends=True)
    records.write_bytes(b"".join(lines[:-1]))
    for bureau in (MARKET, TAXATION):
        tally("import", "xroad", records, "--map", map_file, profile=cluster[bureau].profile)
    short_of_one = tally("reconcile", MARKET, TAXATION, profile=cluster.auditor_profile)
    assert short_of_one.code == 1
    assert "49 matched, 1 with one half alone." in short_of_one.lines
    for bureau in (MARKET, TAXATION):
        tally("import", "xroad", DATA, "--map", map_file, profile=cluster[bureau].profile)
    said = tally("reconcile", MARKET, TAXATION, profile=cluster.auditor_profile)
    assert said.code == 0
    by = "id, service, request size, size; no digests on either side; brought in from elsewhere"
    assert said.lines[0] == f"{MARKET}\t{TAXATION}\t50\t{by}"
    assert said.lines[2] == "50 matched."
