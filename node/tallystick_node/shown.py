"""Who was shown what, on the record: `RecordsShown`, by which a ledger says what was read of it and what was opened.

    a disclosure   is recorded before it is shown, one by one: to whom, of which field, of which entry.
    a search       for a value that the asker knows is recorded before it begins: by whom, in which field of which
                   entries; and each entry found before it is named. Which entry that was is committed: said in the
                   clear, the entries found together would be known to be of one subject.
    entries read   are recorded after they were shown, those of some time together: to whom, of which ledger, from
                   where, how many. What adjoins or overlaps is one range. What cannot be recorded is kept for a while,
                   and then logged; what a crash takes with it, in that time, nobody records.

No disclosure is shown, and no search made, that cannot be recorded now: who asks is refused for the very reason for
which nothing is recorded. The search comes first, so that a refusal does not tell whether anything was found.

A reader is an auditor, or another bureau's actor. Not readers are the bureau's own actors, nodes, which follow and
check each other, and whoever calls in the clear, who has no name. Opening something is recorded for all of them.

Nothing is said of being shown what only speaks of being shown, or of being witnessed: else two who follow would give
each other something to follow for ever. A range counts where anything else is in it; a search for what was found in
searches is recorded, and what it finds is not.

An observer has no ledger, and logs instead. Nothing that is recorded in the clear or logged here holds a value.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from tallystick.core.charter import Bureau, Charter
from tallystick.core.compose import Sensitive
from tallystick.core.entry import decode_entry
from tallystick.core.errors import NotFound, TallystickError
from tallystick.core.kinds import SENSITIVE
from tallystick.core.statement import read
from tallystick_node.access import NODE
from tallystick_node.callers import IN_THE_CLEAR, Caller
from tallystick_node.own_statement import OF_ITSELF, Voice
from tallystick_proto.v1.statement_pb2 import RecordsShown

log = structlog.get_logger()

INTERVAL_S: Final = 60.0
RETRY_S: Final = 10.0
RANGES_MAX: Final = 256  # in one statement, as its options say
KEPT_RANGES_MAX: Final = 16 * RANGES_MAX
ENTRIES: Final = "entries"
_KIND: Final = RecordsShown.DESCRIPTOR.name


@dataclass(frozen=True, slots=True)
class Range:
    """Entries [first, end) of a bureau's ledger, shown to somebody from a moment on."""

    to: str
    ledger: str
    first: int
    end: int
    at_us: int


class Ranges:
    """What was shown and is not recorded yet: of one reader and ledger, ranges that neither touch nor overlap."""

    def __init__(self) -> None:
        self._ranges: dict[tuple[str, str], list[Range]] = {}
        self.count = 0

    def add(self, new: Range) -> None:
        """Take a range in; with those that it joins it is one, shown since the first of them was."""
        there = self._ranges.setdefault((new.to, new.ledger), [])
        begin = end = bisect_left(there, new.first, key=lambda each: each.end)
        while end < len(there) and there[end].first <= new.end:
            end += 1
        joined = [*there[begin:end], new]
        there[begin:end] = [
            Range(
                new.to,
                new.ledger,
                min(each.first for each in joined),
                max(each.end for each in joined),
                min(each.at_us for each in joined),
            )
        ]
        self.count += 2 - len(joined)

    def take(self, most: int) -> list[Range]:
        """Take out up to so many, one reader and ledger after another."""
        taken: list[Range] = []
        for key in list(self._ranges):
            there = self._ranges[key]
            part = there[: most - len(taken)]
            taken += part
            del there[: len(part)]
            if not there:
                del self._ranges[key]
            if len(taken) == most:
                break
        self.count -= len(taken)
        return taken


