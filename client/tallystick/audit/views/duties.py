"""Who is responsible for what, on any day: duties by what they are over, each with its acceptance and its end.

What a duty is over is what its head names: a resource, a system, a matter, or the holder's bureau. A duty is *assigned*
from its day on, whether accepted or not, until it is declined, has ended, or is released; and nobody is released until
a successor accepted: a duty that was accepted and has no accepted successor is a *gap*, for which the last holder
answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from tallystick.audit.entry import On, Place
from tallystick.audit.views.closings import Closings
from tallystick.audit.views.view import AsOf, View, folds
from tallystick.core.calendar import Calendar
from tallystick_proto.v1.statement_pb2 import DutyAnswered, DutyAssigned, DutyReleased, Head


class Scope(NamedTuple):
    """What a duty is over: `what` is `resource`, `system`, `matter` or `bureau`."""

    what: str
    value: str

    @property
    def fact(self) -> tuple[tuple[str, str], ...]:
        """What a sentence calls it: what it is, and its name."""
        return ((self.what, self.value),)


def scope_of(head: Head) -> Scope:
    """The scope a head names: the matter before the system, the system before the resource, else the bureau."""
    for what in ("matter", "system", "resource"):
        value = getattr(head, what)
        if value:
            return Scope(what, value)
    return Scope("bureau", head.counterparty)


@dataclass(slots=True)
class Duty:
    """One assignment and what became of it. Days are local days; `ends` is the first day it no longer holds."""

    entry: On[DutyAssigned]
    scope: Scope
    since: date
    until: date | None
    accepted: On[DutyAnswered] | None = None
    declined: On[DutyAnswered] | None = None
    released: On[DutyReleased] | None = None
    released_on: date | None = None

    @property
    def duty(self) -> DutyAssigned.Duty.ValueType:
        return self.entry.said.duty

    @property
    def duty_name(self) -> str:
        """The duty, as its enum calls it, in lower case."""
        return DutyAssigned.Duty.Name(self.duty).lower()

    @property
    def holder(self) -> str:
        return self.entry.head.counterparty

    @property
    def is_taken_on(self) -> bool:
        """Whether its holder says so itself: anybody may assign anything to anybody."""
        return self.accepted is not None or self.entry.bureau == self.holder

    @property
    def is_abolished(self) -> bool:
        """Whether it went with its matter: an approver's that was released to nobody. A supervisor's never does."""
        released = self.released is not None and not self.released.head.counterparty
        return released and (self.duty, self.scope.what) == (DutyAssigned.APPROVER, "matter")

    def ended_on(self, day: date) -> date | None:
        """The day it was over, if it is over by `day`: the first day without it."""
        ends = [each for each in (self.released_on, _after(self.until)) if each is not None and each <= day]
        return min(ends, default=None)

    def holds(self, day: date) -> bool:
        """Whether it is assigned on a day, accepted or not yet."""
        return self.since <= day and self.declined is None and self.ended_on(day) is None


@dataclass(frozen=True, slots=True)
class Gap:
    """A duty that was accepted and is over, and nobody accepted it after: since when, and who answers meanwhile."""

    last: Duty
    since: date
    answers: str


@dataclass(frozen=True, slots=True)
class Unsupervised:
    """Something that is approved, by its approver's word, and that nobody is assigned to supervise; since when, where a
    supervisor went."""

    approver: Duty
    last_supervisor: Duty | None
    since: date
    answers: str


class Duties(View):
    """Duties by what they are over, in the order they were assigned.

    `left_open` is what would be a gap, or unsupervised, had it not come only after a closing of who answers for it.
    """

    def __init__(self, calendar: Calendar, closings: Closings) -> None:
        self.left_open: list[Gap | Unsupervised] = []
        self._calendar = calendar
        self._closings = closings
        self._by_scope: dict[Scope, list[Duty]] = {}
        self._by_place: dict[Place, Duty] = {}
        self._chiefs: dict[tuple[str, date], Duty | None] = {}

    @folds(DutyAssigned)
    def _assigned(self, entry: On[DutyAssigned]) -> None:
        since = _day(entry.said.since) or self._calendar.day_of(entry.since_us)
        duty = Duty(entry, scope_of(entry.head), since, _day(entry.said.until))
        self._by_scope.setdefault(duty.scope, []).append(duty)
        self._by_place[entry.place] = duty

    @folds(DutyAnswered)
    def _answered(self, entry: On[DutyAnswered]) -> None:
        duty = self._by_place.get(entry.about) if entry.about is not None else None
        if duty is None or entry.bureau != duty.holder:
            return
        if entry.said.answer == DutyAnswered.ACCEPTED:
            duty.accepted, duty.declined = duty.accepted or entry, None
        elif duty.accepted is None:  # nobody is released by declining what they accepted
            duty.declined = duty.declined or entry

    @folds(DutyReleased)
    def _released(self, entry: On[DutyReleased]) -> None:
        """By the holder, or by who assigned it."""
        duty = self._by_place.get(entry.about) if entry.about is not None else None
        if duty is not None and duty.released is None and entry.bureau in (duty.holder, duty.entry.bureau):
            duty.released, duty.released_on = entry, self._calendar.day_of(entry.since_us)

    def at(self, place: Place) -> Duty | None:
        """The duty assigned by an entry."""
        return self._by_place.get(place)

    def over(self, scope: Scope) -> tuple[Duty, ...]:
        """Every duty over something, oldest first."""
        return tuple(self._by_scope.get(scope, ()))

    def scopes(self) -> Iterator[Scope]:
        """Everything duties are over."""
        return iter(self._by_scope)

    def holding(self, scope: Scope, duty: DutyAssigned.Duty.ValueType, day: date) -> Duty | None:
        """Who is assigned a duty on a day: the latest that holds, one that was taken on before one that was not."""
        holding = [each for each in self._by_scope.get(scope, ()) if each.duty == duty and each.holds(day)]
        taken_on = [each for each in holding if each.is_taken_on]
        found = taken_on or holding
        return found[-1] if found else None

    def held_by_own_word(self, scope: Scope, duty: DutyAssigned.Duty.ValueType, day: date) -> Duty | None:
        """Who has a duty on a day and says so itself."""
        held = self.holding(scope, duty, day)
        return held if held is not None and held.is_taken_on else None

    def stands_in(self, scope: Scope, bureau: str, day: date) -> Duty | None:
        """The duty by which somebody answers where a supervisor is missing: the steward's, else that of the bureau's
        chief; None where the bureau does itself."""
        steward = self.held_by_own_word(scope, DutyAssigned.STEWARD, day)
        return steward or self._chief(bureau, day)

    def _chief(self, bureau: str, day: date) -> Duty | None:
        """Asked for each thing a bureau approves, and so remembered."""
        if (bureau, day) not in self._chiefs:
            self._chiefs[bureau, day] = self.held_by_own_word(Scope("bureau", bureau), DutyAssigned.CHIEF, day)
        return self._chiefs[bureau, day]

    def last_over(self, scope: Scope, duty: DutyAssigned.Duty.ValueType, day: date) -> Duty | None:
        """The duty that was accepted and ended last: who had it is not released until somebody accepted it again."""
        return self._last_over(self._by_scope.get(scope, []), duty, day)

    def finish(self, as_of: AsOf) -> Iterator[Gap | Unsupervised]:
        """Every gap, and everything approved that nobody supervises, as of the day judged.

        What came about only after who answers was closed, or whose approval it is, is held against nobody.
        """
        for found in self._found(as_of):
            bureaus = {found.answers} if isinstance(found, Gap) else {found.answers, found.approver.holder}
            since_us = self._calendar.end_us(found.since)
            if any(self._closings.before(bureau, since_us) for bureau in bureaus):
                self.left_open.append(found)
            else:
                yield found

    def _found(self, as_of: AsOf) -> Iterator[Gap | Unsupervised]:
        day = self._calendar.day_of(as_of.at_us - 1)
        for scope, duties in self._by_scope.items():
            approver = self.holding(scope, DutyAssigned.APPROVER, day)
            if approver is not None and approver.holder in as_of.covered and not approver.is_taken_on:
                approver = None  # nobody approves by another's word alone
            supervised = self.holding(scope, DutyAssigned.SUPERVISOR, day) is not None
            last_supervisor = self._last_over(duties, DutyAssigned.SUPERVISOR, day)
            if approver is not None and not supervised and _is_read("approver-without-supervisor", approver, as_of):
                ended = None if last_supervisor is None else last_supervisor.ended_on(day)
                since = approver.since if ended is None else max(approver.since, ended)
                instead = self.stands_in(scope, approver.holder, day)
                yield Unsupervised(approver, last_supervisor, since, (instead or approver).holder)
            for duty in sorted({each.duty for each in duties}):
                if duty == DutyAssigned.SUPERVISOR and approver is not None:
                    continue  # said above, and by its better name
                last = self._last_over(duties, duty, day)
                ended = None if last is None else last.ended_on(day)
                holding = [each for each in duties if each.duty == duty and each.holds(day)]
                if last is None or ended is None or last.is_abolished or any(each.accepted for each in holding):
                    continue
                # A successor may have been assigned, or have accepted, on a ledger nobody read.
                who = {last.holder, last.entry.bureau, *(each.holder for each in holding)}
                if all(as_of.covers("duty-gap", each) for each in sorted(who)):
                    yield Gap(last, ended, last.holder)

    def _last_over(self, duties: list[Duty], duty: DutyAssigned.Duty.ValueType, day: date) -> Duty | None:
        """The duty that was accepted and ended last, by that day."""
        over = [
            each
            for each in duties
            if each.duty == duty and each.accepted is not None and each.ended_on(day) is not None
        ]
        return max(over, key=lambda each: (each.ended_on(day) or each.since, each.entry.place), default=None)


def _is_read(rule: str, duty: Duty, as_of: AsOf) -> bool:
    """Whether a duty's holder and who assigned it are covered, who may have assigned another where nobody read."""
    return all(as_of.covers(rule, bureau) for bureau in sorted({duty.holder, duty.entry.bureau}))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _after(day: date | None) -> date | None:
    return None if day is None or day == date.max else date.fromordinal(day.toordinal() + 1)
