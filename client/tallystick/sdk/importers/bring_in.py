"""Imports of every form: compared with what stands on the ledger, and what is new or changed recorded.

An import is a stream of `Item`s. What stands is got in one verified pass before anything is recorded, by key, so a
second run, or a run after one that was killed half-way, records only what is missing; what an item says joins it, so
that the same within one import is known too. The recorder keeps no spool here for the same reason: what a killed run
left unsent would otherwise be sent beside what the next run finds missing.

`Remarks` count what an import left out or read in spite of its form, and keep the first places of each.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from tallystick.core.errors import TallystickError

if TYPE_CHECKING:
    from tallystick.sdk.node import Node
    from tallystick.sdk.recorder import Pending

_EXAMPLES_MAX: Final = 3


class Item(Protocol):
    """One statement an import would make: `says` is what two of one key are the same by, `values` what it takes."""

    @property
    def kind(self) -> str: ...
    @property
    def key(self) -> Hashable: ...
    @property
    def says(self) -> object: ...
    @property
    def values(self) -> Mapping[str, object]: ...


ItemT = TypeVar("ItemT", bound=Item)
KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(slots=True)
class Compared:
    """How many items were new, what stands already, or repeated within the import; `changed` are the keys of those that
    say otherwise.
    """

    new: int = 0
    unchanged: int = 0
    repeated: int = 0
    changed: list[Hashable] = field(default_factory=list)

    @property
    def wanted(self) -> int:
        """How many are to be recorded."""
        return self.new + len(self.changed)


def compare(
    items: Iterable[ItemT],
    stands: Mapping[KeyT, object],
    compared: Compared,
    contradicts: Callable[[ItemT], None] | None = None,
) -> Iterator[ItemT]:
    """The items to be recorded: what is new, and what says otherwise than what stands and so supersedes it.

    With `contradicts`, nothing supersedes: what says otherwise is given to it instead, and counted nowhere here.
    """
    known: Mapping[Hashable, object] = stands  # type: ignore[assignment]
    here: dict[Hashable, object] = {}
    for item in items:
        key, says = item.key, item.says
        before = here.get(key)
        said = known.get(key) if before is None else before
        if said is None:
            compared.new += 1
        elif said == says:
            if before is None:
                compared.unchanged += 1
            else:
                compared.repeated += 1
            continue
        elif contradicts is not None:
            contradicts(item)
            continue
        else:
            compared.changed.append(key)
        here[key] = says
        yield item


@dataclass(slots=True)
class Outcome:
    """How many statements were recorded, their lowest and highest index, and what stopped the rest, if anything."""

    recorded: int = 0
    first: int | None = None
    last: int | None = None
    error: TallystickError | None = None

    def settle(self, pending: Pending) -> None:
        """Count one statement once it has its receipt or its error."""
        try:
            index = pending.result().index
        except TallystickError as caught:
            self.error = self.error or caught
            return
        self.recorded += 1
        self.first = index if self.first is None else min(self.first, index)
        self.last = index if self.last is None else max(self.last, index)


def record(node: Node, items: Iterable[Item], progress: Callable[[int], None] | None = None) -> Outcome:
    """Record a stream of items, with no more of them in memory than are on their way.

    After the first error nothing more is taken from the stream; what was on its way is counted by its own receipts.
    `progress` is told how many are recorded.
    """
    outcome = Outcome()
    waiting: deque[Pending] = deque()

    def settle_next() -> None:
        outcome.settle(waiting.popleft())
        if progress is not None:
            progress(outcome.recorded)

    try:
        with node.recorder(spool=False) as recorder:
            for item in items:
                waiting.append(recorder.record(item.kind, **item.values))
                while waiting and waiting[0].done():
                    settle_next()
                if outcome.error is not None:
                    break
    except TallystickError as caught:
        outcome.error = outcome.error or caught
    while waiting:  # each has its receipt or its error: the recorder is closed
        settle_next()
    return outcome


@dataclass(frozen=True, slots=True)
class Remark:
    """How often something was remarked of a field, and the first places where."""

    field: str
    why: str
    count: int
    examples: tuple[str, ...]


class Remarks:
    """Counts by field and reason. Reasons are few and hold no values; values stand in the examples."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], list[str]] = {}

    def add(self, name: str, why: str, example: str) -> None:
        """Remark `why` of a field, at a place."""
        self._counts[name, why] += 1
        examples = self._examples.setdefault((name, why), [])
        if len(examples) < _EXAMPLES_MAX:
            examples.append(example)

    def total(self) -> int:
        """How many remarks there are."""
        return self._counts.total()

    def __iter__(self) -> Iterator[Remark]:
        for (name, why), count in self._counts.most_common():
            yield Remark(name, why, count, tuple(self._examples[name, why]))
