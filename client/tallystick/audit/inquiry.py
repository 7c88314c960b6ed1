"""Questions put to indexes, without the asking: an inquiry says what to look for, is given what was found, and goes on.

    def inquire(case: bytes) -> Inquiry:
        found = yield Find.of(case=case)
        for entry in found:
            yield answers_to(entry)

Everything that was found is then folded by the same views as a full pass; `sdk.asking` does the looking. An index
answers by what heads carry, so an inquiry must follow citations where an answer may not name what it is about. What is
popular is asked for by kind, and by the newest alone where they say enough: no question reads all uses of a resource.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeVar

from google.protobuf.message import Message

from tallystick.audit.coverage import Coverage
from tallystick.audit.entry import On, Place
from tallystick.audit.judge import folded
from tallystick.audit.pass_ import Pass
from tallystick.audit.seen import Seen
from tallystick.audit.strand import Fault
from tallystick.audit.views.view import AsOf
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.terms import Term
from tallystick_proto.v1.statement_pb2 import Ref

ASKED_ONE_BY_ONE_MAX: Final = 16
"""Of so many entries at most an index is asked one after the other what answers them."""


@dataclass(frozen=True, slots=True)
class Find:
    """Entries whose heads carry all the terms, of one of `kinds` if any are named, on one bureau's ledger or on all.

    `newest` bounds how many of each kind are wanted of each ledger, those recorded last; `since_us` is when the oldest
    of them may have been recorded. What was recorded after the day of the question is never among them.
    """

    terms: tuple[Term, ...]
    kinds: tuple[type[Message], ...] = ()
    bureau: str = ""
    newest: int = 0
    since_us: int = 0

    @classmethod
    def of(cls, *kinds: type[Message], bureau: str = "", **fields: str | bytes) -> Self:
        """By the names of the head's fields; their values as text, ids as bytes."""
        terms = tuple(
            (TERM_FIELDS[name], value.encode() if isinstance(value, str) else value) for name, value in fields.items()
        )
        return cls(terms, kinds, bureau)

    def last(self) -> Self:
        """The same, of each kind and ledger only what was recorded last."""
        return replace(self, newest=1)

    def since(self, at_us: int) -> Self:
        """The same, only what was recorded then or later."""
        return replace(self, since_us=at_us)

    def each_kind(self) -> tuple[tuple[Term, ...], ...]:
        """The terms to put to an index, which knows all of some and not one of some: once for each kind."""
        if not self.kinds:
            return (self.terms,)
        numbers = (BY_NAME[kind.DESCRIPTOR.name].number for kind in self.kinds)
        return tuple((*self.terms, (TERM_FIELDS["kind"], str(number).encode())) for number in numbers)

    @property
    def newest_first(self) -> bool:
        """Whether the entries that answer must come newest first, so that taking them can end early."""
        return bool(self.newest or self.since_us)

    def taken(self, entries: Iterable[On[Any]], until_us: int) -> Iterator[On[Any]]:
        """What is wanted of one ledger's entries that carry the terms, of those recorded before `until_us`."""
        count = 0
        for entry in entries:
            if entry.recorded_at_us < self.since_us:
                return  # in a ledger, times never decrease: what follows is older still
            if entry.recorded_at_us < until_us:
                yield entry
                count += 1
                if count == self.newest:
                    return


@dataclass(frozen=True, slots=True)
class Cited:
    """The entry that stands where somebody cites it."""

    ref: Ref


Told = TypeVar("Told")
Inquiring = Generator[Find | Cited, Sequence[On[Any]], Told]
Inquiry = Inquiring[None]
Look = Callable[[Find | Cited], Iterable[On[Any]]]


def answers_to(entry: On[Any], *kinds: type[Message], bureau: str = "") -> Find:
    """Whatever answers an entry, on one bureau's ledger or on any."""
    return Find.of(*kinds, bureau=bureau, about=f"{entry.place.origin}#{entry.place.index}")


def answers_to_any(entries: Sequence[On[Any]], *kinds: type[Message]) -> Inquiring[list[On[Any]]]:
    """What of `kinds` answers any of the entries, on any ledger; the kinds are such as a ledger holds few of.

    An index can be asked what answers one entry, and not what answers one of many. Where they are many, it is asked for
    the newest of each kind first, as many as there are entries: a ledger with fewer has then shown all it has, and only
    another is asked about one entry after the other.
    """
    many, found = len(entries), list[On[Any]]()
    remaining = [""]  # every ledger
    if many > ASKED_ONE_BY_ONE_MAX:
        found += yield replace(Find.of(*kinds), newest=many)
        shown = Counter((each.bureau, each.kind.number) for each in found)
        remaining = sorted({bureau for (bureau, _), count in shown.items() if count == many})
    for bureau in remaining:
        for entry in entries:
            found += yield answers_to(entry, bureau=bureau)
    places = {entry.place for entry in entries}
    return [each for each in found if each.about in places and isinstance(each.said, kinds)]


def collect(inquiry: Inquiry, look: Look) -> list[On[Any]]:
    """Every entry an inquiry finds, each once, by ledger and index."""
    held: dict[Place, On[Any]] = {}
    asked: dict[Find | tuple[str, int], list[On[Any]]] = {}
    try:
        wanted = next(inquiry)
        while True:
            key = (wanted.ref.origin, wanted.ref.index) if isinstance(wanted, Cited) else wanted
            if key not in asked:
                asked[key] = list(look(wanted))
                held.update((entry.place, entry) for entry in asked[key])
            wanted = inquiry.send(asked[key])
    except StopIteration:
        return [held[place] for place in sorted(held)]


def answer(
    inquiry: Inquiry,
    look: Look,
    seen: Seen,
    coverage: Coverage,
    until_us: int,
    watching: Callable[[object], None] | None = None,
) -> None:
    """Fold what an inquiry finds, in causal order, as of a moment; `coverage` counts it, and nothing absent is judged.

    `watching` is shown every record of the pass that rules would be.
    """
    seen.closings.begin(coverage)
    held: dict[str, list[On[Any]]] = {}
    for entry in collect(inquiry, look):
        held.setdefault(entry.bureau, []).append(entry)
    for ledger in coverage.ledgers:
        ledger.checked = len(held.get(ledger.bureau, ()))
    records = Pass([_Answered(entries) for entries in held.values()], HeldLeaves()).records()
    for record in folded(records, seen, until_us):
        if watching is not None:
            watching(record)
    for _ in seen.finish(AsOf(until_us, frozenset(), {})):
        pass


class HeldLeaves(dict[Place, bytes]):
    """The leaves of entries that are few enough to be held."""

    def add(self, place: Place, leaf: bytes) -> None:
        self[place] = leaf


class _Answered:
    """What one ledger's index answered, in the order of its entries."""

    def __init__(self, entries: list[On[Any]]) -> None:
        self._entries = {entry.place.index: entry for entry in entries}

    def entries(self) -> Iterator[On[Any] | Fault]:
        yield from self._entries.values()

    def leaf(self, index: int) -> bytes | None:
        """None where it was not among what was answered."""
        entry = self._entries.get(index)
        return None if entry is None else entry.leaf
