"""A queue in which nobody waits behind another's crowd: start-time fair queueing, in stages.

What waits belongs to an `Owner`: who it is for, of which party, and over which of his connections it came. Each piece
has a price. The party that has been given least so far is next, among its callers who has been given least, and among
his connections the one that has; what one connection waits for stays in its order. A queue may have a stage before
that, with a weight for each name in it.

Whoever comes after a time of asking nothing begins where the others are: what he did not ask for then is not owed to
him. Who is `charged` without having been given anything waits longer for the next, up to `DEBT_MAX`.

Nothing here knows of time, and what is popped depends on nothing but the calls that were made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")

DEBT_MAX: Final = 10_000_000.0
"""How far ahead of the others anybody is charged, in whatever prices are in: µs of the node's time, or bytes."""

_IDLE_KEPT: Final = 1_024


class Owner(NamedTuple):
    """Who something is for, and the connection it came over. A caller without a name is his connection. `party` gave
    the name, and may give any number of them.
    """

    who: str
    connection: str
    party: str = ""

    @property
    def line(self) -> tuple[str, str, str]:
        """The stages at which it waits."""
        return self.party, self.who, self.connection


NOBODY: Final = Owner("", "")
"""The node itself, and whoever has no connection."""


@dataclass(slots=True)
class _Share:
    """What a caller or a connection has been given so far, in prices."""

    given: float = 0.0

    def pay(self, price: float, now: float) -> None:
        self.given = min(max(self.given, now) + price, now + DEBT_MAX)


class _Line(_Share, Generic[Item]):
    """What waits on one connection."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: deque[tuple[float, Item]] = deque()

    def push(self, price: float, item: Item, path: tuple[str, ...]) -> None:
        self.waiting.append((price, item))

    def first(self) -> tuple[float, Item]:
        return self.waiting[0]

    def pop(self) -> tuple[float, Item]:
        return self.waiting.popleft()


class _Lines(_Share, Generic[Item]):
    """What waits for several, each with a line of his own, or lines."""

    def __init__(self, depth: int, weights: Mapping[str, float] = MappingProxyType({})) -> None:
        super().__init__()
        self._weights = weights
        self.now = 0.0  # what whoever was popped last had been given before
        self._depth = depth
        self._waiting: dict[str, _Line[Item] | _Lines[Item]] = {}
        self._idle: dict[str, _Line[Item] | _Lines[Item]] = {}

    @property
    def waiting(self) -> int:
        """How many have something waiting."""
        return len(self._waiting)

    def push(self, price: float, item: Item, path: tuple[str, ...]) -> None:
        line = self._waiting.get(path[0])
        if line is None:
            line = self._waiting[path[0]] = self._taken(path[0])
            line.given = max(line.given, self.now)
        line.push(price, item, path[1:])

    def first(self) -> tuple[float, Item]:
        return self._waiting[self._next()].first()

    def pop(self) -> tuple[float, Item]:
        name = self._next()
        line = self._waiting[name]
        self.now = max(self.now, line.given)
        price, item = line.pop()
        line.pay(price / self._weights.get(name, 1.0), self.now)
        if not line.waiting:
            self._rest(name, self._waiting.pop(name))
        return price, item

    def charge(self, price: float, path: tuple[str, ...]) -> None:
        line = self._waiting.get(path[0])
        if line is None:
            line = self._taken(path[0])
            self._rest(path[0], line)
        line.pay(price / self._weights.get(path[0], 1.0), self.now)
        if isinstance(line, _Lines):
            line.charge(price, path[1:])

    def _next(self) -> str:
        return min(self._waiting, key=lambda name: self._waiting[name].given)

    def _taken(self, name: str) -> _Line[Item] | _Lines[Item]:
        if name in self._idle:
            return self._idle.pop(name)
        return _Line() if self._depth == 1 else _Lines(self._depth - 1)

    def _rest(self, name: str, line: _Line[Item] | _Lines[Item]) -> None:
        self._idle[name] = line
        if len(self._idle) > _IDLE_KEPT:  # those that are owed nothing, and owe nothing, are like new
            self._idle = {each: idle for each, idle in self._idle.items() if idle.given > self.now}
        while len(self._idle) > _IDLE_KEPT:
            del self._idle[next(iter(self._idle))]


class FairQueue(Generic[Item]):
    """See above: of so many stages, the first with `weights`. Use within one event loop."""

    def __init__(self, stages: int, weights: Mapping[str, float] = MappingProxyType({})) -> None:
        self._lines: _Lines[Item] = _Lines(stages, weights)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def callers(self) -> int:
        """How many names of the first stage have something waiting."""
        return self._lines.waiting

    def push(self, owner: tuple[str, ...], price: float, item: Item) -> None:
        """Let something wait."""
        self._count += 1
        self._lines.push(price, item, owner)

    def first(self) -> Item:
        """What `pop` will give, if nothing is pushed or charged before. Raises ValueError where nothing waits."""
        return self._lines.first()[1]

    def pop(self) -> Item:
        """What is next, which is paid for with that. Raises ValueError where nothing waits."""
        _, item = self._lines.pop()
        self._count -= 1
        return item

    def charge(self, owner: tuple[str, ...], price: float) -> None:
        """Let an owner pay for what he was given without waiting, or for what he did."""
        self._lines.charge(price, owner)
