"""Working days: worked examples, days of 23 and 25 hours, pauses, and a reference that counts day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.calendar import Calendar

SHANGHAI = timezone(timedelta(hours=8))
TALLINN = ZoneInfo("Europe/Tallinn")
# The week of 2027: seven days off, and two weekend days worked instead.
NATIONAL_DAYS = [date(2027, 10, day) for day in range(1, 8)]
MAKE_UP_DAYS = [date(2027, 9, 26), date(2027, 10, 9)]
CALENDAR = Calendar(SHANGHAI, NATIONAL_DAYS, MAKE_UP_DAYS)
DAY = timedelta(days=1)


def at(moment: datetime) -> int:
    """A moment in microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def local(month: int, day: int, hour: int = 12, minute: int = 0) -> int:
    """A moment of 2027 in Shanghai."""
    return at(datetime(2027, month, day, hour, minute, tzinfo=SHANGHAI))


def test_a_week_of_holidays_and_its_make_up_days() -> None:
    """Holidays on weekdays are not worked, and the weekend days exchanged for them are."""
    worked = [day for day in range(20, 31) if CALENDAR.is_working(date(2027, 9, day))]
    assert worked == [20, 21, 22, 23, 24, 26, 27, 28, 29, 30]
    worked = [day for day in range(1, 18) if CALENDAR.is_working(date(2027, 10, day))]
    assert worked == [8, 9, 11, 12, 13, 14, 15]


@pytest.mark.parametrize(
    ("served", "days", "last"),
    [
        pytest.param((9, 20), 1, (9, 21), id="the day after service"),
        pytest.param((9, 24), 1, (9, 26), id="a Sunday worked"),
        pytest.param((9, 29), 2, (10, 8), id="across the holidays"),
        pytest.param((9, 30), 3, (10, 11), id="a Saturday worked, a Sunday not"),
        pytest.param((10, 3), 1, (10, 8), id="served on a holiday"),
        pytest.param((9, 20), 10, (10, 8), id="ten"),
        pytest.param((10, 3), 0, (10, 3), id="none: the day of service"),
    ],
)
def test_deadlines_around_the_holidays(served: tuple[int, int], days: int, last: tuple[int, int]) -> None:
    """A deadline is 24:00 of the last working day, at whatever hour of the day it was served."""
    midnight = at(datetime(2027, *last, tzinfo=SHANGHAI) + DAY)
    for hour, minute in ((0, 0), (12, 0), (23, 59)):
        assert CALENDAR.deadline_us(local(*served, hour, minute), days) == midnight
    assert midnight == CALENDAR.end_us(date(2027, *last))


def test_a_day_the_charter_names_both_ways_is_worked() -> None:
    """A make-up day beats a holiday of the same date, on weekdays and at weekends."""
    for day in (date(2027, 10, 6), date(2027, 10, 9)):
        assert Calendar(UTC, [day], [day]).is_working(day)


def test_holidays_at_weekends_and_worked_weekdays_change_nothing() -> None:
    """Neither is counted twice."""
    saturday, monday = date(2027, 10, 16), date(2027, 10, 18)
    calendar = Calendar(UTC, [saturday, saturday], [monday, monday])
    assert not calendar.is_working(saturday)
    assert (
        calendar.working_days_between(at(datetime(2027, 10, 15, tzinfo=UTC)), at(datetime(2027, 10, 18, tzinfo=UTC)))
        == 1
    )


def test_a_year_is_covered_when_a_day_of_it_is_named() -> None:
    """Holidays and make-up days both count; a year before or after them is not covered."""
    calendar = Calendar(UTC, [date(2027, 1, 1)], [date(2028, 2, 19)])
    assert [year for year in range(2025, 2031) if calendar.covers(year)] == [2027, 2028]


def test_lateness_counts_the_working_days_that_have_begun() -> None:
    """On time, and late by part of a weekend, is 0; each working day counts from its first moment."""
    deadline = CALENDAR.deadline_us(local(10, 11), 4)
    assert deadline == local(10, 16, 0)
    late = [local(10, 15), local(10, 16, 0), local(10, 17, 23), local(10, 18, 0), local(10, 18, 0, 1), local(10, 20)]
    assert [CALENDAR.working_days_after(deadline, moment) for moment in late] == [0, 0, 0, 0, 1, 3]


