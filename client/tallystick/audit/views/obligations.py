"""What is owed: every obligation of the table from its opening to its answer, and how long answers took.

Deadlines are computed here and nowhere else. A clock starts when the opening entry was served: until cosignatures tell,
the moment it was recorded stands in; for what was brought in, where that wrongs nobody, the moment it happened. A
clarification about what is owed that whoever owes asks of whom it is owed to stops the clock until that is answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, islice
from typing import Any

from google.protobuf.message import Message

from tallystick.audit.cycle import cycle_days
from tallystick.audit.entry import On, Place
from tallystick.audit.obligations import OBLIGATIONS, Answering, Obligation
from tallystick.audit.pairing import Key, sent_key
from tallystick.audit.rulebook import Rulebook
from tallystick.audit.views.catalogue import Catalogue
from tallystick.audit.views.exchanges import Exchanges
from tallystick.audit.views.holdings import Holdings
from tallystick.audit.views.view import AsOf, View
from tallystick_proto.v1.statement_pb2 import ConcernAnswered, ConcernRaised, DataSent, VersionRecalled


@dataclass(slots=True)
class Pauses:
    """When the clock stood still of what one bureau owes for one entry: spans that are over, and what holds it now.

    `open` are the clarifications that nobody answered yet. Any number of them make one span.
    """

    over: list[tuple[int, int]] = field(default_factory=list)
    open: dict[Place, int] = field(default_factory=dict)
    _began_us: int = 0
    _ended_us: int = 0

    def ask(self, place: Place, at_us: int) -> None:
        """A clarification was asked."""
        self._began_us = min(self._began_us, at_us) if self.open else at_us
        self._ended_us = self._ended_us if self.open else at_us
        self.open[place] = at_us

    def answer(self, place: Place, at_us: int) -> None:
        """It was answered."""
        self._ended_us = max(self._ended_us, at_us)
        if self.open.pop(place, None) is not None and not self.open:
            self.over.append((self._began_us, self._ended_us))

    @property
    def spans(self) -> tuple[tuple[int, int | None], ...]:
        """Every span: when it began, and ended."""
        return (*self.over, (self._began_us, None)) if self.open else tuple(self.over)


@dataclass(slots=True, eq=False)
class Owed:
    """One answer that is owed, by whom and since when; and, once it came, the entry that met it.

    `deadline_us` is None where the rulebook sets none, or where the clock stands still. `late_days` are working days
    past the deadline when it was met, or by the moment of judgement.
    """

    obligation: Obligation
    opened: On[Any]
    bureau: str
    keys: tuple[Hashable, ...]
    pauses: Pauses
    met: On[Any] | None = None
    deadline_us: int | None = None
    late_days: int = 0
    late: bool = False

    @property
    def rule(self) -> str:
        """The rule that reports it, by which it goes."""
        return self.obligation.rule

    @property
    def served_us(self) -> int:
        """When its clock started."""
        return self.opened.since_us if self._goes_by_word else self.opened.recorded_at_us

    def answered_us(self, by: On[Any]) -> int:
        """When an answer came."""
        return by.since_us if self._goes_by_word else by.recorded_at_us

    @property
    def _goes_by_word(self) -> bool:
        """Whether what was brought in counts from when its actor says that it happened.

        Nobody is made late by another's word on the past, nor punctual by his own: both ends were brought in, or who
        opened it owes it, or it is reported as one side's word.
        """
        if not self.opened.imported:
            return False
        both = self.met is not None and self.met.imported
        return both or self.bureau == self.opened.bureau or self.obligation.by_word

    @property
    def derived_version(self) -> str:
        """The version to be corrected, where a recall obliges who derived from what was recalled; else ""."""
        return next((key[1] for key in self.keys if isinstance(key, tuple) and key[0] == self.bureau), "")

    @property
    def creditor(self) -> str:
        """Whom it is owed to; "" where to everybody, as a new version is."""
        return self.opened.bureau if self.opened.bureau != self.bureau else self.opened.head.counterparty


@dataclass(slots=True)
class Times:
    """How a bureau answered what it owed under one obligation; days are working days, of those that were answered."""

    answered: int = 0
    on_time: int = 0
    days: int = 0
    open: int = 0
    overdue: int = 0


class Obligations(View):
    """Everything owed and not yet met, and the response times of what was. Working days were counted in `years`."""

    def __init__(self, rulebook: Rulebook, catalogue: Catalogue, holdings: Holdings, exchanges: Exchanges) -> None:
        self.times: dict[tuple[str, str], Times] = {}
        self.years: set[int] = set()
        self._rulebook = rulebook
        self._catalogue = catalogue
        self._holdings = holdings
        self._exchanges = exchanges
        # Sets that keep their order: what is open under one key may be very much.
        self._open: dict[tuple[str, Hashable], dict[Owed, None]] = {}
        self._opened_at: dict[tuple[Place, str], dict[Owed, None]] = {}
        self._walked: dict[tuple[str, str], int] = {}
        self._reached: set[tuple[str, str]] = set()
        self._pausing: dict[Place, tuple[str, Pauses]] = {}
        self._late: list[Owed] = []  # met, but it may have been met before, where nobody read

    def folding(self) -> Iterator[tuple[type[Message], Callable[[On[Any]], Iterable[object] | None]]]:
        """Answers before openings: a new version meets the old promise before it makes the next."""
        yield ConcernRaised, self._pause
        yield ConcernAnswered, self._resume
        for obligation in OBLIGATIONS:
            for answering in obligation.met_by:
                yield answering.said, self._meeting(obligation, answering)
        for obligation in OBLIGATIONS:
            yield obligation.opens, self._opening(obligation)

    # What the table asks of the views.

    def holders(self, recall: On[VersionRecalled]) -> Iterator[str]:
        for holding in self._holdings.holders(recall.head.version):
            if holding.received and self._holdings.obliges(recall, holding.bureau):
                yield holding.bureau

    def derivers(self, recall: On[VersionRecalled]) -> Iterator[tuple[str, str]]:
        """What was made of the version itself since it was last recalled, and all that was made of that in turn.

        What the recalls of one bureau have reached before, with all beyond it, is reached no second time but from a
        version that it was itself made of: else a long line of versions, recalled one by one, were walked for each.
        """
        version, by = recall.head.version, recall.bureau
        if not self._catalogue.is_of(by, version):
            return
        derived = self._catalogue.derived
        direct = tuple(islice(derived.get(version, ()), self._walked.get((by, version), 0), None))
        self._walked[by, version] = len(derived.get(version, ()))
        queue = deque(direct)
        for number in count():
            if not queue:
                return
            name = queue.popleft()
            made, again = self._catalogue.versions[name], (by, name) in self._reached
            is_direct = number < len(direct)
            if name == version or (not self._holdings.obliges(recall, made.bureau) if is_direct else again):
                continue
            self._reached.add((by, name))
            if made.recalled is None:
                yield made.bureau, name
            if not again:
                queue.extend(derived.get(name, ()))

    def is_answered(self, exchange: Key) -> bool:
        return self._exchanges.is_answered(exchange)

    def is_said_again(self, sent: On[DataSent]) -> bool:
        return ("sent-not-received", sent_key(sent)) in self._open

    def is_cyclic(self, bureau: str, code: str) -> bool:
        return self._cycle(bureau, code) is not None

    # Folding.

    def _opening(self, obligation: Obligation) -> Callable[[On[Any]], None]:
        def open_(entry: On[Any]) -> None:
            for bureau, keys in obligation.owes(entry, self):
                there = self._opened_at.setdefault((entry.place, bureau), {})
                pauses = next(iter(there)).pauses if there else Pauses()
                # Two keys are one where a bureau sent to itself.
                owed = Owed(obligation, entry, bureau, tuple(dict.fromkeys(keys)), pauses)
                there[owed] = None
                for key in keys:
                    self._open.setdefault((obligation.rule, key), {})[owed] = None

        return open_

    def _meeting(self, obligation: Obligation, answering: Answering) -> Callable[[On[Any]], Iterator[Owed]]:
        def meet(entry: On[Any]) -> Iterator[Owed]:
            for key in answering.keys(entry):
                for owed in tuple(self._open.get((obligation.rule, key), ())):
                    if answering.by(entry, owed.opened, owed.bureau):
                        self._close(owed)
                        if answering.tells_no_time:
                            continue
                        owed.met = entry
                        # A deadline is 24:00: an answer at that very moment is late, and no sooner is its absence.
                        self._judge(owed, owed.answered_us(entry) + 1)
                        if owed.late:
                            self._late.append(owed)
                        else:
                            self._count(owed, owed.answered_us(entry))
                            yield owed

        return meet

    def _close(self, owed: Owed) -> None:
        for key in owed.keys:
            held = self._open[owed.rule, key]
            del held[owed]
            if not held:
                del self._open[owed.rule, key]
        there = self._opened_at[owed.opened.place, owed.bureau]
        del there[owed]
        if not there:
            del self._opened_at[owed.opened.place, owed.bureau]

    def _pause(self, entry: On[ConcernRaised]) -> None:
        """Only where it is asked of whom it is owed to: anybody else, or nobody, would never answer."""
        if entry.said.sort != ConcernRaised.CLARIFICATION or entry.about is None:
            return
        owed = next(iter(self._opened_at.get((entry.about, entry.bureau), ())), None)
        if owed is not None and owed.creditor == entry.head.counterparty:
            owed.pauses.ask(entry.place, entry.since_us)
            self._pausing[entry.place] = owed.creditor, owed.pauses

    def _resume(self, entry: On[ConcernAnswered]) -> None:
        pausing = None if entry.about is None else self._pausing.get(entry.about)
        if entry.about is not None and pausing is not None and entry.bureau == pausing[0]:
            pausing[1].answer(entry.about, entry.since_us)
            del self._pausing[entry.about]

    # Judging.

    def _deadline_us(self, owed: Owed) -> int | None:
        calendar, within = self._rulebook.calendar, owed.obligation.within
        if within is None:
            days = self._cycle(owed.bureau, owed.opened.code)
            if days is None:
                return None
            cycle_us = calendar.end_us(calendar.day_of(owed.served_us) + timedelta(days=days))
            return max(cycle_us, calendar.deadline_us(owed.served_us, 1) or 0)
        allowed = self._rulebook.deadlines.get(within)
        if allowed is None:
            return None
        return calendar.deadline_us(owed.served_us, allowed, owed.pauses.spans)

    def _cycle(self, bureau: str, code: str) -> int | None:
        declared = self._catalogue.declared(bureau, code)
        return None if declared is None else cycle_days(declared.said.update_cycle)

    def _judge(self, owed: Owed, at_us: int) -> None:
        """Whether it is late if nothing met it before a moment."""
        calendar = self._rulebook.calendar
        owed.deadline_us = self._deadline_us(owed)
        if owed.deadline_us is not None and owed.obligation.within is not None:
            last_us = min(owed.deadline_us, at_us)
            self.years.update(range(calendar.day_of(owed.served_us).year, calendar.day_of(last_us).year + 1))
        owed.late = owed.deadline_us is not None and at_us > owed.deadline_us
        owed.late_days = calendar.working_days_after(owed.deadline_us, at_us) if owed.late and owed.deadline_us else 0

    def _count(self, owed: Owed, at_us: int) -> None:
        times = self.times.setdefault((owed.bureau, owed.rule), Times())
        if owed.met is None:
            times.open += 1
            times.overdue += owed.late
        else:
            times.answered += 1
            times.on_time += not owed.late
            times.days += self._rulebook.calendar.working_days_between(owed.served_us, at_us)

    def finish(self, as_of: AsOf) -> Iterator[Owed]:
        """What was met late, and everything still owed, where every ledger on which an answer may stand is covered."""
        for owed in self._late:
            if self._is_covered(owed, as_of):
                self._count(owed, as_of.at_us if owed.met is None else owed.answered_us(owed.met))
                yield owed
        for owed in self.open():
            self._judge(owed, as_of.at_us)
            if self._is_covered(owed, as_of):
                self._count(owed, as_of.at_us)
                yield owed

    def _is_covered(self, owed: Owed, as_of: AsOf) -> bool:
        """Whether it can be judged; counted where it is late and cannot."""
        unread = owed.obligation.answerers(owed.opened, owed.bureau) - as_of.covered
        if owed.late:
            as_of.unjudged.update((owed.rule, bureau) for bureau in unread)
        return not unread

    def open(self) -> Iterator[Owed]:
        """What is owed and not met, in the order it was opened."""
        for there in self._opened_at.values():
            yield from there
