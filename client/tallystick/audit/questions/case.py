"""A case: everything recorded for it on any ledger, in causal order, with what answers that and what that answers.

    {"case": "hex", "steps": [{"reference": "taxation#1042", "bureau", "kind", "recorded_at": "…Z", "actor": "…",
     "answers": "market-regulation#7" or null, "said": {…}, "names_case": true, "broken": ["market-regulation#8"]}],
     "exchanges": [… as in `questions.holders`]}

Not everything names the case: an answer may leave it out, and what it rests on may be older than it. Such entries are
steps too, unless an answer names another case. A use is answered by a concern, or by erasing what opens it; a case may
have thousands of uses, and those are asked for at once. `broken` are citations of an entry that is not what stands
there: two claims differ, and neither is convicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tallystick.audit.entry import On, Place
from tallystick.audit.inquiry import Cited, Find, Inquiry, answers_to, answers_to_any
from tallystick.audit.pass_ import BrokenReference
from tallystick.audit.questions.holders import exchange_json
from tallystick.audit.seen import Seen
from tallystick.audit.views.exchanges import Exchange
from tallystick_proto.v1.statement_pb2 import (
    AccessEnded,
    AccessGranted,
    ConcernRaised,
    DataSent,
    DataUsed,
    DisclosureErased,
)


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of a case: whether it names the case itself, and the references it cites wrongly."""

    entry: On[Any]
    names_case: bool
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A case: its entries in causal order, and the exchanges among them."""

    id: bytes
    steps: tuple[Step, ...]
    exchanges: tuple[Exchange, ...]


class Thread:
    """Finds the entries of one case, and remembers which of all that it was shown they are."""

    def __init__(self, case: bytes) -> None:
        self.case = case
        self._places: set[Place] = set()

    def inquire(self) -> Inquiry:
        """Everything that names the case; at any remove what answers that, with both halves of exchanges, and what
        that answers. What the case rests on is not followed to its other answers: they are other cases'."""
        following = self._new((yield Find.of(case=self.case)))
        followed = list[On[Any]]()
        while following:
            followed += following
            uses = [entry for entry in following if isinstance(entry.said, DataUsed)]
            found = yield from answers_to_any(uses, ConcernRaised, DisclosureErased)
            for entry in following:
                if not isinstance(entry.said, DataUsed):
                    for find in _downwards(entry):
                        found += yield find
            following = self._new(each for each in found if each.head.case in (b"", self.case))
        for entry in followed:
            yield from self._upwards(entry)

    def _upwards(self, entry: On[Any]) -> Inquiry:
        resting = [entry]
        while resting:
            about = resting.pop().head.about
            if about.origin:
                resting += self._new((yield Cited(about)))

    def _new(self, found: Iterable[On[Any]]) -> list[On[Any]]:
        """Those of what was found that were not known to be the case's. From now on they are."""
        new = [entry for entry in found if entry.place not in self._places]
        self._places.update(entry.place for entry in new)
        return new

    def told(self, records: Iterable[object], seen: Seen) -> Case:
        """The case, from the records of the pass that folded what was found."""
        entries: dict[Place, On[Any]] = {}
        broken: dict[Place, list[str]] = {}
        for record in records:
            if isinstance(record, On) and record.place in self._places:
                entries[record.place] = record
            elif isinstance(record, BrokenReference):
                cited = seen.reference(record.cited.origin, record.cited.index)
                broken.setdefault(record.entry.place, []).append(cited)
        steps = tuple(
            Step(entry, entry.head.case == self.case, tuple(broken.get(place, ()))) for place, entry in entries.items()
        )
        ids = dict.fromkeys(entry.head.exchange for entry in entries.values() if entry.head.exchange)
        place = {id_: number for number, id_ in enumerate(ids)}
        exchanges = sorted(seen.exchanges.of(*ids), key=lambda exchange: place[exchange.key.id])
        return Case(self.case, steps, tuple(each for each in exchanges if each.sent or each.received))


def _downwards(entry: On[Any]) -> Iterator[Find]:
    # The uses under a grant may be many, and each belongs to its own case.
    kinds = (DataSent, AccessEnded, ConcernRaised) if isinstance(entry.said, AccessGranted) else ()
    yield answers_to(entry, *kinds)
    if entry.head.exchange:
        yield Find.of(exchange=entry.head.exchange)


def case_json(answer: Case, said: Callable[[On[Any]], dict[str, Any]], seen: Seen) -> dict[str, Any]:
    """The answer for programs; `said` is how an entry is written, which `cli.describe` knows."""
    return {
        "case": answer.id.hex(),
        "steps": [
            {**said(step.entry), "names_case": step.names_case, "broken": list(step.broken)} for step in answer.steps
        ],
        "exchanges": [exchange_json(exchange, seen) for exchange in answer.exchanges],
    }
