"""Provenance: what a resource came from and where it went, whose graph is drawn, and where it is cut."""

from __future__ import annotations

import pytest

from tallystick.audit.report.page import page
from tallystick.audit.report.provenance import DEPTH_MAX, NODES_MAX, VERSIONS_MAX, Provenance
from tallystick.core.errors import NotFound
from tests.harness.district import District
from tests.harness.reported import Page, busy, report
from tests.harness.stories import digest_of


def drawn(where: District, resource: str | None = None) -> Provenance:
    found = report(where, resource=resource).provenance
    assert found is not None
    return found


def provide(where: District, version: str, *sources: str) -> None:
    digest = digest_of(int.from_bytes(version.encode()))
    where["market"].say("provide_version", version=version, digest=digest, derived_from=list(sources))


def test_both_directions_are_followed() -> None:
    """From the middle of a chain its source lies to the left and what was made of it to the right."""
    found = drawn(busy(), "T-1")
    assert {node.code: node.depth for node in found.nodes} == {"R-1": -1, "T-1": 0, "P-1": 1}
    assert found.edges == {("R-1", "T-1"): 1, ("T-1", "P-1"): 1}


def test_a_source_nobody_provided_is_shown_as_not_known() -> None:
    """What is derived from something outside the coverage leads to a node that says so."""
    nodes = {node.code: node for node in drawn(busy(), "P-1").nodes}
    assert not nodes["X-9"].known
    assert nodes["R-1"].known


def test_a_resource_known_only_as_a_source_can_be_chosen() -> None:
    """Its graph shows what was made of it, though nobody provided it within the coverage."""
    found = drawn(busy(), "X-9")
    assert {node.code: node.known for node in found.nodes} == {"X-9": False, "P-1": True}
    assert found.edges == {("X-9", "P-1"): 1}


def test_holders_and_recalls_are_counted() -> None:
    """A node says who received any of its versions, and how many were recalled."""
    (node,) = (node for node in drawn(busy(), "R-1").nodes if node.code == "R-1")
    assert (node.versions, node.recalled, node.holders) == (1, 1, ("tax",))


def test_the_resource_most_was_made_of_is_drawn_unless_one_is_named() -> None:
    """By the number of versions derived; of two alike the first by code."""
    where = District("market")
    provide(where, "B@1")
    provide(where, "A@1")
    provide(where, "C@1", "B@1", "A@1")
    assert drawn(where).code == "A"
    provide(where, "C@2", "B@1")
    assert drawn(where).code == "B"


def test_without_derived_versions_nothing_is_drawn() -> None:
    """A district where nothing was made of anything has no graph, unless a resource is named."""
    where = District("market")
    provide(where, "A@1")
    assert report(where).provenance is None
    assert [node.code for node in drawn(where, "A").nodes] == ["A"]


def test_a_resource_nobody_knows_is_refused() -> None:
    """With its name, and what was expected."""
    with pytest.raises(NotFound, match="no resource 'NOPE'"):
        report(busy(), resource="NOPE")


def test_resources_made_of_each_other_end() -> None:
    """A circle of resources, and a version that names itself as its source, are drawn once each."""
    where = District("market")
    provide(where, "A@1")
    provide(where, "B@1", "A@1")
    provide(where, "A@2", "B@1", "A@2", "A@1")
    found = drawn(where, "A")
    assert sorted(node.code for node in found.nodes) == ["A", "B"]
    assert found.edges == {("A", "B"): 1, ("B", "A"): 1}


def test_what_is_too_far_or_too_many_is_counted() -> None:
    """Beyond so many steps and so many resources nothing is drawn, and the page says how much."""
    where = District("market")
    provide(where, "A-0@1")
    for step in range(DEPTH_MAX + 2):
        provide(where, f"A-{step + 1}@1", f"A-{step}@1")
    assert drawn(where, "A-0").cut == 2
    for number in range(NODES_MAX + VERSIONS_MAX):
        provide(where, f"B-{number:03d}@1", "A-0@1")
    found = drawn(where, "A-0")
    assert len(found.nodes) == NODES_MAX
    assert found.cut == (DEPTH_MAX + 3) + (NODES_MAX + VERSIONS_MAX) - NODES_MAX
    for number in range(VERSIONS_MAX + 3):
        provide(where, f"A-0@v{number}")
    assert drawn(where, "A-0").versions_cut > 0


def test_a_command_on_the_page_runs_nothing_that_a_ledger_says() -> None:
    """A code may hold what a shell would run: where a command names it, it is quoted."""
    where = District("market")
    provide(where, "$(rm -rf ~)@1")
    for number in range(VERSIONS_MAX + 1):
        provide(where, f"$(rm -rf ~)@v{number}", "$(rm -rf ~)@1")
    assert "tally trace '$(rm -rf ~)@1'" in Page(page(report(where, resource="$(rm -rf ~)"), "en")).text
