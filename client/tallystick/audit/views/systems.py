"""Systems: registered, accepted, used, retired; which actors are theirs, and when one of those last exchanged data.

A system is used on the days somebody reported users or operations for, and when an entry names it as what acted. That
of a closed bureau is judged as of its closing (`Systems.last_day`): it could neither be used nor retired on its ledger
after that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from tallystick.audit.entry import On
from tallystick.audit.views.closings import Closings
from tallystick.audit.views.suspensions import Suspensions
from tallystick.audit.views.view import AsOf, View, folds
from tallystick.core.calendar import Calendar
from tallystick_proto.v1.statement_pb2 import (
    ActorRegistered,
    DataReceived,
    DataSent,
    DataUsed,
    SystemRegistered,
    SystemRetired,
    SystemUsed,
    VersionProvided,
)


@dataclass(slots=True)
class System:
    """One inventory item of a bureau; days are local days."""

    bureau: str
    code: str
    entry: On[SystemRegistered]
    known_since: date
    retired: On[SystemRetired] | None = None
    used_until: date | None = None
    first_use: str = ""
    first_use_at_us: int = 0
    users: int = 0
    operations: int = 0
    exchanged_on: date | None = None

    @property
    def idle_since(self) -> date:
        """The last day it was used, else the first day anything was known of it."""
        return self.used_until or self.known_since


class Systems(View):
    """Systems by bureau and code; a later registration supersedes what an earlier one said."""

    def __init__(self, calendar: Calendar, closings: Closings, suspensions: Suspensions) -> None:
        self.systems: dict[tuple[str, str], System] = {}
        self._calendar = calendar
        self._closings = closings
        self._suspensions = suspensions
        self._of_actor: dict[str, str] = {}
        # When what is registered only later was last used, and last exchanged data.
        self._unregistered: dict[tuple[str, str], tuple[date, date | None]] = {}

    @folds(SystemRegistered)
    def _registered(self, entry: On[SystemRegistered]) -> None:
        key = entry.bureau, entry.head.system
        known = self.systems.get(key)
        day = self._calendar.day_of(entry.recorded_at_us)
        if known is None or known.retired is not None:
            used, exchanged = self._unregistered.pop(key, (None, None))
            self.systems[key] = System(*key, entry, day, used_until=used, exchanged_on=exchanged)
        else:
            known.entry = entry

    @folds(SystemUsed)
    def _used(self, entry: On[SystemUsed]) -> None:
        system = self.systems.get((entry.bureau, entry.head.system))
        if system is None:
            return
        system.known_since = min(system.known_since, date.fromisoformat(entry.said.since))
        system.users += entry.said.users
        system.operations += entry.said.operations
        if entry.said.users or entry.said.operations:
            until = min(date.fromisoformat(entry.said.until), self._calendar.day_of(entry.recorded_at_us))
            self._in_use(system, until, entry)

    @folds(SystemRetired)
    def _retired(self, entry: On[SystemRetired]) -> None:
        system = self.systems.get((entry.bureau, entry.head.system))
        if system is not None and system.retired is None:
            system.retired = entry

    @folds(ActorRegistered)
    def _actor(self, entry: On[ActorRegistered]) -> None:
        if entry.head.system:
            self._of_actor[entry.said.registered] = entry.head.system

    @folds(VersionProvided, DataSent, DataReceived, DataUsed)
    def _acted(self, entry: On[Any]) -> None:
        """An exchange counts for the system whose actor recorded it; providing or using data only as use."""
        code = entry.head.system or self._of_actor.get(entry.head.actor, "")
        key = entry.bureau, code
        system = self.systems.get(key)
        day = self._calendar.day_of(entry.since_us)
        exchanged = isinstance(entry.said, DataSent | DataReceived)
        if system is not None:
            self._in_use(system, day, entry)
            if exchanged:
                system.exchanged_on = max(system.exchanged_on or day, day)
        elif code:
            used, before = self._unregistered.get(key, (day, None))
            self._unregistered[key] = max(used, day), max(before or day, day) if exchanged else before

    def _in_use(self, system: System, until: date, entry: On[Any]) -> None:
        system.used_until = max(system.used_until or until, until)
        if not system.first_use:
            system.first_use, system.first_use_at_us = entry.reference, entry.since_us

    def last_day(self, system: System, as_of: AsOf) -> date:
        """The day judged, or before that the one on which its bureau was closed, or while it is suspended the one on
        which that began; in 1970 where that is not known.
        """
        end_us = as_of.at_us - 1
        ended = self._closings.before(system.bureau, end_us) or self._suspensions.at(system.bureau, end_us)
        return self._calendar.day_of(end_us if ended is None else ended.since_us)

    def finish(self, as_of: AsOf) -> Iterator[System]:
        """Every system."""
        yield from self.systems.values()
