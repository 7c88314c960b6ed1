"""Working days of a charter: Monday to Friday, minus its holidays, plus its make-up working days, in its time zone.

A deadline of n working days is counted from the day after service and ends at 24:00 of the last of them, which is 00:00
of the day that follows; an obligation met before that moment is met in time. Served on Wednesday 29 September 2027 with
2 days to answer, 1 to 7 October holidays and Sunday 26 September and Saturday 9 October worked instead: the days are
30 September and 8 October, and the deadline is 9 October 00:00. A date the charter names both ways is a working day.
Which years a charter names no day of (`covers`) a reader is told; their Mondays to Fridays count as working days.

Days are whole days of the zone, so a day of 23 or 25 hours is one day. 00:00 is the first where clocks are put back
over it, and the day's first instant where they are put forward over it.

Moments are microseconds since 1970. Nothing here is out of range: what lies before year 1 or after year 9999 counts as
the first or the last day of that span, and a deadline beyond it is the end of its last day.

A day is counted by its ordinal (`date.toordinal`, 1 = Monday, 1 January of year 1), because the working days up to an
ordinal are then a quotient and one look into a sorted list, however many years a deadline spans.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import accumulate
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_LAST_DAY: Final = date.max.toordinal()
_NEVER: Final = _LAST_DAY + 1
DAY_US: Final = 24 * 3600 * 1_000_000
_QUARTER_US: Final = 15 * 60 * 1_000_000
_QUARTERS_KEPT: Final = 65_536
_MICROSECOND: Final = timedelta(microseconds=1)


class Calendar:
    """The days of one zone, and which of them are worked. What was once looked up of a day is kept."""

    def __init__(self, zone: tzinfo, holidays: Iterable[date] = (), working_days: Iterable[date] = ()) -> None:
        self.zone = zone
        worked = {day.toordinal() for day in working_days}
        free = {day.toordinal() for day in holidays} - worked
        self._years = frozenset(date.fromordinal(day).year for day in worked | free)
        # Only what differs from Monday to Friday changes a count.
        changes = {day: 1 for day in worked if not _is_weekday(day)} | {day: -1 for day in free if _is_weekday(day)}
        self._changed = sorted(changes)
        self._change_up_to = [0, *accumulate(changes[day] for day in self._changed)]
        self._starts: dict[int, int] = {}
        self._day_of_quarter = lru_cache(_QUARTERS_KEPT)(self._look_up_quarter)

    def day_of(self, at_us: int) -> date:
        """The local day of a moment."""
        return date.fromordinal(self._ordinal_of(at_us))

    def hour_of(self, at_us: int) -> time:
        """The local time of day of a moment, to the microsecond."""
        return self._local(at_us).time()

    def start_us(self, day: date) -> int:
        """00:00 of a day in the zone."""
        return self._start(day.toordinal())

    def end_us(self, day: date) -> int:
        """24:00 of a day in the zone: 00:00 of the next."""
        return self._start(day.toordinal() + 1)

    def is_working(self, day: date) -> bool:
        """Whether a day is worked."""
        ordinal = day.toordinal()
        return self._worked_up_to(ordinal) > self._worked_up_to(ordinal - 1)

    def covers(self, year: int) -> bool:
        """Whether the charter names any holiday or working day of a year."""
        return year in self._years

    def deadline_us(self, served_us: int, days: int, pauses: Sequence[tuple[int, int | None]] = ()) -> int | None:
        """24:00 of the last of `days` working days, counted from the day after service; of 0, of the day of service.

        A pause is when it began and ended; None where it has not ended. Days after the one on which it began, up to and
        including the one on which it ended, do not count. None where a pause that began before the deadline came has
        not ended; one that began later lifts nothing.
        """
        day, left = self._ordinal_of(served_us), days
        stops = [(self._ordinal_of(begin), _NEVER if end is None else self._ordinal_of(end)) for begin, end in pauses]
        for began, ended in sorted(stops):
            worked = self._worked_up_to(began) - self._worked_up_to(day) if began > day else 0
            if worked >= left:
                break
            if ended == _NEVER:
                return None
            if ended > max(began, day):
                day, left = ended, left - worked
        return self._start(self._after(day, left) + 1)

    def working_days_after(self, deadline_us: int, at_us: int) -> int:
        """How many working days late: those that began at or after the deadline and before `at_us`, 0 if not late.

        Late by less than a working day, or over a weekend only, is 0 too.
        """
        before = self._first_from(at_us) - 1
        return max(0, self._worked_up_to(before) - self._worked_up_to(self._first_from(deadline_us) - 1))

    def working_days_between(self, from_us: int, to_us: int) -> int:
        """Working days from the day after `from_us` up to and including the day of `to_us`: how long an answer took."""
        return max(0, self._worked_up_to(self._ordinal_of(to_us)) - self._worked_up_to(self._ordinal_of(from_us)))

    def _local(self, at_us: int) -> datetime:
        try:
            return (_EPOCH + timedelta(microseconds=at_us)).astimezone(self.zone)
        except OverflowError:
            return (datetime.min if at_us < 0 else datetime.max).replace(tzinfo=self.zone)

    def _ordinal_of(self, at_us: int) -> int:
        """The local day of a moment."""
        found = self._day_of_quarter(at_us // _QUARTER_US)
        return self._local(at_us).toordinal() if found is None else found

    def _look_up_quarter(self, quarter: int) -> int | None:
        """The local day of a quarter of an hour; None where midnight lies within, the zone being no quarters away."""
        first = self._local(quarter * _QUARTER_US).toordinal()
        last = self._local((quarter + 1) * _QUARTER_US - 1).toordinal()
        return first if first == last else None

    def _start(self, ordinal: int) -> int:
        """00:00 of a day; that after the last is a day's length later, since no date can be asked for its offset."""
        found = self._starts.get(ordinal)
        if found is None:
            if ordinal > _LAST_DAY:
                return self._start(_LAST_DAY) + (ordinal - _LAST_DAY) * DAY_US
            midnight = datetime.fromordinal(ordinal).replace(tzinfo=self.zone)
            offset = midnight.utcoffset() or timedelta(0)
            found = self._starts[ordinal] = (ordinal - _EPOCH_DAY) * DAY_US - offset // _MICROSECOND
        return found

    def _first_from(self, at_us: int) -> int:
        """The first day that began at or after a moment."""
        day = self._ordinal_of(at_us)
        return day if self._start(day) >= at_us else day + 1

    def _worked_up_to(self, ordinal: int) -> int:
        """Working days from the first day of all up to and including one."""
        weeks, rest = divmod(ordinal, 7)
        return 5 * weeks + min(rest, 5) + self._change_up_to[bisect_right(self._changed, ordinal)]

    def _after(self, ordinal: int, days: int) -> int:
        """The last of `days` working days after a day, itself where `days` is 0; at most the last day of all."""
        # Even if every change were a holiday within the span, this many weeks hold enough.
        weeks = -(-(days + len(self._changed)) // 5)
        candidates = range(ordinal, min(ordinal + 7 * weeks, _LAST_DAY))
        return ordinal + bisect_left(candidates, self._worked_up_to(ordinal) + days, key=self._worked_up_to)


def _is_weekday(ordinal: int) -> bool:
    return (ordinal - 1) % 7 < 5