class Shown:
    """Records what this node shows. Use within one event loop; `start` once the ledger is written.

    `voice` says it on the node's own ledger; without one, it is logged. What is read is recorded `interval_s` after the
    first of it was, or as soon as it fills a statement.
    """

    def __init__(
        self, charter: Charter, own: Bureau, voice: Voice | None, now_us: Callable[[], int], interval_s: float
    ) -> None:
        self._ids = {each.origin: each.id for each in charter.bureau}
        self._own = own
        self._voice = voice
        self._now_us = now_us
        self._interval_s = interval_s
        self._ranges = Ranges()
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def kept(self) -> int:
        """How many ranges are not recorded yet."""
        return self._ranges.count

    def start(self) -> None:
        """Record what is read from now on, and what was before."""
        self._task = asyncio.create_task(self._run(), name="shown")

    async def settle(self) -> None:
        """Record what was read so far, as long as the writer takes it; what is read from now on is logged."""
        for each in (self._ending, self._some, self._many):
            each.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def stop(self) -> None:
        """Log what could not be recorded any more."""
        self._log(self._ranges.take(self._ranges.count))

    async def disclosed(self, caller: Caller, opened: Iterable[tuple[int, str]]) -> None:
        """Returns once it is recorded that `caller` is shown what opens these fields of this ledger's entries.

        Raises as the writer does, and then nothing may be shown.
        """
        at_us = self._now_us()
        await self._say(
            [RecordsShown.Shown(to=caller.id, what=field, first=index, count=1, at_us=at_us) for index, field in opened]
        )

    async def searched(self, caller: Caller, field: str, entries: range) -> None:
        """Returns once it is recorded that `caller` searches a field of these entries. Raises as `disclosed`."""
        if entries:
            await self._say([self._search(caller, field, entries)])

    async def found(self, caller: Caller, field: str, entries: range, indexes: Sequence[int]) -> None:
        """Returns once it is recorded which of the entries searched `caller` is told of. Raises as `disclosed`."""
        if indexes and SENSITIVE[field] not in OF_ITSELF:
            search = self._search(caller, field, entries)
            await self._voiced().say(_KIND, *({"shown": [search], "found": Sensitive(str(index))} for index in indexes))

    def _search(self, caller: Caller, field: str, entries: range) -> RecordsShown.Shown:
        return RecordsShown.Shown(
            to=caller.id,
            what=field,
            first=entries.start,
            count=len(entries),
            at_us=self._now_us(),
            searched=True,
        )

    def read(self, caller: Caller, origin: str, first: int, entries: Sequence[bytes]) -> None:
        """Adjacent entries are about to be shown to `caller`, from `first` on."""
        if not self._is_reader(caller) or not any(map(_counts, entries)):
            return
        ledger = self._ids[origin]
        self._ranges.add(Range(caller.id, ledger, first, first + len(entries), self._now_us()))
        self._some.set()
        if self._ranges.count >= RANGES_MAX:
            self._many.set()
        if self._ranges.count > KEPT_RANGES_MAX:
            self._log(self._ranges.take(RANGES_MAX))

    def _is_reader(self, caller: Caller) -> bool:
        own = () if self._own.is_observer else (self._own.id,)  # an observer knows no actors of its own
        return caller != IN_THE_CLEAR and caller.name != NODE and caller.party not in own

    async def _run(self) -> None:
        trouble = ""
        while True:
            await self._some.wait()
            await _within(self._interval_s, self._many)
            last = self._ending.is_set()
            try:
                await self._record_all()
                trouble = ""
            except TallystickError as error:
                say = log.debug if str(error) == trouble else log.warning
                say("what was read was not recorded", reason=str(error))
                trouble = str(error)
                await _within(RETRY_S, self._ending)
            except Exception:  # a bug must not end it without a word
                log.exception("recording what was read failed")
                await _within(RETRY_S, self._ending)
            if last:
                return

    async def _record_all(self) -> None:
        """Record all there is. Raises as the writer does; what was not recorded is kept."""
        self._many.clear()
        while self._ranges.count:
            ranges = self._ranges.take(RANGES_MAX)
            if self._voice is None:
                self._log(ranges)
                continue
            try:
                await self._say([self._as_shown(each) for each in ranges])
            except BaseException:
                for each in ranges:
                    self._ranges.add(each)
                raise
        self._some.clear()

    def _as_shown(self, each: Range) -> RecordsShown.Shown:
        return RecordsShown.Shown(
            to=each.to,
            what=ENTRIES,
            first=each.first,
            count=each.end - each.first,
            at_us=each.at_us,
            ledger="" if each.ledger == self._own.id else each.ledger,
        )

    async def _say(self, shown: Sequence[RecordsShown.Shown]) -> None:
        """Record so many, in as many statements as that takes, all or none."""
        starts = range(0, len(shown), RANGES_MAX)
        await self._voiced().say(_KIND, *({"shown": shown[start : start + RANGES_MAX]} for start in starts))

    def _voiced(self) -> Voice:
        if self._voice is None:
            raise NotFound("an observer holds nothing that opens commitments", expected="the ledger's own node")
        return self._voice

    def _log(self, ranges: Iterable[Range]) -> None:
        for each in ranges:
            log.info("entries shown", to=each.to, ledger=each.ledger, first=each.first, count=each.end - each.first)


def _counts(entry: bytes) -> bool:
    """Whether an entry says anything but that something was shown, or witnessed."""
    return read(decode_entry(entry).statement).kind not in OF_ITSELF


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
