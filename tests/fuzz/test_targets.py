"""Every parser survives what it is given: each valid input, each of them bent, and bytes that were never anything."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.targets import TARGETS

PAGE: Final = (Path(__file__).parents[2] / "docs" / "fuzzing.md").read_text(encoding="utf-8")
each_target = pytest.mark.parametrize("name", TARGETS)


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(TARGETS[name].seeds()))


def mutated(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The same bytes with stretches of them replaced, one after the other; a stretch may be empty, or all of them."""
    for at, length, instead in changes:
        start = at % (len(data) + 1)
        data = data[:start] + instead + data[start + length :]
    return data


def bent(name: str) -> SearchStrategy[bytes]:
    """A valid input of a target with a few changes: other bytes, parts of other inputs, or nothing in their place."""
    others = st.tuples(st.sampled_from(seeds(name)), st.integers(0, 2**16), st.integers(0, 200)).map(
        lambda cut: cut[0][cut[1] % (len(cut[0]) + 1) :][: cut[2]]
    )
    change = st.tuples(st.integers(0, 2**16), st.integers(0, 40), st.binary(max_size=12) | others)
    return st.builds(mutated, st.sampled_from(seeds(name)), st.lists(change, min_size=1, max_size=4))


@each_target
def test_valid_inputs_pass(name: str) -> None:
    """What a target begins from is all of what it reads, as it stands, cut short anywhere, or doubled."""
    run = TARGETS[name].run
    for data in seeds(name):
        run(data)
        run(data + data)
        step = max(1, len(data) // 40)
        for end in range(0, len(data), step):
            run(data[:end])


@each_target
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_but_a_refusal_comes_of_bent_input(name: str, data: st.DataObject) -> None:
    """A parser reads what was bent, or refuses it with one sentence; what the format promises of it holds."""
    TARGETS[name].run(data.draw(bent(name) | st.binary(max_size=200)))


@each_target
def test_a_target_has_something_to_begin_from(name: str) -> None:
    """No target is without seeds."""
    assert seeds(name)


def test_the_page_says_what_every_target_reads_and_what_of_it_was_run() -> None:
    """No target is undescribed, none is described that is not there, and each is counted as run or as not yet run."""
    described, stated = PAGE.split("\n## What was run")
    told = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+`) \| [^|]+ \|$", described, re.MULTILINE)))
    run = re.findall(r"^\| `(\w+)` \| [\d,]+ \| [\d,]+ \| [^|]+ \|$", stated, re.MULTILINE)
    waiting = re.findall(r"`(\w+)`", "".join(re.findall(r"^Not yet run .+$", stated, re.MULTILINE)))
    assert sorted(told) == sorted(TARGETS)
    assert sorted(run + waiting) == sorted(TARGETS)
