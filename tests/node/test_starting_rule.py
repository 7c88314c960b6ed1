"""The starting rule, for every combination of answers a small ledger can get: it lets nobody sign who might lack
something that was witnessed, and holds nobody up for longer than that takes.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.merkle import EMPTY_ROOT
from tallystick.core.quorum import default_needed
from tallystick_node.starting_rule import Answer, Behind, MaySign, Verdict, Waiting, decide

ORIGIN = "pudong.example/market"
SIZE = 2


def root(size: int, branch: int = 0) -> bytes:
    """The root of a history at a size; branches differ from the second entry on."""
    return EMPTY_ROOT if size == 0 else sha256(f"{size} {branch if size > 1 else 0}".encode()).digest()


def holds(size: int, branch: int = 0) -> tuple[Checkpoint, ...]:
    return (Checkpoint(ORIGIN, size, root(size, branch)),)


# What a witness may do when it is asked by a ledger of two entries. Lacking are those that the ledger does not have.
PREFIXES: Final = {"none": (), "empty": holds(0), "shorter": holds(1), "same": holds(2)}
LACKING: Final = {
    "longer": holds(3),
    "fork": holds(2, 1),
    "longer-fork": holds(3, 1),
    "two": (*holds(2), *holds(2, 1)),
}
SILENT: Final = "silent"
ANSWERS: Final = [*PREFIXES, *LACKING, SILENT]


def asked(answers: tuple[str, ...], needed: int, codes: tuple[str, ...] = ("a", "b", "c", "d")) -> Verdict:
    """What the rule says to a ledger of two entries whose witnesses answered so."""
    given = [
        Answer(f"witness-{number}", codes[number], (PREFIXES | LACKING)[answer])
        for number, answer in enumerate(answers)
        if answer != SILENT
    ]
    return decide(given, needed, SIZE, root)


CASES: Final = [(count, needed) for count in range(2, 5) for needed in range(count // 2 + 1, count + 1)]


@pytest.mark.parametrize(("count", "needed"), CASES)
def test_every_combination_of_answers(count: int, needed: int) -> None:
    """Nobody signs while a witness that answered holds more or other; everybody does once a quorum holds prefixes."""
    for answers in product(ANSWERS, repeat=count):
        verdict = asked(answers, needed)
        told = [answer for answer in answers if answer != SILENT]
        if set(told) & set(LACKING):
            assert isinstance(verdict, Behind)
        elif len(told) >= needed:
            assert verdict == MaySign()
        else:
            assert verdict == Waiting(len(told), needed)


@pytest.mark.parametrize(("count", "needed"), CASES)
def test_who_may_sign_has_all_that_was_witnessed(count: int, needed: int) -> None:
    """Whichever quorum cosigned three entries, whoever of all witnesses answers, two entries alone never pass.

    A witness that cosigned may hold what came later, and never less.
    """
    for cosigned in product((True, False), repeat=count):
        if sum(cosigned) < needed:
            continue
        for silent in product((True, False), repeat=count):
            answers = tuple(
                SILENT if quiet else "longer" if signed else "same"
                for signed, quiet in zip(cosigned, silent, strict=True)
            )
            assert asked(answers, needed) != MaySign()


def test_a_later_answer_never_takes_back_that_it_is_behind() -> None:
    """In whatever order answers come, waiting becomes signing or behind, and behind stays."""
    for answers in product(ANSWERS, repeat=3):
        behind = False
        for heard in range(4):
            so_far = (*answers[:heard], *[SILENT] * (3 - heard))
            now = isinstance(asked(so_far, 3), Behind)
            assert now or not behind
            behind = now


def test_witnesses_of_one_credit_code_count_once() -> None:
    """Two nodes of one organisation are one answer, and either can say that the ledger is behind."""
    assert asked(("same", "same"), 2, ("a", "a")) == Waiting(1, 2)
    assert isinstance(asked(("same", "longer"), 2, ("a", "a")), Behind)


def test_the_largest_checkpoint_that_is_lacking_is_named() -> None:
    """Of several witnesses that hold more, the one that holds most."""
    verdict = decide(
        [
            Answer("witness-0", "a", holds(7)),
            Answer("witness-1", "b", holds(9)),
            Answer("witness-2", "c", holds(8)),
        ],
        2,
        SIZE,
        root,
    )
    assert verdict == Behind("witness-1", holds(9)[0])


@given(st.data())
def test_larger_ledgers_and_more_witnesses(data: st.DataObject) -> None:
    """The same for up to nineteen witnesses and any sizes: behind, waiting or signing, by the definition."""
    count = data.draw(st.integers(2, 19))
    needed = default_needed(count)
    size = data.draw(st.integers(0, 1_000))
    held = data.draw(st.lists(st.none() | st.tuples(st.integers(0, 1_010), st.integers(0, 1)), max_size=count))
    answers = [
        Answer(f"witness-{number}", f"{number}", () if each is None else holds(*each))
        for number, each in enumerate(held)
    ]
    verdict = decide(answers, needed, size, root)
    lacking = [each for each in held if each is not None and (each[0] > size or (each[0] > 1 and each[1]))]
    assert isinstance(verdict, Behind) == bool(lacking)
    assert isinstance(verdict, MaySign) == (not lacking and len(held) >= needed)