def test_response_times_leave_out_the_day_asked() -> None:
    """From the day after the question up to the day of the answer; the same day, or an answer before it, is 0."""
    asked = local(9, 29, 23, 59)
    answers = [local(9, 28), asked, local(9, 30, 0), local(10, 7), local(10, 9)]
    assert [CALENDAR.working_days_between(asked, answer) for answer in answers] == [0, 0, 1, 1, 3]


def test_days_of_the_zone_change_length_with_its_clocks() -> None:
    """Where clocks change in the night to Sunday, a day is 23 or 25 hours and a deadline is still its midnight."""
    calendar = Calendar(TALLINN)
    hours = [
        (calendar.end_us(day) - calendar.start_us(day)) // 3_600_000_000
        for day in (date(2027, 3, 28), date(2027, 3, 29), date(2027, 10, 31))
    ]
    assert hours == [23, 24, 25]
    friday = at(datetime(2027, 3, 26, 10, tzinfo=UTC))
    assert calendar.deadline_us(friday, 1) == at(datetime(2027, 3, 29, 21, tzinfo=UTC))
    assert calendar.day_of(at(datetime(2027, 3, 26, 22, 30, tzinfo=UTC))) == date(2027, 3, 27)
    assert calendar.day_of(at(datetime(2027, 3, 28, 21, 30, tzinfo=UTC))) == date(2027, 3, 29)
    assert calendar.hour_of(at(datetime(2027, 10, 31, 0, 30, tzinfo=UTC))) == time(3, 30)
    assert calendar.hour_of(at(datetime(2027, 10, 31, 1, 30, tzinfo=UTC))) == time(3, 30)


def test_a_day_without_a_midnight_starts_with_its_first_moment() -> None:
    """Where clocks are put forward over 00:00, the day starts at 01:00 and the one before ends there."""
    calendar = Calendar(ZoneInfo("America/Sao_Paulo"))
    start = calendar.start_us(date(2018, 11, 4))
    assert start == at(datetime(2018, 11, 4, 3, tzinfo=UTC)) == calendar.end_us(date(2018, 11, 3))
    assert (calendar.day_of(start), calendar.hour_of(start)) == (date(2018, 11, 4), time(1))
    assert calendar.day_of(start - 1) == date(2018, 11, 3)


@pytest.mark.parametrize(
    ("pauses", "last"),
    [
        pytest.param([], 15, id="none"),
        pytest.param([((12, 9), (12, 18))], 15, id="within a day"),
        pytest.param([((12, 18), (13, 9))], 18, id="overnight: the day it ended"),
        pytest.param([((15, 12), (19, 12))], 15, id="begun on the last day"),
        pytest.param([((9, 12), (12, 12))], 18, id="begun before service"),
        pytest.param([((9, 12), (11, 12))], 15, id="over before the count begins"),
        pytest.param([((12, 9), (14, 9)), ((13, 9), (18, 9))], 21, id="overlapping"),
        pytest.param([((13, 9), (18, 9)), ((12, 9), (14, 9))], 21, id="in any order"),
        pytest.param([((12, 9), (13, 9)), ((14, 9), (15, 9))], 19, id="two"),
        pytest.param([((13, 9), (12, 9))], 15, id="ended before it began"),
        pytest.param([((14, 9), None)], None, id="not ended"),
        pytest.param([((15, 9), None)], 15, id="not ended, begun on the last day"),
        pytest.param([((12, 9), (13, 9)), ((15, 9), None)], None, id="begun on a day that is no longer the last"),
        pytest.param([((18, 9), None)], 15, id="not ended, begun too late"),
    ],
)
def test_pauses_stop_the_count(pauses: list[tuple[tuple[int, int], tuple[int, int] | None]], last: int | None) -> None:
    """Served on the 11th with 4 days: days after a pause began, up to the one it ended on, are not among them."""
    stops = [(local(10, *begin), None if end is None else local(10, *end)) for begin, end in pauses]
    expected = None if last is None else CALENDAR.end_us(date(2027, 10, last))
    assert CALENDAR.deadline_us(local(10, 11), 4, stops) == expected


