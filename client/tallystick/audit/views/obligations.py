"""What is owed: every obligation of the table from its opening to its answer, and how long answers took.

Deadlines are computed here and nowhere else. A clock starts when the opening entry was served (`Owed.serve`), and what
met it came when witnesses let it have come (`Moment`); for what was brought in, where that wrongs nobody, when it
happened. A clarification about what is owed that whoever owes asks of whom it is owed to stops the clock until that is
answered.

An answer that is in time by what is known when it is folded stays so. One that is late then is judged at the end again,
once notes and ledgers have told what they tell.

A clock stands still as well on the days on which whoever owes is suspended and can record nothing; what was late before
stays late, and by as much.

A closed bureau answers nothing more, and nothing is answered to it. So what it left open, and what lapses with it, is
judged as of its closing: late then, or held against nobody. Where that moment is not known (`Closing`), none of it is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
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
from tallystick.audit.views.closings import Closings
from tallystick.audit.views.exchanges import Exchanges
from tallystick.audit.views.holdings import Holdings
from tallystick.audit.views.owed import Owed, Pauses, Times
from tallystick.audit.views.suspensions import Suspensions
from tallystick.audit.views.view import AsOf, View
from tallystick.audit.views.witness_times import WitnessTimes
from tallystick.core.closing import Closing
from tallystick.core.kinds import KINDS
from tallystick_proto.v1.statement_pb2 import ConcernAnswered, ConcernRaised, DataSent, Statement, VersionRecalled

Spans = tuple[tuple[int, int | None], ...]
"""Times that do not count: the beginning of each, and its end, None while it lasts."""


class Obligations(View):
    """Everything owed and not yet met, and the response times of what was. Working days were counted in `years`.

    `left_open` counts, by who owes and who was closed, what is still open and fell due after that.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        witness_times: WitnessTimes,
        catalogue: Catalogue,
        holdings: Holdings,
        exchanges: Exchanges,
        closings: Closings,
        suspensions: Suspensions,
    ) -> None:
        self.times: dict[tuple[str, str], Times] = {}
        self.years: set[int] = set()
        self.left_open: Counter[tuple[str, str]] = Counter()
        self._rulebook = rulebook
        self._witness_times = witness_times
        self._catalogue = catalogue
        self._holdings = holdings
        self._exchanges = exchanges
        self._closings = closings
        self._suspensions = suspensions
        # Sets that keep their order: what is open under one key may be very much.
        self._open: dict[tuple[str, Hashable], dict[Owed, None]] = {}
        self._opened_at: dict[tuple[Place, str], dict[Owed, None]] = {}
        self._walked: dict[tuple[str, str], int] = {}
        self._reached: set[tuple[str, str]] = set()
        self._pausing: dict[Place, tuple[str, Pauses]] = {}
        self._late: list[Owed] = []  # met, but it may have been met before, where nobody read

    def folding(self) -> Iterator[tuple[type[Message], Callable[[On[Any]], Iterable[object] | None]]]:
        """Answers before openings: a new version meets the old promise before it makes the next."""
        for kind in KINDS.values():
            yield type(getattr(Statement(), kind.field)), self._acknowledge
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
                opening = self._witness_times.moment(entry, bureau)
                owed = Owed(obligation, entry, bureau, tuple(dict.fromkeys(keys)), pauses, opening)
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
                        if not answering.tells_no_time and not self._is_in_time(owed, entry):
                            self._late.append(owed)
                            continue
                        self._witness_times.forget(owed.opening, owed.bureau)
                        if owed.met is not None:
                            self._count(owed, owed.answered_us)
                            yield owed

        return meet

    def _is_in_time(self, owed: Owed, met: On[Any]) -> bool:
        """Whether what meets it came in time, by what is known now; if not, what bounds its moment is waited for."""
        owed.met, owed.answering = met, self._witness_times.moment(met)
        self._judge_answer(owed)
        if not owed.late:
            self._witness_times.forget(owed.answering)
        return not owed.late

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

    def _acknowledge(self, entry: On[Any]) -> None:
        """Whoever cites something has it; what was opened by one entry was so by all that cites it first."""
        there = () if entry.about is None else self._opened_at.get((entry.about, entry.bureau), ())
        for owed in there:
            if owed.acknowledged_us is not None:
                return
            owed.acknowledged_us = self._since_us(entry)

    def _since_us(self, entry: On[Any]) -> int:
        return entry.since_us if entry.imported else self._witness_times.at_us(entry)

    def _pause(self, entry: On[ConcernRaised]) -> None:
        """Only where it is asked of whom it is owed to, and not closed: anybody else, or nobody, would never answer."""
        if entry.said.sort != ConcernRaised.CLARIFICATION or entry.about is None:
            return
        owed = next(iter(self._opened_at.get((entry.about, entry.bureau), ())), None)
        closing = self._closings.before(entry.head.counterparty, entry.recorded_at_us)
        is_there = closing is None or closing.issued is None
        if owed is not None and owed.creditor == entry.head.counterparty and is_there:
            owed.pauses.ask(entry.place, self._since_us(entry))
            self._pausing[entry.place] = owed.creditor, owed.pauses

    def _resume(self, entry: On[ConcernAnswered]) -> None:
        pausing = None if entry.about is None else self._pausing.get(entry.about)
        if entry.about is not None and pausing is not None and entry.bureau == pausing[0]:
            pausing[1].answer(entry.about, self._since_us(entry))
            del self._pausing[entry.about]

    # Judging.

    def _deadline_us(self, owed: Owed, suspended: Spans) -> int | None:
        calendar, within = self._rulebook.calendar, owed.obligation.within
        if within is None:
            days = self._cycle(owed.bureau, owed.opened.code)
            if days is None:
                return None
            cycle_us = self._cycle_us(owed.served_us, days, suspended)
            next_us = calendar.deadline_us(owed.served_us, 1, suspended)
            return None if cycle_us is None or next_us is None else max(cycle_us, next_us)
        allowed = self._rulebook.deadlines.get(within)
        if allowed is None:
            return None
        return calendar.deadline_us(owed.served_us, allowed, (*owed.pauses.spans, *suspended))

    def _cycle_us(self, served_us: int, days: int, suspended: Spans) -> int | None:
        """24:00 of a cycle's last day, put off by the days of suspensions that began before; None where one lasts."""
        day_of = self._rulebook.calendar.day_of
        served = day_of(served_us)
        due = served + timedelta(days=days)
        for began_us, ended_us in suspended:
            began = max(day_of(began_us), served)
            if began >= due:
                break
            if ended_us is None:
                return None
            due += max(day_of(ended_us) - began, timedelta(0))
        return self._rulebook.calendar.end_us(due)

    def _cycle(self, bureau: str, code: str) -> int | None:
        declared = self._catalogue.declared(bureau, code)
        return None if declared is None else cycle_days(declared.said.update_cycle)

    def _deemed_us(self, there_by_us: int) -> int | None:
        """The last instant of the day on which what was witnessed passes for served; None where no rule says so."""
        days = self._rulebook.deadlines.get("deemed_service")
        served_us = None if days is None else self._rulebook.calendar.deadline_us(there_by_us, days)
        return None if served_us is None else served_us - 1

    def _suspended(self, bureau: str, at_us: int) -> Spans:
        """When a bureau was suspended before a moment, from the last instant before the first such day: a day does not
        count on which it was suspended for a part.
        """
        calendar = self._rulebook.calendar
        spans = self._suspensions.spans(bureau, at_us)
        return tuple((calendar.start_us(calendar.day_of(began)) - 1, ended) for began, ended in spans)

    def _judge_answer(self, owed: Owed) -> None:
        """A deadline is 24:00: an answer at that very moment is late, and no sooner is its absence."""
        self._judge(owed, owed.answered_us + 1)

    def _closing(self, owed: Owed, before_us: int) -> Closing | None:
        """The first closing before a moment of who owes, or of whom it is owed to where it lapses with that."""
        bureaus = {owed.bureau, owed.creditor} if owed.obligation.lapses else {owed.bureau}
        if owed.met is not None:
            bureaus.discard(owed.met.bureau)  # which was not closed yet
        known = (self._closings.before(bureau, before_us) for bureau in sorted(bureaus))
        return min(filter(None, known), key=lambda each: each.since_us, default=None)

    def _judge(self, owed: Owed, at_us: int) -> None:
        """Whether it is late if nothing met it before a moment, or before the closing that ended it."""
        calendar = self._rulebook.calendar
        owed.serve(self._deemed_us)
        suspended = self._suspended(owed.bureau, at_us)
        owed.suspended = self._suspensions.at(owed.bureau, at_us) if owed.met is None else None
        owed.deadline_us = self._deadline_us(owed, suspended)
        owed.closing = self._closing(owed, at_us)
        if owed.closing is not None:
            at_us = owed.closing.since_us
        if owed.deadline_us is not None and owed.obligation.within is not None:
            last_us = min(owed.deadline_us, at_us)
            self.years.update(range(calendar.day_of(owed.served_us).year, calendar.day_of(last_us).year + 1))
        owed.late = owed.deadline_us is not None and at_us > owed.deadline_us
        owed.late_days = 0
        if owed.late and owed.deadline_us is not None:
            owed.late_days = calendar.working_days_after(owed.deadline_us, at_us) - sum(
                calendar.working_days_between(began, min(at_us if ended is None else ended, at_us) - 1)
                for began, ended in suspended
                if ended is None or ended >= owed.deadline_us
            )

    def _count(self, owed: Owed, at_us: int) -> None:
        """Into the response times, but for what lapsed, and what was met after a closing."""
        if owed.closing is not None and (owed.lapsed or owed.met is not None):
            return
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
            self._judge_answer(owed)
            if self._is_covered(owed, as_of):
                self._count(owed, owed.answered_us)
                yield owed
        for owed in self.open():
            self._judge(owed, as_of.at_us)
            if self._is_covered(owed, as_of):
                self._count(owed, as_of.at_us)
                fell_due = owed.deadline_us is not None and owed.deadline_us < as_of.at_us
                if owed.closing is not None and fell_due and not owed.late:
                    self.left_open[owed.bureau, owed.closing.bureau] += 1
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
