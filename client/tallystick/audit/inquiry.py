"""Questions put to indexes, without the asking: an inquiry says what to look for, is given what was found, and goes on.

    def inquire(case: bytes) -> Inquiry:
        found = yield Find.of(case=case)
        for entry in found:
            yield answers_to(entry)

Everything that was found is then folded by the same views as a full pass; `sdk.asking` does the looking. An index
answers by what heads carry, so an inquiry must follow citations where an answer may not name what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from google.protobuf.message import Message

from tallystick.audit.entry import On, Place
from tallystick.core.kinds import BY_NAME, TERM_FIELDS
from tallystick.core.validation import Term
from tallystick_proto.v1.statement_pb2 import Ref


@dataclass(frozen=True, slots=True)
class Find:
    """Entries whose heads carry all the terms, of one of `kinds` if any are named, on one bureau's ledger or on all."""

    terms: tuple[Term, ...]
    kinds: tuple[type[Message], ...] = ()
    bureau: str = ""

    @classmethod
    def of(cls, *kinds: type[Message], bureau: str = "", **fields: str | bytes) -> Self:
        """By the names of the head's fields; their values as text, ids as bytes."""
        terms = tuple(
            (TERM_FIELDS[name], value.encode() if isinstance(value, str) else value) for name, value in fields.items()
        )
        return cls(terms, kinds, bureau)

    def each_kind(self) -> tuple[tuple[Term, ...], ...]:
        """The terms to put to an index, which knows all of some and not one of some: once for each kind."""
        if not self.kinds:
            return (self.terms,)
        numbers = (BY_NAME[kind.DESCRIPTOR.name].number for kind in self.kinds)
        return tuple((*self.terms, (TERM_FIELDS["kind"], str(number).encode())) for number in numbers)


@dataclass(frozen=True, slots=True)
class Cited:
    """The entry that stands where somebody cites it."""

    ref: Ref


Inquiry = Generator[Find | Cited, Sequence[On[Any]], None]
Look = Callable[[Find | Cited], Iterable[On[Any]]]


def answers_to(entry: On[Any], *kinds: type[Message]) -> Find:
    """Whatever answers an entry, on any ledger."""
    return Find.of(*kinds, about=f"{entry.place.origin}#{entry.place.index}")


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
