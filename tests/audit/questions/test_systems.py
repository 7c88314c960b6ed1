"""The inventory: what is registered, and whether it is recorded to be used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tallystick.audit.questions.systems import system_json, systems
from tests.harness.district import District

MARKET, TAXATION = "market", "taxation"


def asked_of(district: District, on: str = "2027-06-30", bureau: str = "") -> dict[str, dict[str, Any]]:
    _, seen, _ = district.look(on, rules=())
    return {each.code: system_json(each, seen) for each in systems(seen, bureau)}


def told() -> District:
    """Four systems: one reported in use, one that sent, one of which nothing is heard, one retired."""
    district = District(MARKET, TAXATION)
    market = district[MARKET]
    for code in ("USED", "SENDING", "IDLE", "GONE"):
        market.register_system(code, name=code.lower(), accepted_on="2026-01-05")
    district.on("2027-03-09")
    market.report_system_use("USED", since="2027-02-01", until="2027-03-08", users=3, operations=40)
    market.report_system_use("IDLE", since="2026-06-01", until="2027-03-08", users=0, operations=0)
    market.send(b"e" * 16, to=TAXATION, resource="M-1", system="SENDING", size=1)
    market.retire_system("GONE", replaced_by="USED")
    return district


def test_each_system_is_used_or_retired_or_nobody_is_recorded_to_use_it() -> None:
    """Reports and entries that name it count as use; a report of nobody counts from when on nothing was heard."""
    found = asked_of(told())
    assert {code: each["use"] for code, each in found.items()} == {
        "GONE": "retired",
        "IDLE": "unused",
        "SENDING": "used",
        "USED": "used",
    }
    assert (found["USED"]["used_until"], found["USED"]["operations"]) == ("2027-03-08", 40)
    assert (found["SENDING"]["used_until"], found["SENDING"]["exchanged_on"]) == ("2027-03-09", "2027-03-09")
    assert found["USED"]["exchanged_on"] is None
    assert found["IDLE"]["known_since"] == "2026-06-01"
    assert found["GONE"]["retired"] == "market#7"


def test_it_is_judged_as_of_the_day_asked_for() -> None:
    """Before the reports nobody was recorded to use any."""
    assert {each["use"] for each in asked_of(told(), "2027-03-08").values()} == {"unused"}


def test_of_an_uncovered_ledger_no_absence_is_stated() -> None:
    """A ledger that broke off halfway still shows what it registered; that nobody used it is not covered."""
    district = told()
    _, seen, _ = district.look("2027-06-30", rules=())
    seen.as_of = replace(seen.as_of, covered=frozenset({TAXATION}))
    found = {each.code: system_json(each, seen)["use"] for each in systems(seen)}
    assert (found["IDLE"], found["USED"]) == ("not-covered", "used")


def test_one_bureau_is_a_part_of_all() -> None:
    """The same systems as in the whole list."""
    district = told()
    district[TAXATION].register_system("TAX", name="tax")
    assert asked_of(district, bureau=TAXATION).keys() == {"TAX"}
    assert asked_of(district).keys() - asked_of(district, bureau=MARKET).keys() == {"TAX"}
