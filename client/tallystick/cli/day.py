"""Days as arguments: a calendar day of the charter's zone, today where none is given."""

from __future__ import annotations

from datetime import date

from tallystick.core.calendar import Calendar
from tallystick.core.errors import Usage


def chosen_day(text: str | None, calendar: Calendar, option: str) -> date:
    """The day an option names. Raises Usage."""
    from tallystick.sdk.clock import now_us

    if text is None:
        return calendar.day_of(now_us())
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Usage(f"{text[:40]!r} is no day", where=option, expected="a day as 2027-03-09") from None
