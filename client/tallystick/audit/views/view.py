"""What every view is: methods that fold the entries of some kinds, and may settle records for the rules.

`fold` methods are marked with the statement classes they take. What they yield is settled: shown to the rules now and
forgotten. `finish` yields what is settled by the end: what stands, and what is still open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.protobuf.message import Message

from tallystick.audit.entry import On, Place

Fold = Callable[[On[Any]], Iterable[object] | None]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class AsOf:
    """What an end is judged by: the moment, whose ledgers were read whole, how large they are and how far settled.

    An entry is settled when every other ledger's checkpoint was taken after it was signed for: what it answers, and
    what the other side recorded before it, is then within the coverage. `sizes` go by bureau, `settled` by origin.
    `unjudged` counts, by rule and bureau, what could not be judged because that bureau's ledger is not covered.
    """

    at_us: int
    covered: frozenset[str]
    settled: Mapping[str, int]
    sizes: Mapping[str, int] = field(default_factory=dict)
    unjudged: Counter[tuple[str, str]] = field(default_factory=Counter)

    def covers(self, rule: str, bureau: str, index: int = 0) -> bool:
        """Whether an absence on a bureau's ledger, or of what stands at an index, can be judged; counted if not."""
        if bureau in self.covered and (not index or index < self.sizes.get(bureau, 0)):
            return True
        self.unjudged[rule, bureau] += 1
        return False

    def is_settled(self, place: Place) -> bool:
        """Whether an entry was there when the other ledgers' checkpoints were taken."""
        return place.index < self.settled.get(place.origin, 0)


def folds(*said: type[Message]) -> Callable[[F], F]:
    """Marks a view's method as the one that folds entries of these kinds."""

    def mark(method: F) -> F:
        method._folds = said  # type: ignore[attr-defined]
        return method

    return mark


class View:
    """Something that entries add up to."""

    def folding(self) -> Iterator[tuple[type[Message], Fold]]:
        """The kinds this view takes, each with the method that folds it."""
        for name in dir(type(self)):
            for said in getattr(getattr(type(self), name), "_folds", ()):
                yield said, getattr(self, name)

    def finish(self, as_of: AsOf) -> Iterable[object]:
        """What is settled once every entry was folded."""
        return ()
