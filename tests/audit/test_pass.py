"""The causal pass: an entry comes after what it cites, and one order comes of many ledgers, however they are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.entry import On, Place
from tallystick.audit.inquiry import HeldLeaves
from tallystick.audit.pass_ import BrokenReference, Pass
from tallystick.audit.strand import Fault
from tallystick.core.kinds import BY_NAME
from tallystick_proto.v1.statement_pb2 import DataSent, Head, Ref

ORIGINS = ("d.example/a", "d.example/b", "d.example/c", "d.example/d")
OUTSIDE = "d.example/outside"


def leaf(place: Place) -> bytes:
    return f"{place.origin}#{place.index}".encode().ljust(32)


def entry(place: Place, at_us: int, cites: Sequence[Ref] = ()) -> On[Any]:
    """An entry that cites up to two others."""
    head, said = Head(), DataSent()
    for ref, into in zip(cites, (head.about, said.last_received), strict=False):
        into.CopyFrom(ref)
    return On(place.origin[-1], place, leaf(place), at_us, head, said, BY_NAME["DataSent"])


def ref(origin: str, index: int, *, wrong: bool = False) -> Ref:
    return Ref(origin=origin, index=index, leaf=b"x" * 32 if wrong else leaf(Place(origin, index)))


@dataclass
class Ledger:
    """Entries that a test made; `taken` counts how many the pass has asked for, and `told` whether it tells of any
    out of their turn."""

    made: list[On[Any]]
    fault: Fault | None = None
    told: bool = True
    taken: int = 0

    def entries(self) -> Iterator[On[Any] | Fault]:
        for each in self.made:
            self.taken += 1
            yield each
        if self.fault is not None:
            yield self.fault

    def leaf(self, index: int) -> bytes | None:
        if not self.told:
            return None
        return self.made[index].leaf if index < len(self.made) else b""


def run(*ledgers: Ledger) -> list[Any]:
    return list(Pass(ledgers, HeldLeaves()).records())


def places(records: Sequence[object]) -> list[Place]:
    return [record.place for record in records if isinstance(record, On)]


@dataclass
class Naive:
    """The order straight from its definition."""

    ledgers: dict[str, list[On[Any]]]
    done: dict[str, int] = field(default_factory=dict)

    def order(self) -> Iterator[Place]:
        while True:
            heads = [made[self.next(origin)] for origin, made in self.ledgers.items() if self.next(origin) < len(made)]
            if not heads:
                return
            ready = [head for head in heads if not any(self.waits_for(head, cited) for cited in cited_by(head))]
            in_vain = [head for head in heads if self.is_false(self.blocking(head))] if not ready else []
            first = min(ready or in_vain or heads, key=lambda head: (head.recorded_at_us, head.place.origin))
            self.done[first.place.origin] = self.next(first.place.origin) + 1
            yield first.place

    def blocking(self, head: On[Any]) -> Ref:
        return next(cited for cited in cited_by(head) if self.waits_for(head, cited))

    def is_false(self, cited: Ref) -> bool:
        past_the_end = cited.index >= len(self.ledgers[cited.origin])
        return past_the_end or cited.leaf != leaf(Place(cited.origin, cited.index))

    def next(self, origin: str) -> int:
        return self.done.get(origin, 0)

    def waits_for(self, head: On[Any], cited: Ref) -> bool:
        made = self.ledgers.get(cited.origin, [])
        return (
            cited.origin != head.place.origin
            and self.next(cited.origin) < len(made)
            and (self.next(cited.origin) <= cited.index)
        )


def cited_by(each: On[Any]) -> list[Ref]:
    refs = [each.head.about] if each.head.HasField("about") else []
    return [*refs, each.said.last_received] if each.said.HasField("last_received") else refs


@st.composite
def graphs(draw: st.DrawFn, *, lawful: bool = False) -> list[list[On[Any]]]:
    """Ledgers of a few entries that cite at random; where `lawful`, only what was recorded before, and as it is."""
    sizes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=len(ORIGINS)))
    made: list[list[On[Any]]] = [[] for _ in sizes]
    spoken = draw(st.permutations([number for number, size in enumerate(sizes) for _ in range(size)]))
    at_us = 0
    said: list[Place] = []
    for number in spoken:
        at_us += draw(st.integers(0, 2)) if lawful else 0
        place = Place(ORIGINS[number], len(made[number]))
        if lawful:
            cited = draw(st.lists(st.sampled_from(said), max_size=2)) if said else []
            refs = [ref(each.origin, each.index) for each in cited]
        else:
            anywhere = st.builds(ref, st.sampled_from([*ORIGINS, OUTSIDE]), st.integers(0, 6), wrong=st.booleans())
            refs = draw(st.lists(anywhere, max_size=2))
        made[number].append(entry(place, at_us if lawful else draw(st.integers(0, 9)), refs))
        said.append(place)
    return made


@given(made=graphs())
def test_the_order_is_the_one_defined(made: list[list[On[Any]]]) -> None:
    """Whatever cites whatever, in circles, past the end or outside the coverage: what the definition says goes next."""
    naive = Naive({each[0].place.origin: each for each in made if each})
    assert places(run(*map(Ledger, made))) == list(naive.order())


@given(made=graphs())
def test_the_order_ledgers_are_given_in_makes_no_difference(made: list[list[On[Any]]]) -> None:
    """The same records, in the same order, for every permutation."""
    first, *others = [run(*map(Ledger, order)) for order in permutations(made)]
    assert all(other == first for other in others)


@given(made=graphs(lawful=True))
def test_in_a_lawful_district_every_entry_comes_after_what_it_cites(made: list[list[On[Any]]]) -> None:
    """And after the one before it in its own ledger, each once, and no citation is broken."""
    records = run(*map(Ledger, made))
    order = places(records)
    assert sorted(order) == sorted(each.place for ledger in made for each in ledger)
    assert len(order) == len(records)
    position = {place: number for number, place in enumerate(order)}
    for ledger in made:
        for before, after in pairwise(ledger):
            assert position[before.place] < position[after.place]
        for each in ledger:
            assert all(position[Place(r.origin, r.index)] < position[each.place] for r in cited_by(each))


@given(made=graphs())
def test_a_broken_citation_is_reported_once_beside_who_cites(made: list[list[On[Any]]]) -> None:
    """Exactly where something else stands at a place that was passed; what is not there yet, nor told of before, or not
    covered, is not."""
    passed: set[Place] = set()
    broken: list[tuple[Place, Ref]] = []
    expected: list[tuple[Place, Ref]] = []
    last = None
    for record in run(*(Ledger(each, told=False) for each in made)):
        if isinstance(record, BrokenReference):
            assert record.entry is last
            broken.append((record.entry.place, record.cited))
        else:
            last = record
            passed.add(record.place)
            stands = [each for each in cited_by(record) if Place(each.origin, each.index) in passed]
            expected += [(record.place, r) for r in stands if r.leaf != leaf(Place(r.origin, r.index))]
    assert broken == expected


@given(made=graphs())
def test_one_entry_a_ledger_is_held(made: list[list[On[Any]]]) -> None:
    """No ledger is asked for more than one entry beyond those that were given on."""
    ledgers = [Ledger(each) for each in made]
    given_on = dict.fromkeys(ORIGINS, 0)
    for record in Pass(ledgers, HeldLeaves()).records():
        if isinstance(record, On):
            given_on[record.place.origin] += 1
        for origin, ledger in zip(ORIGINS, ledgers, strict=False):
            assert ledger.taken <= given_on[origin] + 1


@given(made=graphs(), faulty=st.sets(st.sampled_from(range(len(ORIGINS)))))
def test_a_fault_comes_where_its_ledger_ends_and_stops_no_other(made: list[list[On[Any]]], faulty: set[int]) -> None:
    """Each once, after the last entry of its ledger, though that had none; all entries come as without it."""
    faults = {number: Fault("chain-broken", ORIGINS[number][-1], f"{number}#0", "x") for number in faulty}
    records = run(*(Ledger(each, faults.get(number)) for number, each in enumerate(made)))
    assert places(records) == places(run(*map(Ledger, made)))
    for number in [number for number in faults if number < len(made)]:
        assert records.count(faults[number]) == 1
        after = records[records.index(faults[number]) :]
        assert ORIGINS[number] not in {place.origin for place in places(after)}


def test_ties_go_by_recorded_time_then_by_origin() -> None:
    """What nothing joins comes as it was recorded."""
    a, b, c, _ = ORIGINS
    ledgers = [Ledger([entry(Place(c, 0), 1)]), Ledger([entry(Place(b, 0), 2)]), Ledger([entry(Place(a, 0), 2)])]
    assert places(run(*ledgers)) == [Place(c, 0), Place(a, 0), Place(b, 0)]


def test_a_circle_is_broken_at_its_earliest() -> None:
    """Two that cite each other: the one recorded first goes first, and neither is convicted of anything."""
    a, b, *_ = ORIGINS
    one, other = entry(Place(a, 0), 5, [ref(b, 0)]), entry(Place(b, 0), 4, [ref(a, 0)])
    assert run(Ledger([one]), Ledger([other])) == [other, one]


def test_a_false_citation_delays_nothing_that_is_truly_cited() -> None:
    """A ledger that cites what is not there goes first of a circle, whatever its clock says, and is said to; where
    nobody tells what is there, or nothing stands there, it is not said."""
    a, b, *_ = ORIGINS
    liar = [entry(Place(a, 0), 9, [ref(b, 1, wrong=True)]), entry(Place(a, 1), 9)]
    past_the_end = [entry(Place(a, 0), 9, [ref(b, 10**15)]), entry(Place(a, 1), 9)]
    honest = [entry(Place(b, 0), 1, [ref(a, 1)]), entry(Place(b, 1), 2)]
    in_order = [Place(a, 0), Place(a, 1), Place(b, 0), Place(b, 1)]
    told = run(Ledger(liar), Ledger(honest))
    assert places(told) == in_order
    assert told[1] == BrokenReference(liar[0], ref(b, 1, wrong=True))
    told = run(Ledger(past_the_end), Ledger(honest))
    assert places(told) == in_order
    assert len(told) == len(in_order)
    assert places(run(Ledger(liar), Ledger(honest, told=False))) == [*in_order[2:], *in_order[:2]]
