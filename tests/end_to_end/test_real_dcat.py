"""Five agencies' real catalogues as five bureaus' ledgers: what the audit says of them, and that it says no more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick_node.cluster.local import LocalCluster
from tallystick_node.cluster.nursery import Nursery
from tests.cli.conftest import Tally
from tests.harness.clusters import checked_cluster

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "dcat"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the agencies' catalogues are not here")

BUREAUS = {
    "dhs": "market-regulation",
    "dol": "taxation",
    "gsa": "planning",
    "opm": "human-resources",
    "treasury": "data-office",
}
WITHHELD = {"dhs": 134, "opm": 97, "gsa": 2}
CONDITIONAL = {"dhs": 15, "opm": 8}


@pytest.fixture(scope="module")
def agencies(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[LocalCluster]:
    """Five nodes; the first test brings the catalogues in, the others read."""
    with checked_cluster(tmp_path_factory.mktemp("agencies"), 5, nursery) as made:
        yield made


@pytest.fixture
def document(tally: Tally, agencies: LocalCluster) -> dict[str, Any]:
    """An audit of the catalogues, brought in first where they are not yet."""
    for agency, bureau in BUREAUS.items():
        tally("import", "dcat", DATA / f"{agency}.json", "--json", profile=agencies[bureau].profile)
    said = tally("audit", "--json", profile=agencies.auditor_profile)
    assert said.code == 1
    found: dict[str, Any] = said.json
    return found


def hollow_in(agency: str, words: set[str]) -> list[str]:
    """The data sets of an agency that state nothing but such words, straight from its file."""
    data_sets = json.loads((DATA / f"{agency}.json").read_bytes())["dataset"]
    restricted = [each for each in data_sets if each["accessLevel"] != "public"]
    return [each["identifier"] for each in restricted if str(each.get("rights")).strip().casefold() in words]


def test_the_audit_finds_what_the_catalogues_do_not_state_and_nothing_else(
    document: dict[str, Any], agencies: LocalCluster
) -> None:
    """Counts by rule and agency are those of the files; every other rule is silent; all of it was covered."""
    found: dict[str, Counter[str]] = {}
    for each in document["findings"]:
        found.setdefault(each["rule"], Counter())[each["bureau"]] += 1
    words = {each.casefold() for each in agencies.charter.rulebook["hollow_words"]}
    hollow = {bureau: len(sets) for agency, bureau in BUREAUS.items() if (sets := hollow_in(agency, words))}
    assert found == {
        "withheld-without-basis": {BUREAUS[agency]: count for agency, count in WITHHELD.items()},
        "conditional-without-condition": {BUREAUS[agency]: count for agency, count in CONDITIONAL.items()},
        "hollow-basis": hollow,
    }
    coverage = document["coverage"]
    assert all(ledger["complete"] for ledger in coverage["ledgers"])
    assert coverage["entries"] == 2_264 + 3 * len(BUREAUS)
    assert coverage["unjudged"] == []


def test_each_finding_names_the_data_set_and_its_own_entry(document: dict[str, Any], agencies: LocalCluster) -> None:
    """One entry, on the ledger of the bureau that answers, declares the very code the sentence is about."""
    ids = [each["id"] for each in document["findings"]]
    assert len(set(ids)) == len(ids)
    said = {
        shown.reference: shown.read.statement
        for bureau in BUREAUS.values()
        for shown in agencies.auditor[bureau].entries()
    }
    for each in document["findings"]:
        (reference,) = each["references"]
        statement = said[reference]
        assert reference.startswith(f"{each['bureau']}#")
        assert statement.head.resource == each["facts"]["resource"]
        assert statement.head.resource in each["sentence"]["en"]
        assert each["standing"] == "proven"


def test_hollow_words_are_shown_as_the_agency_wrote_them(document: dict[str, Any], agencies: LocalCluster) -> None:
    """Only words the rulebook lists, in whatever case, and exactly those data sets."""
    words = {each.casefold() for each in agencies.charter.rulebook["hollow_words"]}
    hollow = [each for each in document["findings"] if each["rule"] == "hollow-basis"]
    assert {each["facts"]["words"].casefold() for each in hollow} <= words
    for agency, bureau in BUREAUS.items():
        resources = [each["facts"]["resource"] for each in hollow if each["bureau"] == bureau]
        assert sorted(resources) == sorted(hollow_in(agency, words))


def test_a_second_audit_and_a_second_import_find_the_same(
    tally: Tally, document: dict[str, Any], agencies: LocalCluster, tmp_path: Path
) -> None:
    """The same bytes; and held against the first, every finding is still open and none is new or closed."""
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(document))
    day = document["coverage"]["day"]
    first, second = (tally("audit", "--json", "--on", day, profile=agencies.auditor_profile) for _ in range(2))
    assert first.out == second.out
    assert first.json == document
    compared = tally("audit", "--json", "--on", day, "--since-report", earlier, profile=agencies.auditor_profile).json
    assert {each["life"] for each in compared["findings"]} == {"open"}
    assert (compared["closed"], compared["not_judged"]) == ([], [])
