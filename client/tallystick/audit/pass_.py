"""The causal pass: many ledgers merged into one order, in which an entry comes after the entries it cites.

Ties go by recorded time, then origin. One entry per ledger is held. A citation of something outside the coverage is not
waited for. Where every ledger waits there is a circle, and since a citation holds a hash, one in it at least cites what
is not there: the ledgers are asked, and the earliest of those that do goes first. A liar can so delay no other's true
citation, whatever its clock says. Where that cannot be told, the earliest of all goes first.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.audit.entry import On, Place, citations, place_of
from tallystick.audit.strand import Fault
from tallystick_proto.v1.statement_pb2 import Ref


class Leaves(Protocol):
    """The leaf hashes of the entries folded so far, so that a citation can be held against what stands there."""

    def add(self, place: Place, leaf: bytes) -> None: ...

    def get(self, place: Place) -> bytes | None: ...


class Entries(Protocol):
    """One ledger's entries in order; what `Strand` gives, and what an index answered."""

    def entries(self) -> Iterator[On[Any] | Fault]: ...

    def leaf(self, index: int) -> bytes | None:
        """The leaf hash at an index, b"" past the end; None where that cannot be told."""


@dataclass(frozen=True, slots=True)
class BrokenReference:
    """A citation whose leaf is not at that index: two claims differ, and neither is convicted."""

    entry: On[Any]
    cited: Ref


class _Ledger:
    """One ledger in the merge: the entry that comes next, and how far it has come."""

    def __init__(self, source: Entries) -> None:
        self._entries = source.entries()
        self.leaf = source.leaf
        self.next: On[Any] | None = None
        self.fault: Fault | None = None
        self.waits_for: Ref | None = None
        self.is_there: bytes | None = None
        self.advance()

    def advance(self) -> None:
        self.waits_for = self.is_there = None
        found = next(self._entries, None)
        self.next = found if isinstance(found, On) else None
        self.fault = found if isinstance(found, Fault) else None

    @property
    def reached(self) -> float:
        """Entries below this index were folded or will never come."""
        return float("inf") if self.next is None else self.next.place.index


class Pass:
    """Merges ledgers. `leaves` remembers what stands where."""

    def __init__(self, ledgers: Sequence[Entries], leaves: Leaves) -> None:
        self._sources = ledgers
        self._leaves = leaves

    def records(self) -> Iterator[On[Any] | Fault | BrokenReference]:
        """Every entry in causal order, each followed by its broken citations; a ledger's fault where it ends."""
        ledgers: dict[str, _Ledger] = {}
        ready: list[tuple[int, str]] = []
        waiting: dict[str, list[tuple[int, str]]] = {}

        def place(origin: str) -> Iterator[Fault]:
            """Put a ledger where its next entry belongs: among the ready, or with the ledger it waits for."""
            ledger = ledgers[origin]
            if ledger.next is None:
                if ledger.fault is not None:
                    yield ledger.fault
                return
            cited = citations(ledger.next)
            blocking = next((ref for ref in cited if not passed(place_of(ref), ledger.next)), None)
            ledger.waits_for, ledger.is_there = blocking, None
            if blocking is None:
                heapq.heappush(ready, (ledger.next.recorded_at_us, origin))
            else:
                waiting.setdefault(blocking.origin, []).append((blocking.index, origin))

        def passed(cited: Place, by: On[Any]) -> bool:
            ledger = ledgers.get(cited.origin)
            if ledger is None or cited.origin == by.place.origin:
                return True
            return cited.index < ledger.reached

        for source in self._sources:
            first = _Ledger(source)
            if first.next is not None:
                ledgers[first.next.place.origin] = first
            elif first.fault is not None:
                yield first.fault
        for origin in sorted(ledgers):
            yield from place(origin)
        while True:
            if ready:
                _, origin = heapq.heappop(ready)
            elif any(waiting.values()):
                origin = self._earliest(ledgers, waiting)
            else:
                return
            ledger = ledgers[origin]
            entry = ledger.next
            assert entry is not None
            self._leaves.add(entry.place, entry.leaf)
            yield entry
            for ref in citations(entry):
                there = self._leaves.get(place_of(ref))
                if there is None and ref == ledger.waits_for:
                    there = ledger.is_there or None  # not folded yet, and known all the same
                if there is not None and there != ref.leaf:
                    yield BrokenReference(entry, ref)
            ledger.advance()
            yield from place(origin)
            for _, woken in [each for each in waiting.get(origin, ()) if each[0] < ledger.reached]:
                waiting[origin] = [each for each in waiting[origin] if each[1] != woken]
                yield from place(woken)

    @staticmethod
    def _earliest(ledgers: dict[str, _Ledger], waiting: dict[str, list[tuple[int, str]]]) -> str:
        """Every ledger waits: the earliest recorded that waits in vain goes first, and waits no more."""
        origins = [origin for held in waiting.values() for _, origin in held]

        def recorded(origin: str) -> tuple[int, str]:
            entry = ledgers[origin].next
            assert entry is not None
            return entry.recorded_at_us, origin

        def in_vain(origin: str) -> bool:
            ledger = ledgers[origin]
            cited = ledger.waits_for
            assert cited is not None
            if ledger.is_there is None:
                ledger.is_there = ledgers[cited.origin].leaf(cited.index)
            return ledger.is_there is not None and ledger.is_there != cited.leaf

        origin = min([each for each in origins if in_vain(each)] or origins, key=recorded)
        for cited, held in waiting.items():
            waiting[cited] = [each for each in held if each[1] != origin]
        return origin
