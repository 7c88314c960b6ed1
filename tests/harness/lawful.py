"""Lawful histories: stories that several bureaus tell at once, each step in time, interleaved by chance.

A *story* is a generator: it says things, and yields the moment at which it goes on. A `World` plays many of them over
the better part of a year. Wherever a story stands when the year is over, nobody has broken a rule, because everything
that is owed is said before it is late; a story may also *slip*, once a world, and then breaks the one rule it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from tests.harness.district import BEGIN, Desk, District, Said

BUREAUS = ("market-regulation", "taxation", "planning", "human-resources", "data-office")
END = BEGIN + timedelta(days=290)
PURPOSES = ("tax-registration", "joint-supervision")
HOUR_US = 3_600 * 1_000_000
DAY_US = 24 * HOUR_US
# Told from here on, every story has passed its deadlines by the end, and is young enough to have been kept up.
_STARTS_WITHIN_DAYS = 60

Told = Iterator[int]
Story = Callable[["World"], Told]


class World:
    """A district, chance, and what the stories know of each other. `slip` is the rule to be broken, "" for none."""

    def __init__(self, random: Random, *, bureaus: int = 4, slip: str = "") -> None:
        self.district = District(*BUREAUS[:bureaus])
        self.random = random
        self.slipped = ""
        self.holders: dict[str, set[str]] = {}
        self.derived: dict[str, list[tuple[str, str]]] = {}
        self.recalled: set[str] = set()
        self._slip = slip
        self._number = count(1)
        self._queue: list[tuple[int, int, Told]] = []

    # Playing.

    def play(self, stories: Iterable[Story]) -> District:
        """All the stories, each from a moment of its own, up to the end."""
        calendar = self.district.rulebook.calendar
        begin_us, end_us = calendar.start_us(BEGIN), calendar.end_us(END)
        for story in stories:
            heappush(self._queue, (begin_us + self._upto(_STARTS_WITHIN_DAYS * DAY_US), self.number(), story(self)))
        while self._queue and self._queue[0][0] < end_us:
            at_us, number, told = heappop(self._queue)
            self.district.now_us = max(at_us, self.district.now_us)
            again_us = next(told, None)
            if again_us is not None:
                heappush(self._queue, (again_us, number, told))
        return self.district

    def spawn(self, told: Told) -> None:
        """Another story, that begins now."""
        heappush(self._queue, (self.now_us, self.number(), told))

    def slips(self, rule: str) -> bool:
        """Whether the rule is broken here."""
        if self._slip != rule or self.slipped:
            return False
        self.slipped = rule
        return True

    # Moments.

    @property
    def now_us(self) -> int:
        return self.district.now_us

    @property
    def today(self) -> date:
        return self.district.rulebook.calendar.day_of(self.now_us)

    def later(self, hours: int) -> int:
        """At most so many hours from now."""
        return self.now_us + 1 + self._upto(hours * HOUR_US)

    def within(self, deadline: str, served_us: int = 0, pauses: Iterable[tuple[int, int]] = ()) -> int:
        """In time for a deadline that began now, or earlier; now and then at the very last moment."""
        due_us = self.due(deadline, served_us or self.now_us, pauses)
        return due_us - 1 if self.chance(0.2) else self.now_us + self._upto(due_us - 1 - self.now_us)

    def due(self, deadline: str, served_us: int, pauses: Iterable[tuple[int, int]] = ()) -> int:
        """When it would be late."""
        rulebook = self.district.rulebook
        due_us = rulebook.calendar.deadline_us(served_us, rulebook.deadlines[deadline], tuple(pauses))
        assert due_us is not None
        return due_us

    def by_day(self, at_us: int) -> int:
        """That moment, or the next morning if it is in the night."""
        calendar = self.district.rulebook.calendar
        if not self.district.rulebook.thresholds.is_night(calendar.hour_of(at_us)):
            return at_us
        morning_us = calendar.start_us(calendar.day_of(at_us)) + 7 * HOUR_US
        return morning_us if morning_us >= at_us else morning_us + DAY_US

    def _upto(self, us: int) -> int:
        return self.random.randint(0, max(0, us))

    # Chance, names, and who speaks.

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def number(self) -> int:
        return next(self._number)

    def cast(self) -> list[Desk]:
        """All the bureaus, in an order of chance: whoever a story needs stands first."""
        desks = list(self.district.desks.values())
        self.random.shuffle(desks)
        return desks

    def id(self) -> bytes:
        """Of an exchange or a case, unlike any other."""
        return UUID(int=self.number()).bytes

    def digest(self) -> str:
        return f"blake3:{self.number():064x}"

    def noting(self) -> dict[str, Any]:
        """Now and then, that it happened a while ago, and was not recorded too late."""
        hours = self.district.rulebook.thresholds.late_record_hours or 0
        return {"happened_at": self.now_us - self._upto(hours * HOUR_US)} if self.chance(0.1) else {}

    def received(self, by: Desk, version: str) -> None:
        self.holders.setdefault(version, set()).add(by.bureau.id)

    def downstream(self, version: str) -> Iterator[tuple[str, str]]:
        """Who made what of a version, at any depth, each once."""
        queue, seen = [version], {version}
        while queue:
            for bureau, derived in self.derived.get(queue.pop(), ()):
                if derived not in seen:
                    seen.add(derived)
                    queue.append(derived)
                    yield bureau, derived


def declares(world: World, desk: Desk, sharing: str, **more: Any) -> str:
    """A resource declared as it should be; its code."""
    code = f"R-{world.number()}"
    grounds: dict[str, dict[str, Any]] = {
        "unconditional": {"public": world.chance(0.5)},
        "conditional": {"condition": world.random.choice(["on request", "须签订协议"])},
        "withheld": {"basis": world.random.choice(["5 U.S.C. 552a", "依《保密法》"])},
    }
    values = {"scheme": "local", "title": code, "sharing": sharing, **grounds[sharing], **more}
    desk.say("declare", resource=code, **world.noting(), **values)
    return code


def recalls(world: World, desk: Desk, version: str) -> Said:
    """A version recalled; whoever holds it or made something of it goes on to answer in time, a story each."""
    world.recalled.add(version)
    recall = desk.say("recall", version=version, reason="wrong", replaced_by=f"{version}-b")
    recalled_us = world.now_us
    desks = world.district.desks
    derived = [each for each in world.downstream(version) if each[1] not in world.recalled]
    holders = sorted(world.holders.get(version, set()) - {desk.bureau.id})
    makers = {bureau for bureau, _ in derived}
    # What several were made of, in a row, is recalled several times, and one answer may do for all of them.
    in_a_row = len(derived) != 1 or any((desk.bureau.id, version) in made for made in world.derived.values())
    left_wrong = not in_a_row and world.slips("derived-not-corrected")
    for bureau in holders:
        if bureau in makers or not world.slips("recall-unheeded"):
            world.spawn(_heeding(world, desks[bureau], recall, recalled_us, ["noted", "stopped"] * left_wrong))
    for bureau, made in derived:
        if not left_wrong:
            world.spawn(_correcting(world, desks[bureau], recall, recalled_us, made))
    return recall


def _heeding(world: World, desk: Desk, recall: Said, recalled_us: int, actions: list[str]) -> Told:
    yield world.within("heed_recall", recalled_us)
    actions = actions or ["noted", "stopped", "fixed", "destroyed"]
    desk.say("acknowledge", notice=recall, action=world.random.choice(actions))


def _correcting(world: World, desk: Desk, recall: Said, recalled_us: int, made: str) -> Told:
    yield world.within("heed_recall", recalled_us)
    if made in world.recalled:
        return
    if world.chance(0.5):
        recalls(world, desk, made)
    else:
        desk.say("acknowledge", notice=recall, action=world.random.choice(["fixed", "destroyed"]))
