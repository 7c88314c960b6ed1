"""`stale-resource`: a resource whose update cycle is over without another version."""

from __future__ import annotations

from datetime import date

import pytest

from tallystick.audit.finding import Standing
from tallystick.audit.rulebook import Severity
from tests.harness.district import District, Said
from tests.harness.stories import CODE, VERSION, at_midnight, digest_of, district, just_before_midnight, moment, only

DUE = "2027-03-08"  # seven days after Monday, 1 March


def promised(where: District, cycle: str = "R/P7D") -> None:
    """The market declares a resource and promises to renew it."""
    where["market"].declare(CODE, scheme="local", title="x", sharing="unconditional", update_cycle=cycle)


def provided(where: District, version: str = VERSION, number: int = 7) -> Said:
    return where["market"].provide_version(version, digest=digest_of(number))


def test_it_trips_alone_and_says_so() -> None:
    """The last version is older than the cycle: its provider answers, from the day after on."""
    where = district()
    promised(where)
    last = provided(where)
    assert not where.audit(DUE)
    finding = only(where, "2027-03-09")
    assert (finding.rule, finding.bureau) == ("stale-resource", "market")
    assert finding.references == (last.reference,)
    assert (finding.standing, finding.severity) == (Standing.ABSENT, Severity.WARNING)
    assert only(where, "2027-06-30").id == finding.id
    assert where.sentence(finding, "en") == (
        "market promised R-1 anew by 2027-03-08 and has provided nothing since R-1@1"
        " (absent within the coverage, beyond it not covered)"
    )
    assert where.sentence(finding, "zh") == (
        "market局 的 R-1 更新期限为 2027年3月8日，自 R-1@1 起未再提供（核查范围内无记录，范围外未覆盖）"
    )


def test_what_came_late_is_as_good_as_new() -> None:
    """Renewed in time or late, nothing is stale until the next cycle is over; the ratio on time tells them apart."""
    for say, on_time in ((just_before_midnight, 1), (at_midnight, 0)):
        where = district()
        promised(where)
        provided(where)
        say(where, DUE)
        provided(where, "R-1@2", 8)
        found, seen, _ = where.look("2027-03-15")
        assert not found
        assert seen.obligations.times["market", "stale-resource"].on_time == on_time
        assert only(where, "2027-03-17").facts["version"] == "R-1@2"


@pytest.mark.parametrize(
    ("cycle", "last"),
    [
        ("R/P1D", "2027-03-02"),
        ("R/PT1H", "2027-03-02"),
        ("R/P1W", DUE),
        ("R/P1M", "2027-04-01"),
        ("R/P1Y", "2028-03-01"),
    ],
)
def test_a_cycle_lasts_its_days(cycle: str, last: str) -> None:
    """Days of the calendar, worked or not, and the day the version came is none of them."""
    where = district()
    promised(where, cycle)
    provided(where)
    assert not where.audit(last)
    assert only(where, "2029-01-01").facts["due"] == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("holidays", "working_days", "last"),
    [
        ([], [], "2027-03-08"),
        ([date(2027, 3, 8)], [], "2027-03-09"),
        ([], [date(2027, 3, 6)], "2027-03-06"),
    ],
    ids=["a weekend", "and a holiday", "a make-up Saturday"],
)
def test_there_is_always_a_working_day(holidays: list[date], working_days: list[date], last: str) -> None:
    """A daily resource provided on Friday is due when the next working day is over."""
    where = district(holidays=holidays, working_days=working_days)
    where.on("2027-03-05")
    promised(where, "R/P1D")
    provided(where)
    assert not where.audit(last)
    assert only(where, "2027-03-31").facts["due"] == date.fromisoformat(last)


@pytest.mark.parametrize("cycle", ["", "irregular", "R/PT1S"])
def test_what_promises_nothing_never_goes_stale(cycle: str) -> None:
    """No cycle, an irregular one, and a stream."""
    where = district()
    promised(where, cycle)
    provided(where)
    assert not where.audit("2030-01-01")


def test_it_starts_with_the_first_version() -> None:
    """A resource of which nothing was provided yet is not stale, however long ago it was declared."""
    where = district()
    promised(where)
    assert not where.audit("2030-01-01")


def test_what_was_withdrawn_or_promised_otherwise_since_is_not_stale() -> None:
    """What is judged is the promise as it stands."""
    for cycle, stale in (("R/P1M", False), ("irregular", False), ("R/P8D", True)):
        where = district()
        promised(where)
        provided(where)
        promised(where, cycle)
        assert bool(where.audit("2027-03-10")) is stale
    where["market"].withdraw(CODE)
    assert not where.audit("2027-06-30")


def test_another_bureau_s_version_renews_nothing() -> None:
    """Only who promised can keep the promise."""
    where = district()
    promised(where)
    provided(where)
    where["tax"].provide_version("R-1@2", digest=digest_of(8))
    assert "stale-resource" in {finding.rule for finding in where.audit("2027-03-09")}


def test_a_version_brought_in_counts_from_when_it_happened() -> None:
    """A version of 1 March that was recorded on the 9th was due anew on the 8th."""
    where = district()
    promised(where)
    where.on("2027-03-09")
    then_us = moment(where, "2027-03-01")
    where["market"].provide_version(VERSION, digest=digest_of(), happened_at=then_us, source="dcat")
    assert only(where, "2027-03-09").facts["due"] == date.fromisoformat(DUE)


def test_without_the_provider_s_ledger_nothing_is_judged() -> None:
    """What was promised and provided stands on one ledger: unread, nothing is known of either."""
    where = district()
    promised(where)
    provided(where)
    where.uncovered.add("market")
    assert not where.audit("2027-06-30")
