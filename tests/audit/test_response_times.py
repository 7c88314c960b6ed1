"""Response times: how often, how soon and how late a bureau answered, against counting each request by itself."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.views.owed import Times
from tests.harness.district import BEGIN, District, Said

JUDGED = BEGIN + timedelta(days=120)
ALLOWED = 10  # working days to answer a request
HOLIDAY = date(2027, 4, 5)

# On which day each request is put, and how many days later it is answered, if it is.
REQUESTS = st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, 50)), max_size=8)


def working_days(after: date, up_to: date) -> int:
    """Counted one by one."""
    days = [after + timedelta(days=each) for each in range(1, (up_to - after).days + 1)]
    return sum(day.weekday() < 5 and day != HOLIDAY for day in days)


def last_day(asked: date) -> date:
    """The day on which the last of the working days allowed falls."""
    day = asked
    while working_days(asked, day) < ALLOWED:
        day += timedelta(days=1)
    return day


@given(requests=REQUESTS)
def test_they_are_what_counting_each_request_gives(requests: list[tuple[int, int | None]]) -> None:
    """Answered, of those in time, the working days they took; open, and of those overdue."""
    where = District("market", "tax")
    where["market"].declare("R-1", scheme="s", title="t", sharing="unconditional")
    expected = Times()
    steps: list[tuple[date, int]] = []
    for number, (asked, took) in enumerate(requests):
        on = BEGIN + timedelta(days=asked)
        steps.append((on, number))
        if took is None:
            expected.open += 1
            expected.overdue += last_day(on) < JUDGED
        else:
            answered = on + timedelta(days=took)
            steps.append((answered, number))
            expected.answered += 1
            expected.on_time += answered <= last_day(on)
            expected.days += working_days(on, answered)
    said: dict[int, Said] = {}
    for day, number in sorted(steps, key=lambda step: step[0]):
        where.on(day)
        if number in said:
            where["market"].deny(said[number], to="tax", resource="R-1", reason="no need shown")
        else:
            said[number] = where["tax"].request("R-1", provider="market", purpose="tax-registration")
    found, seen, _ = where.look(JUDGED)
    times = seen.obligations.times.get(("market", "request-overdue"), Times())
    assert times == expected
    late = [each for each in found if each.rule == "request-overdue"]
    assert len(late) == times.overdue + times.answered - times.on_time
