"""The starting rule (`starting_rule.decide`) in a world small enough to go through whole.

A ledger of two or three entries, up to four witnesses, and a database that is put back from an older copy: every
order of signing, cosigning, crashing, putting back, and starting on any set of answers. An entry is named by the life
of the database in which it was written, so that two histories of one size are told apart. Honest witnesses are alike,
so a state keeps them sorted, each with what it cosigned last; a liar cosigns whatever was signed, and answers with
anything it ever cosigned, or that it holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, product

import pytest

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.hashing import chain_hash
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.core.quorum import default_needed
from tallystick_node.starting_rule import Answer, Behind, MaySign, Waiting, decide

History = tuple[int, ...]

ORIGIN = "pudong.example/market"


@dataclass(frozen=True, slots=True)
class State:
    """What is on the disk and with the witnesses. `stopped`: it was told never to sign again in this life."""

    ledger: History = ()
    saved: History = ()
    life: int = 1
    signing: bool = False
    stopped: bool = False
    honest: tuple[History, ...] = ()
    liar: frozenset[History] | None = None


@cache
def checkpoint(history: History) -> Checkpoint:
    return Checkpoint(ORIGIN, len(history), chain_hash(bytes(history)) if history else EMPTY_ROOT)


def is_prefix(one: History, other: History) -> bool:
    return other[: len(one)] == one


def verdict_on(ledger: History, answers: tuple[History | None, ...], needed: int) -> MaySign | Waiting | Behind:
    """What the rule says to answers, each from another witness."""
    said = [
        Answer(str(number), str(number), (checkpoint(history),) if history else ())
        for number, history in enumerate(answers)
    ]
    return decide(said, needed, len(ledger), lambda size: checkpoint(ledger[:size]).root)


class Model:
    """So many witnesses, one of which may lie, and a database that lives so often."""

    def __init__(self, witnesses: int, *, liar: bool, lives: int) -> None:
        self.needed = default_needed(witnesses)
        self.first = State(honest=((),) * (witnesses - liar), liar=frozenset() if liar else None)
        self.lives = lives
        self.size_max = 2 if liar else 3
        self.verdicts = cache(self._verdicts)

    def next(self, state: State) -> Iterator[State]:
        """All that can come next."""
        ledger = state.ledger
        if state.signing:
            yield replace(state, signing=False)  # a crash
            if len(ledger) < self.size_max:
                yield replace(state, ledger=(*ledger, state.life))
            for number, last in enumerate(state.honest):
                if last != ledger and is_prefix(last, ledger):
                    others = (*state.honest[:number], *state.honest[number + 1 :])
                    yield replace(state, honest=(*sorted((*others, ledger)),))
            if state.liar is not None:
                yield replace(state, liar=state.liar | {ledger})
        elif not state.stopped:
            for kind in self.verdicts(ledger, state.honest, state.liar):
                yield replace(state, signing=kind is MaySign, stopped=kind is Behind)
        yield replace(state, saved=ledger)
        if state.life < self.lives:
            yield replace(state, ledger=state.saved, life=state.life + 1, signing=False, stopped=False)

    def _verdicts(
        self, ledger: History, honest: tuple[History, ...], liar: frozenset[History] | None
    ) -> set[type[MaySign | Waiting | Behind]]:
        """What the rule can say, over every set of witnesses that answer, and everything that they can answer."""
        can_say: list[list[History | None]] = [[last] for last in honest]
        if liar is not None:
            can_say.append([None, *sorted(liar)])
        return {
            type(verdict_on(ledger, answers, self.needed))
            for count in range(1, len(can_say) + 1)
            for asked in combinations(can_say, count)
            for answers in product(*asked)
        }

    def reachable(self) -> set[State]:
        """Every state there can be."""
        found, left = {self.first}, [self.first]
        while left:
            fresh = set(self.next(left.pop())) - found
            found |= fresh
            left.extend(fresh)
        return found

    def witnessed(self, state: State) -> list[History]:
        """Every history that a quorum holds, as it is or extended."""
        histories = {history[:size] for history in state.honest for size in range(1, len(history) + 1)}
        return [
            history
            for history in sorted(histories)
            if sum(is_prefix(history, last) for last in state.honest)
            + any(is_prefix(history, last) for last in state.liar or ())
            >= self.needed
        ]


WORLDS = [(2, False), (3, False), (4, False), (4, True)]
each_world = pytest.mark.parametrize(
    ("witnesses", "liar"), WORLDS, ids=[f"{count}-{'liar' if liar else 'honest'}" for count, liar in WORLDS]
)


@each_world
def test_who_may_sign_has_all_that_was_witnessed(witnesses: int, liar: bool) -> None:
    """Whatever was put back and whoever answers: a node that signs has what a quorum holds, and two histories are never
    both held by a quorum.
    """
    model = Model(witnesses, liar=liar, lives=2)
    signed_on = 0
    for state in model.reachable():
        witnessed = model.witnessed(state)
        assert all(is_prefix(one, other) or is_prefix(other, one) for one in witnessed for other in witnessed)
        if state.signing:
            assert all(is_prefix(history, state.ledger) for history in witnessed)
            signed_on += bool(witnessed) and state.life == 2
    assert signed_on


@each_world
def test_a_database_that_was_never_put_back_is_never_stopped(witnesses: int, liar: bool) -> None:
    """Crashes alone, in any order with everything else, whoever answers what: the node may always go on."""
    states = Model(witnesses, liar=liar, lives=1).reachable()
    assert any(state.ledger for state in states)
    assert not any(state.stopped for state in states)


@each_world
def test_one_witness_that_answers_with_what_is_missing_is_enough(witnesses: int, liar: bool) -> None:
    """Where one honest witness holds what the ledger lacks, no set of answers that it is in lets the node sign."""
    model = Model(witnesses, liar=liar, lives=2)
    lacking = {
        (state.ledger, state.honest)
        for state in model.reachable()
        if not all(is_prefix(e, state.ledger) for e in state.honest)
    }
    assert lacking
    for ledger, honest in lacking:
        for count in range(1, len(honest) + 1):
            for asked in combinations(honest, count):
                shown = any(not is_prefix(last, ledger) for last in asked)
                assert not shown or isinstance(verdict_on(ledger, asked, model.needed), Behind)
