"""Catalogues as other agencies write them: every oddity is accounted for, and only what nothing states is found."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally

MARKET, TAXATION, PLANNING = "market-regulation", "taxation", "planning"
WITHHELD, CONDITIONAL, HOLLOW = "withheld-without-basis", "conditional-without-condition", "hollow-basis"
URL = "https://www.usa.gov/government-works"
LONG = "Contains personally identifiable information. " * 40

# What is said of a data set, and the rule that reports it; none where it is "".
LEVELS: list[tuple[dict[str, Any], str]] = [
    ({"accessLevel": "public"}, ""),
    ({"accessLevel": "public", "rights": None}, ""),
    ({"accessLevel": "public", "rights": "true"}, ""),
    ({"accessLevel": "public", "rights": URL}, ""),
    ({"accessLevel": "public", "rights": {"@id": URL}}, ""),
    ({"accessLevel": "restricted public"}, CONDITIONAL),
    ({"accessLevel": "restricted public", "rights": None}, CONDITIONAL),
    ({"accessLevel": "restricted public", "rights": ""}, CONDITIONAL),
    ({"accessLevel": "restricted public", "rights": " \t\n"}, CONDITIONAL),
    ({"accessLevel": "restricted public", "rights": URL}, ""),
    ({"accessLevel": "restricted public", "rights": LONG}, ""),
    ({"accessLevel": "restricted public", "rights": "n/a"}, ""),
    ({"accessLevel": "restricted public", "rights": " NA "}, HOLLOW),
    ({"accessLevel": "Restricted Public", "rights": "on request"}, ""),
    ({"accessLevel": "RESTRICTED PUBLIC"}, CONDITIONAL),
    ({"accessLevel": "restricted-public"}, CONDITIONAL),
    ({"accessLevel": "non-public"}, WITHHELD),
    ({"accessLevel": "non-public", "rights": None}, WITHHELD),
    ({"accessLevel": "non-public", "rights": ""}, WITHHELD),
    ({"accessLevel": "non public", "rights": "5 U.S.C. 552a"}, ""),
    ({"accessLevel": "nonpublic"}, WITHHELD),
    ({"accessLevel": "non-public", "rights": "PRIVATE"}, HOLLOW),
    ({"accessLevel": "non-public", "rights": "private data of persons"}, ""),
    ({"accessLevel": "non-public", "rights": "安全\x00\x1b[2J"}, ""),
    ({"accessLevel": "non-public", "rights": "😀" * 399}, ""),
]
# Fields that say nothing of sharing, in forms the schema has and forms it has not.
ASIDE: list[dict[str, Any]] = [
    {"accrualPeriodicity": "R/P1Y"},
    {"accrualPeriodicity": "R/PT1S"},
    {"accrualPeriodicity": "irregular"},
    {"accrualPeriodicity": "Annual"},
    {"accrualPeriodicity": "R/P0.33W"},
    {"accrualPeriodicity": "R/P"},
    {"accrualPeriodicity": ["R/P1D"]},
    {"isPartOf": "0-0"},
    {"isPartOf": {"identifier": "0-0"}},
    {"publisher": "Office of Nothing"},
    {"publisher": {"@type": "org:Organization", "name": "A", "subOrganizationOf": {"name": "B"}}},
    {"publisher": {"name": None, "subOrganizationOf": {"name": "B"}}},
    {"publisher": 7},
    {"contactPoint": {"@type": "vcard:Contact", "fn": "Jane Doe", "hasEmail": "mailto:jane.doe@agency.gov"}},
    {"contactPoint": "Jane Doe"},
    {"distribution": [{"mediaType": "text/csv", "downloadURL": URL}, {"format": "API", "accessURL": URL}]},
    {"distribution": {"format": "PDF"}},
    {"distribution": [None, 7, "x", {"format": ["CSV"]}]},
    {"bureauCode": ["010:86"], "programCode": ["010:000"], "keyword": "one", "theme": None, "language": ["en-US"]},
    {"temporal": "2000-01-15T00:45:00Z/2010-01-15T00:06:00Z", "spatial": {"type": "Point", "coordinates": [1, 2]}},
    {"dataQuality": "yes", "describedBy": URL, "license": URL, "modified": "R/P1D", "references": [URL]},
    {"@type": "dcat:Dataset", "systemOfRecords": URL, "primaryITInvestmentUII": 21_000_123},
    {"title": "题" * 2_000, "description": "x" * 100_000},
]
SKIPPED: list[object] = [
    {"title": "no identifier", "accessLevel": "non-public"},
    {"identifier": None, "title": "t", "accessLevel": "non-public"},
    {"identifier": 42, "title": "t", "accessLevel": "non-public"},
    {"identifier": ["A"], "title": "t", "accessLevel": "non-public"},
    {"identifier": "https://agency.gov/data#1", "title": "t", "accessLevel": "non-public"},
    {"identifier": "A" * 257, "title": "t", "accessLevel": "non-public"},
    {"identifier": "0-0", "title": "the same identifier again", "accessLevel": "non-public"},
    {"identifier": "S-1", "accessLevel": "non-public"},
    {"identifier": "S-2", "title": " ", "accessLevel": "non-public"},
    {"identifier": "S-3", "title": "t"},
    {"identifier": "S-4", "title": "t", "accessLevel": "secret"},
    {"identifier": "S-5", "title": "t", "accessLevel": True},
    "a string",
    None,
]


def levels(prefix: str) -> list[dict[str, Any]]:
    return [{"identifier": f"{prefix}-{n}", "title": "t", **said} for n, (said, _) in enumerate(LEVELS)]


def asides(prefix: str) -> list[dict[str, Any]]:
    return [
        {"identifier": f"{prefix}-{n}", "title": "t", "accessLevel": "public", **said} for n, said in enumerate(ASIDE)
    ]


def catalogue(data_sets: list[object]) -> dict[str, Any]:
    """A file as agencies publish it, with all that stands beside the data sets."""
    return {
        "@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
        "@id": URL,
        "@type": "dcat:Catalog",
        "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
        "describedBy": "https://project-open-data.cio.gov/v1.1/schema/catalog.json",
        "dataset": data_sets,
    }


def expected(prefix: str) -> set[tuple[str, str]]:
    return {(rule, f"{prefix}-{n}") for n, (_, rule) in enumerate(LEVELS) if rule}


def found_in(document: dict[str, Any], bureau: str) -> set[tuple[str, str]]:
    """What is found of a bureau, each once."""
    found = [(each["rule"], each["facts"]["resource"]) for each in document["findings"] if each["bureau"] == bureau]
    assert len(found) == len(set(found))
    return set(found)


def test_odd_catalogues_are_accounted_for_and_judged_by_what_they_state(
    tally: Tally, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Every data set is declared or skipped by name; exactly what states nothing, or only hollow words, is found."""
    whole = [*levels("0"), *asides("1"), *SKIPPED]
    files = {
        MARKET: b"\xef\xbb\xbf" + json.dumps(catalogue(whole), ensure_ascii=False).encode(),
        TAXATION: json.dumps(levels("2")).encode("utf-16"),
        PLANNING: json.dumps({"dataset": []}).encode(),
    }
    for bureau, data in files.items():
        file = tmp_path / f"{bureau}.json"
        file.write_bytes(data)
        report = tally("import", "dcat", file, "--json", profile=cluster[bureau].profile).json
        assert report["recorded"] + len(report["skipped"]) == report["data_sets"]
        first = len(LEVELS) + len(ASIDE)
        places = [first + n for n in range(len(SKIPPED))] if bureau == MARKET else []
        assert [each["position"] for each in report["skipped"]] == places
        assert report["withheld_without_basis"] == (0 if bureau == PLANNING else 4)
    said = tally("audit", "--json", profile=cluster.auditor_profile)
    assert said.code == 1
    assert "jane" not in said.out.casefold()
    document = said.json
    assert found_in(document, MARKET) == expected("0")
    assert found_in(document, TAXATION) == expected("2")
    assert found_in(document, PLANNING) == set()
    text = tally("audit", profile=cluster.auditor_profile)
    assert "\x1b" not in text.out
    assert f"{len(document['findings'])} findings." in text.lines


