"""Uses in the open: how often each officer looked data up, a day and a night at a time.

A night is counted to the day it began on. Whose hours are a night's is the rulebook's; none are where it says nothing.
Who looks is the officer a system acted for, or the one who signed for himself; a system that acts for nobody is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tallystick.audit.entry import On
from tallystick.audit.rulebook import Rulebook
from tallystick.audit.views.view import AsOf, View, folds
from tallystick_proto.v1.meta_pb2 import Role
from tallystick_proto.v1.statement_pb2 import ActorRegistered, DataUsed


@dataclass(slots=True)
class OfficerDay:
    """The uses of one officer on one day, those at night, and the first of either: its reference and when it was."""

    bureau: str
    officer: str
    day: date
    uses: int = 0
    first: str = ""
    first_at_us: int = 0
    at_night: int = 0
    first_at_night: str = ""
    first_at_night_us: int = 0


class Lookups(View):
    """Counts by officer and day: memory grows with officers and days, not with uses."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.days: dict[tuple[str, str, date], OfficerDay] = {}
        self._calendar = rulebook.calendar
        self._thresholds = rulebook.thresholds
        self._officers: set[str] = set()

    @folds(ActorRegistered)
    def _registered(self, entry: On[ActorRegistered]) -> None:
        if entry.said.role == Role.OFFICER:
            self._officers.add(entry.said.registered)

    @folds(DataUsed)
    def _used(self, entry: On[DataUsed]) -> None:
        officer = entry.head.officer or (entry.head.actor if entry.head.actor in self._officers else "")
        if not officer:
            return
        day = self._calendar.day_of(entry.happened_at_us)
        counted = self._of(entry.bureau, officer, day)
        counted.uses += 1
        if not counted.first:
            counted.first, counted.first_at_us = entry.reference, entry.since_us
        evening = self.night(entry.happened_at_us)
        if evening is not None:
            nightly = self._of(entry.bureau, officer, evening)
            nightly.at_night += 1
            if not nightly.first_at_night:
                nightly.first_at_night, nightly.first_at_night_us = entry.reference, entry.since_us

    def night(self, at_us: int) -> date | None:
        """The day on which the night of a moment began; None by day."""
        day, hour = self._calendar.day_of(at_us), self._calendar.hour_of(at_us)
        if not self._thresholds.is_night(hour):
            return None
        begins = self._thresholds.night_from
        return day if begins is None or hour >= begins else day - timedelta(days=1)

    def _of(self, bureau: str, officer: str, day: date) -> OfficerDay:
        key = bureau, officer, day
        found = self.days.get(key)
        if found is None:
            found = self.days[key] = OfficerDay(*key)
        return found

    def finish(self, as_of: AsOf) -> Iterator[OfficerDay]:
        """Every officer's every day."""
        yield from self.days.values()
