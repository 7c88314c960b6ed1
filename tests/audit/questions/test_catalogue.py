"""What is declared: one line a declaration that stands, with its ground and its latest version."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.audit.questions.catalogue import catalogue_json, resources
from tests.harness.district import District

MARKET, PLANNING = "market", "planning"
DIGEST = f"blake3:{'5a' * 32}"


def asked_of(district: District, on: str = "2027-12-31", bureau: str = "", sharing: str = "") -> dict[str, Any]:
    _, seen, _ = district.look(on, rules=())
    return catalogue_json(resources(seen, bureau, sharing))


@pytest.fixture
def district() -> District:
    """Two bureaus with three resources of three sharing classes; one has two versions, the later recalled."""
    made = District(MARKET, PLANNING)
    market, planning = made[MARKET], made[PLANNING]
    market.declare("M-2", scheme="local", title="two", sharing="conditional", condition={"words": "by contract"})
    market.declare("M-1", scheme="local", title="one", sharing="unconditional", public=True, update_cycle="R/P1M")
    planning.declare("P-1", scheme="local", title="three", sharing="withheld")
    for number, version in enumerate(("M-1@b", "M-1@a"), 2):
        made.on(f"2027-03-0{number}")
        market.provide_version(version, digest=DIGEST, size=1)
    made.on("2027-03-05")
    market.recall("M-1@a", reason="shifted")
    return made


def test_every_declaration_stands_once_by_bureau_and_code(district: District) -> None:
    """With its class, the ground it states, if any, and how many there are of each class."""
    found = asked_of(district)
    rows = [(each["bureau"], each["resource"], each["sharing"], each["ground"]) for each in found["resources"]]
    assert rows == [
        (MARKET, "M-1", "unconditional", None),
        (MARKET, "M-2", "conditional", "by contract"),
        (PLANNING, "P-1", "withheld", None),
    ]
    assert found["sharing"] == {"unconditional": 1, "conditional": 1, "withheld": 1}
    assert [each["public"] for each in found["resources"]] == [True, False, False]


def test_the_latest_version_is_the_one_provided_last(district: District) -> None:
    """Whatever it is called; that it was recalled stands beside it."""
    first = asked_of(district)["resources"][0]
    latest = {"version": "M-1@a", "reference": "market#3", "recalled": "market#4"}
    assert first["versions"] == 2
    assert latest.items() <= first["latest"].items()
    assert asked_of(district, "2027-03-04")["resources"][0]["latest"]["recalled"] is None
    assert asked_of(district, "2027-03-01")["resources"][0]["latest"] is None


def test_a_later_declaration_supersedes_and_a_withdrawn_one_is_gone(district: District) -> None:
    """The catalogue is what stands at the end of the day asked for."""
    district.on("2027-03-08")
    again = district[PLANNING].declare("P-1", scheme="local", title="three", sharing="withheld", basis={"code": "12"})
    district[MARKET].withdraw("M-2", reason="merged")
    rows = {each["resource"]: each for each in asked_of(district)["resources"]}
    assert rows.keys() == {"M-1", "P-1"}
    assert (rows["P-1"]["reference"], rows["P-1"]["ground"]) == (again.reference, "12")
    assert {each["resource"] for each in asked_of(district, "2027-03-07")["resources"]} == {"M-1", "M-2", "P-1"}


def test_one_bureau_or_one_class_is_a_part_of_all(district: District) -> None:
    """The same lines as in the whole list."""
    every = asked_of(district)["resources"]
    assert asked_of(district, bureau=MARKET)["resources"] == [each for each in every if each["bureau"] == MARKET]
    withheld = [each for each in every if each["sharing"] == "withheld"]
    assert asked_of(district, sharing="withheld")["resources"] == withheld


def test_a_version_of_another_bureau_is_not_its(district: District) -> None:
    """Who provides under a foreign code adds nothing to the catalogue of who declared it."""
    district.on("2027-03-09")
    district[PLANNING].provide_version("M-2@1", digest=DIGEST, size=1)
    assert [each["versions"] for each in asked_of(district)["resources"]] == [2, 0, 0]