def test_a_catalogue_that_improves_closes_its_findings(tally: Tally, cluster: LocalCluster, tmp_path: Path) -> None:
    """A basis that is stated later ends the finding, and the later audit says that it is closed; others stay open."""
    profile, auditor = cluster[MARKET].profile, cluster.auditor_profile
    file, earlier = tmp_path / "data.json", tmp_path / "earlier.json"
    file.write_text(json.dumps(levels("0")))
    tally("import", "dcat", file, profile=profile)
    before = tally("audit", "--json", profile=auditor)
    earlier.write_text(before.out)
    better = [
        each | ({"rights": "5 U.S.C. 552a"} if each["accessLevel"] != "public" else {})
        for each in levels("0")[: len(LEVELS) // 2]
    ]
    file.write_text(json.dumps(better + levels("0")[len(LEVELS) // 2 :]))
    tally("import", "dcat", file, profile=profile)
    after = tally("audit", "--json", "--since-report", earlier, profile=auditor).json
    ids = {each["facts"]["resource"]: each["id"] for each in before.json["findings"]}
    gone = {ids[code] for _, code in expected("0") if int(code.removeprefix("0-")) < len(LEVELS) // 2}
    assert set(after["closed"]) == gone
    assert {each["id"]: each["life"] for each in after["findings"]} == dict.fromkeys(set(ids.values()) - gone, "open")


@pytest.mark.parametrize("scheme", [[], ["--scheme", "national"]], ids=["each its own", "one for all"])
def test_one_identifier_in_two_catalogues_is_one_code_only_under_one_scheme(
    tally: Tally, cluster: LocalCluster, tmp_path: Path, scheme: list[str]
) -> None:
    """Two agencies may use one identifier; only where both bring it in under one scheme do they declare one code."""
    file = tmp_path / "data.json"
    file.write_text(json.dumps(asides("1")))
    for bureau in (MARKET, TAXATION):
        tally("import", "dcat", file, *scheme, profile=cluster[bureau].profile)
    said = tally("audit", "--json", profile=cluster.auditor_profile)
    rules = Counter(each["rule"] for each in said.json["findings"])
    assert rules == ({"duplicate-code": len(ASIDE)} if scheme else {})
    assert said.code == (1 if rules else 0)
