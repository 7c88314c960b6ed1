"""`system-not-accepted`: a system in use whose registration gives no day of acceptance."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.sharing import spoken, used
from tests.harness.stories import declared, district, moment, only, unjudged

BEGIN, DAY = "2027-03-01", "2027-03-02"


def registered(where: District, **said: object) -> Said:
    return where["tax"].say("register_system", system="S-1", name="Portal", **said)


def reported(where: District, users: int = 12) -> Said:
    return where["tax"].report_system_use("S-1", since=BEGIN, until=DAY, users=users, operations=0)


def test_it_trips_alone_and_says_so() -> None:
    """Whose system it is answers, within the coverage; the first use shows it, and later use is no other finding."""
    where = district()
    system = registered(where, approved_on="2026-01-01")
    where.on(DAY)
    use = reported(where)
    assert not where.audit(BEGIN)
    finding = only(where, DAY)
    assert (finding.rule, finding.bureau) == ("system-not-accepted", "tax")
    assert finding.references == (system.reference, use.reference)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert finding.at_us == moment(where, DAY), "it arose with the use, not with the registration"
    assert spoken(where, finding) == (
        "tax uses S-1, whose registration gives no day of acceptance"
        " (absent within the coverage, beyond it not covered)",
        "tax局 的系统 S-1 已投入使用，其登记未载验收日期（核查范围内无记录，范围外未覆盖）",
    )
    reported(where)
    assert only(where, DAY).id == finding.id


@pytest.mark.parametrize(("accepted_on", "trips"), [(DAY, False), ("2027-03-03", True)])
def test_an_acceptance_counts_from_its_day(accepted_on: str, trips: bool) -> None:
    """One that is still to come has not happened by the day judged."""
    where = district()
    registered(where, accepted_on=accepted_on)
    where.on(DAY)
    reported(where)
    assert bool(where.audit(DAY)) is trips
    assert not where.audit("2027-03-03")


Story = Callable[[District], object]


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(lambda d: None, id="never used"),
        pytest.param(lambda d: reported(d, users=0), id="used by nobody"),
        pytest.param(lambda d: (reported(d), registered(d, accepted_on=BEGIN)), id="accepted since"),
        pytest.param(lambda d: (reported(d), d["tax"].retire_system("S-1")), id="retired since"),
        pytest.param(lambda d: d["tax"].report_system_use("S-2", since=BEGIN, until=DAY, users=1), id="another's use"),
    ],
)
def test_what_is_not_in_use_or_was_put_right_does_not_trip(story: Story) -> None:
    """A system is judged as it stands at the end."""
    where = district()
    registered(where)
    where.on(DAY)
    story(where)
    assert not where.audit(DAY)


def test_a_registration_that_takes_the_day_back_trips() -> None:
    """The later supersedes what the earlier said, all of it."""
    where = district()
    registered(where, accepted_on=BEGIN)
    reported(where)
    later = registered(where)
    assert only(where, DAY).references[0] == later.reference


@pytest.mark.parametrize("source", ["", "inventory"])
def test_any_entry_that_names_it_is_a_use(source: str) -> None:
    """Data used by it; and a stock of systems that was brought in is judged alike."""
    where = district()
    declared(where)
    registered(where, source=source)
    use = used(where, system="S-1")
    assert only(where, BEGIN).references[1:] == (use.reference,)


def test_where_the_ledger_ends_unread_nothing_is_judged() -> None:
    """The acceptance may stand beyond what was read."""
    where = district()
    registered(where)
    reported(where)
    where.read_up_to["tax"] = 2
    assert unjudged(where, DAY) == {("system-not-accepted", "tax"): 1}
