"""`night-use`: lookups of an officer in the hours that the charter calls night."""

from __future__ import annotations

from datetime import datetime

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tallystick_proto.v1.meta_pb2 import Role
from tests.harness.district import RULEBOOK, ZONE, District
from tests.harness.sharing import spoken, used
from tests.harness.stories import declared, district, only, unjudged

OFFICER = "tax:o-7f3a"


def at(day: str, hour: str) -> datetime:
    """A moment of the district's clock."""
    return datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=ZONE)


def looked_up(where: District, day: str, hour: str, officer: str = OFFICER, **said: object) -> str:
    """One use for an officer at an hour, recorded the next morning; its reference."""
    where.on("2027-03-12", 9)
    return used(where, officer=officer, happened_at=at(day, hour), **said).reference


def test_it_trips_alone_and_says_so() -> None:
    """The officer's bureau answers, by its own word on when it happened; a night is the day it began on."""
    where = district()
    declared(where)
    first = looked_up(where, "2027-03-10", "22:00")
    looked_up(where, "2027-03-11", "05:59")
    finding = only(where, "2027-03-12")
    assert (finding.rule, finding.bureau, finding.references) == ("night-use", "tax", (first,))
    assert (finding.standing, finding.severity) == (Standing.ONE_SIDE, Severity.NOTE)
    assert spoken(where, finding) == (
        "officer tax:o-7f3a of tax looked data up 2 times in the night of 2027-03-10 (one side's word)",
        "tax局 经办人 tax:o-7f3a 于 2027年3月10日 夜间查询 2 次（一方之言）",
    )


def test_one_lookup_is_said_as_one() -> None:
    """Once, in both languages."""
    where = district()
    declared(where)
    looked_up(where, "2027-03-10", "23:30")
    assert spoken(where, only(where, "2027-03-12")) == (
        "officer tax:o-7f3a of tax looked data up once in the night of 2027-03-10 (one side's word)",
        "tax局 经办人 tax:o-7f3a 于 2027年3月10日 夜间查询 1 次（一方之言）",
    )


@pytest.mark.parametrize(
    ("hour", "trips"),
    [
        ("21:59:59.999999", False),
        ("22:00", True),
        ("00:00", True),
        ("05:59:59.999999", True),
        ("06:00", False),
        ("12:00", False),
    ],
)
def test_the_night_begins_and_ends_to_the_microsecond(hour: str, trips: bool) -> None:
    """From 22:00 on, up to and without 06:00, by the charter's zone."""
    where = district()
    declared(where)
    looked_up(where, "2027-03-10", hour)
    assert bool(where.audit("2027-03-12")) is trips


def test_every_officer_and_every_night_is_a_finding() -> None:
    """Two officers in one night, and one of them in the next."""
    where = district()
    declared(where)
    looked_up(where, "2027-03-09", "23:00")
    looked_up(where, "2027-03-09", "23:00", officer="tax:o-2")
    looked_up(where, "2027-03-10", "23:00")
    found = where.audit("2027-03-12")
    assert {finding.rule for finding in found} == {"night-use"}
    assert len({finding.id for finding in found}) == 3


def test_where_it_does_not_say_when_it_happened_as_recorded() -> None:
    """Recorded at night is a lookup at night; recorded by day of the day is none."""
    where = district()
    declared(where)
    where.on("2027-03-10", 12)
    used(where, officer=OFFICER)
    assert not where.audit("2027-03-10")
    where.on("2027-03-10", 23)
    used(where, officer=OFFICER)
    assert only(where, "2027-03-10").facts["times"] == 1


@pytest.mark.parametrize(("role", "trips"), [(Role.OFFICER, True), (Role.SYSTEM, False)])
def test_who_looks_up_is_a_person(role: Role.ValueType, trips: bool) -> None:
    """An officer who signs for himself is one; a system that acts for nobody works at any hour."""
    where = district()
    declared(where)
    where["tax"].say(
        "register_actor", by="registrar", registered="tax:clerk", key=bytes(32), role=role, possession=bytes(64)
    )
    looked_up(where, "2027-03-10", "23:00", officer="")
    assert [finding.facts["officer"] for finding in where.audit("2027-03-12")] == ["tax:clerk"] * trips


def test_what_was_brought_in_counts_too() -> None:
    """An import may lack citations; hours it states."""
    where = district()
    declared(where)
    looked_up(where, "2027-03-10", "23:00", source="archive")
    assert only(where, "2027-03-12").rule == "night-use"


def test_without_a_night_or_the_ledger_nothing_is_judged() -> None:
    """Code ships no law, and what was not read is not known."""
    thresholds = {name: value for name, value in RULEBOOK["thresholds"].items() if name != "night"}
    silent = District("market", "tax", rulebook={**RULEBOOK, "thresholds": thresholds})
    declared(silent)
    looked_up(silent, "2027-03-10", "23:00")
    assert unjudged(silent, "2027-03-12") == {}
    where = district()
    declared(where)
    looked_up(where, "2027-03-10", "23:00")
    where.uncovered.add("tax")
    assert unjudged(where, "2027-03-12") == {}
