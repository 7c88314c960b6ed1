"""Days as arguments: a calendar day of the charter's zone, today where none is given."""

from __future__ import annotations

from datetime import date

from tallystick.cli.options import Session
from tallystick.core.calendar import Calendar
from tallystick.core.errors import Usage


def judged_day(session: Session, on: str | None, calendar: Calendar) -> date:
    """The day that `--on` names; of one that has not come, a remark says so. Raises Usage."""
    today, day = chosen_day(None, calendar, "--on"), chosen_day(on, calendar, "--on")
    if day > today:
        say = session.output.say
        session.output.note(
            say(
                f"{day} has not come: what is overdue then can still be answered, and is by what stands today.",
                f"{day} 尚未到来：所列逾期以今日记录推算，届时前仍可答复。",
            )
        )
    return day


def chosen_day(text: str | None, calendar: Calendar, option: str) -> date:
    """The day an option names. Raises Usage."""
    from tallystick.sdk.clock import now_us

    if text is None:
        return calendar.day_of(now_us())
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Usage(f"{text[:40]!r} is no day", where=option, expected="a day as 2027-03-09") from None
