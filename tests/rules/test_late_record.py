"""`late-record`: recorded more than the charter's hours after it happened, by its own word."""

from __future__ import annotations

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import RULEBOOK, District, Said
from tests.harness.sharing import spoken
from tests.harness.stories import declared, district, moment, only, unjudged

DAY = "2027-03-31"
HOURS_72 = 72 * 3600 * 1_000_000


def said(where: District, earlier_us: int, **more: object) -> Said:
    """A declaration of what happened so much earlier than it is recorded."""
    values = {"scheme": "local", "title": "Licences", "sharing": "unconditional", **more}
    return where["market"].say("declare", resource="R-1", happened_at=where.now_us - earlier_us, **values)


def registered(where: District, earlier_us: int, **more: object) -> Said:
    """A system in the inventory, of which the market knew so much earlier than it says so."""
    values = {"name": "Portal", "accepted_on": "2020-01-01", "happened_at": where.now_us - earlier_us, **more}
    return where["market"].say("register_system", system="S-1", **values)


def test_it_trips_alone_and_says_so() -> None:
    """Who recorded it answers, by one side's word on when it happened."""
    where = district()
    where.on("2027-03-05")
    then_us = moment(where, "2027-03-01")
    late = registered(where, where.now_us - then_us)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau, finding.references) == ("late-record", "market", (late.reference,))
    assert (finding.standing, finding.severity) == (Standing.ONE_SIDE, Severity.WARNING)
    assert spoken(where, finding) == (
        "market recorded on 2027-03-05 what it says happened on 2027-03-01, more than 72 hours before"
        " (one side's word)",
        "market局 于 2027年3月5日 补记其所称 2027年3月1日 发生之事，迟于 72 小时（一方之言）",
    )


@pytest.mark.parametrize(
    ("earlier_us", "more"),
    [
        pytest.param(HOURS_72, {}, id="the 72 hours to the microsecond"),
        pytest.param(0, {}, id="as it happened"),
        pytest.param(-10 * HOURS_72, {}, id="before it happens"),
        pytest.param(10 * HOURS_72, {"source": "paper register"}, id="brought in"),
        pytest.param(0, {"happened_at": None}, id="it does not say when"),
    ],
)
def test_what_is_in_time_or_brought_in_does_not_trip(earlier_us: int, more: dict[str, object]) -> None:
    """Exactly the hours are in time, and imports are late by nature."""
    where = district()
    where.on("2027-03-15")
    registered(where, earlier_us, **more)
    assert not where.audit(DAY)


def test_a_microsecond_more_is_late() -> None:
    """The threshold is sharp, and nights and weekends count: hours are hours."""
    where = district()
    where.on("2027-03-15")
    registered(where, HOURS_72 + 1)
    assert only(where, DAY).rule == "late-record"


def test_any_kind_can_be_late_and_each_entry_is_its_own() -> None:
    """A declaration, which a later one supersedes, is judged as it stands; other entries are findings each."""
    where = district()
    declared(where, code="R-0")
    where.on("2027-03-15")
    late = [registered(where, 2 * HOURS_72), registered(where, 2 * HOURS_72), said(where, 2 * HOURS_72)]
    assert {each.references for each in where.audit(DAY)} == {(each.reference,) for each in late}
    said(where, 0)
    assert len(where.audit(DAY)) == 2


def test_a_charter_without_the_threshold_finds_none_late() -> None:
    """Code ships no law."""
    thresholds = {name: value for name, value in RULEBOOK["thresholds"].items() if name != "late_record_hours"}
    where = District("market", "tax", rulebook={**RULEBOOK, "thresholds": thresholds})
    where.on("2027-03-15")
    registered(where, 10 * HOURS_72)
    assert unjudged(where, DAY) == {}