@pytest.mark.parametrize("zone", [SHANGHAI, TALLINN, UTC, timezone(-timedelta(hours=12))], ids=str)
def test_nothing_is_out_of_range(zone: timezone | ZoneInfo) -> None:
    """Any number of days and any moment of 64 bits gets an answer, that of the span's first or last day."""
    calendar = Calendar(zone, [date.min, date.max], [date.max])
    end = calendar.end_us(date.max)
    for days in (10**7, 10**9, 10**30):
        assert calendar.deadline_us(0, days) == end
        assert calendar.deadline_us(0, days, [(1, 2**63 - 1)]) == end
    assert calendar.deadline_us(2**63 - 1, 1) == end
    assert (calendar.day_of(-(2**63)), calendar.day_of(2**63 - 1)) == (date.min, date.max)
    assert calendar.hour_of(2**63 - 1) == time.max
    assert calendar.working_days_after(-(2**63), 2**63 - 1) == calendar.working_days_between(-(2**63), 2**63 - 1)
    assert calendar.working_days_after(end, 2**63 - 1) == 0
    assert calendar.start_us(date.min) < calendar.end_us(date.min)
    assert calendar.is_working(date.max)
    assert not calendar.is_working(date.min)


class Naive:
    """The definitions, day by day."""

    def __init__(self, zone: ZoneInfo, holidays: list[date], working_days: list[date]) -> None:
        self.zone, self.holidays, self.working_days = zone, holidays, working_days

    def day_of(self, at_us: int) -> date:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).astimezone(self.zone).date()

    def start_us(self, day: date) -> int:
        return at(datetime.combine(day, time(), self.zone).astimezone(UTC))

    def is_working(self, day: date) -> bool:
        return day in self.working_days or (day.weekday() < 5 and day not in self.holidays)

    def deadline_us(self, served_us: int, days: int, pauses: list[tuple[int, int | None]]) -> int | None:
        day = self.day_of(served_us)
        while days:
            day += DAY
            over = [self.day_of(begin) < day and (end is None or day <= self.day_of(end)) for begin, end in pauses]
            if any(over[index] and pauses[index][1] is None for index in range(len(pauses))):
                return None
            days -= self.is_working(day) and not any(over)
        return self.start_us(day + DAY)

    def working_days_after(self, deadline_us: int, at_us: int) -> int:
        days = self._days(deadline_us, at_us)
        return sum(self.is_working(day) and deadline_us <= self.start_us(day) < at_us for day in days)

    def working_days_between(self, from_us: int, to_us: int) -> int:
        days = self._days(from_us, to_us)
        return sum(self.is_working(day) and self.day_of(from_us) < day <= self.day_of(to_us) for day in days)

    def _days(self, from_us: int, to_us: int) -> list[date]:
        first, last = self.day_of(from_us), self.day_of(to_us)
        return [first + each * DAY for each in range(-3, (last - first).days + 4)]


MOMENTS = st.integers(at(datetime(2018, 1, 1, tzinfo=UTC)), at(datetime(2018, 12, 31, tzinfo=UTC)))
DATES = st.lists(st.dates(date(2017, 12, 1), date(2019, 2, 1)), max_size=40)


@given(
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Tallinn", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]),
    holidays=DATES,
    working_days=DATES,
    served=MOMENTS,
    days=st.integers(0, 60),
    pauses=st.lists(st.tuples(MOMENTS, st.none() | MOMENTS), max_size=4),
    later=MOMENTS,
)
def test_counting_agrees_with_the_definitions(
    zone: str,
    holidays: list[date],
    working_days: list[date],
    served: int,
    days: int,
    pauses: list[tuple[int, int | None]],
    later: int,
) -> None:
    """Whatever zone, holidays and pauses: the sums give what counting day by day gives."""
    calendar = Calendar(ZoneInfo(zone), holidays, working_days)
    naive = Naive(ZoneInfo(zone), holidays, working_days)
    assert calendar.day_of(served) == naive.day_of(served)
    assert calendar.is_working(naive.day_of(served)) == naive.is_working(naive.day_of(served))
    assert calendar.start_us(naive.day_of(served)) == naive.start_us(naive.day_of(served))
    assert calendar.deadline_us(served, days, pauses) == naive.deadline_us(served, days, pauses)
    midnight = naive.start_us(naive.day_of(served))
    for deadline in (served, midnight):
        for moment in (later, naive.start_us(naive.day_of(later))):
            assert calendar.working_days_after(deadline, moment) == naive.working_days_after(deadline, moment)
    assert calendar.working_days_between(served, later) == naive.working_days_between(served, later)
