"""`tally trace` over real nodes: the tree, as text, as JSON and as a graph."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Said, Tally
from tests.cli.questions.conftest import LICENCES, MARKET, PARCELS, PLANNING, TAX, TAXES, Told


def rows(said: Said) -> list[list[str]]:
    return [line.split("\t") for line in said.lines if "\t" in line]


def test_the_tree_goes_up_to_the_sources_and_down_to_the_holders(tally: Tally, told: Told) -> None:
    """Each row names who says it, where, and how far it is proven."""
    at = told.at
    found = rows(tally("trace", LICENCES, profile=told.profile))
    assert [row[0] for row in found] == [
        LICENCES,
        f"├─ from {PARCELS}",
        f"│  └─ to {MARKET}",
        f"├─ to {TAX}",
        f"└─ into {TAXES}",
        f"   └─ to {PLANNING}",
    ]
    assert [row[4] for row in found] == ["proven"] * 5 + ["one side's word"]
    assert found[0][1:3] == [MARKET, at["licences"]]
    assert at["recalled"] in found[0][3]
    assert found[3][2] == f"{at['sent']} {at['received']}"
    assert found[3][3].endswith(f"sent and received alike; last used {at['used after']}")
    assert found[5][2:4] == [at["alone"], found[5][3]]
    assert found[5][3].endswith(f"no receipt by {PLANNING} was shown")


def test_in_chinese_it_reads_as_a_tree_too(tally: Tally, told: Told) -> None:
    """Bureaus by their short names."""
    found = rows(tally("trace", LICENCES, "--lang", "zh", profile=told.profile))
    assert [row[0] for row in found[1:]] == [
        f"├─ 来自 {PARCELS}",
        "│  └─ 至 市场监管局",
        "├─ 至 税务局",
        f"└─ 用于 {TAXES}",
        "   └─ 至 规划资源局",
    ]
    assert "收发相符" in found[3][3]
    assert found[5][4] == "一方之言"


def test_json_is_the_same_by_either_option(tally: Tally, told: Told) -> None:
    """Nested as the tree is, with the coverage."""
    said = tally("trace", TAXES, "--format", "json", profile=told.profile)
    assert said.out == tally("trace", TAXES, "--json", profile=told.profile).out
    licences = said.json["made_from"][0]
    assert (licences["version"], licences["bureau"], licences["recalled"]) == (LICENCES, MARKET, told.at["recalled"])
    assert licences["made_from"][0]["version"] == PARCELS
    assert said.json["coverage"]["full"] is False


def test_what_is_told_elsewhere_hangs_there(tally: Tally, told: Told) -> None:
    """Once; where it stands again, the row says so."""
    planning = told.cluster[PLANNING].sdk
    for version, sources in (("D-1@1", []), ("D-1@2", ["D-1@1"]), ("D-1@3", ["D-1@1", "D-1@2"])):
        planning.provide_version(version, digest=f"blake3:{'5a' * 32}", derived_from=sources)
    found = rows(tally("trace", "D-1@1", profile=told.profile))
    assert [row[0] for row in found] == ["D-1@1", "├─ into D-1@2", "│  └─ into D-1@3", "└─ into D-1@3"]
    assert found[3][3].endswith("; told elsewhere in this tree")
    unseen = rows(tally("trace", "D-1@0", "--lang", "zh", profile=told.profile))
    assert unseen == []
    planning.provide_version("D-2@1", digest=f"blake3:{'5a' * 32}", derived_from=["D-2@0"])
    unseen = rows(tally("trace", "D-2@0", profile=told.profile))
    assert unseen[0] == ["D-2@0", "", "", "no providing of it was shown", "not covered"]


@pytest.mark.parametrize(("language", "bureau"), [("en", "taxation"), ("zh", "税务局")])
def test_a_graph_carries_its_coverage_as_comments(tally: Tally, told: Told, language: str, bureau: str) -> None:
    """Every line is the graph's or a comment, so that it can be piped on as it is."""
    said = tally("trace", LICENCES, "--format", "dot", "--lang", language, profile=told.profile)
    end = said.lines.index("}")
    assert (said.code, said.lines[0]) == (0, "digraph trace {")
    assert f'  "{LICENCES}" -> "{TAXES}";' in said.lines[:end]
    assert any(f'label="{bureau}"' in line for line in said.lines[:end])
    assert said.lines[end + 1 :]
    assert all(line.startswith("// ") for line in said.lines[end + 1 :])


@pytest.mark.usefixtures("copies_away")
def test_a_graph_of_nothing_is_empty_and_not_found(tally: Tally, told: Told) -> None:
    """Exit code 4; with a node down, 3, and the gap stands among the comments."""
    said = tally("trace", "X-1@1", "--format", "dot", profile=told.profile)
    assert (said.code, said.lines[0]) == (4, "digraph trace {")
    with told.cluster[TAX].stopped():
        said = tally("trace", "X-1@1", "--format", "dot", profile=told.profile)
    assert said.code == 3
    assert any(line.startswith("// Not covered: taxation") for line in said.lines)


def test_on_a_terminal_it_is_laid_out_and_keeps_its_shape(
    tally: Tally, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns instead of tabs, with a header."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    said = tally("trace", LICENCES, profile=told.profile)
    assert "\t" not in said.out
    assert "version" in said.lines[0]
    assert "how far proven" in said.lines[0]
    assert any(line.startswith(f"├─ to {TAX} ") for line in said.lines)
    assert json.loads(tally("trace", LICENCES, "--json", profile=told.profile).out)
