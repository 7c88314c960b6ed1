"""Composing with a memory: what comes out, and what is refused, is what comes of composing and checking one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.commitment import Place, check_opening
from tallystick.core.compose import Sensitive, compose, keywords_of, place
from tallystick.core.composer import Composer
from tallystick.core.errors import InvalidStatement
from tallystick.core.kinds import KINDS
from tallystick.core.statement import Checker, admit, encode
from tests.harness.any_statement import any_values, least, most

ACTOR = "taxation:clerk"
ORIGIN = "pudong.example/taxation"
SAID = st.sampled_from(list(KINDS.values())).flatmap(lambda kind: st.tuples(st.just(kind), any_values(kind)))
BAD = ["\ud800", "x" * 401, "a@b", "", 0, -1, 2**70, True, 1.5, b"", b"short", [], ["x"] * 600, {}, {"no": 1}, object()]


def one_by_one(name: str, actor: str, values: dict[str, Any]) -> bytes | str:
    """The statement composed alone and checked as bytes, or why it is refused."""
    try:
        data = compose(name, actor, values).encode()
        Checker(actor).check(data)
    except InvalidStatement as error:
        return str(error)
    return data


def remembered(composer: Composer, name: str, values: dict[str, Any]) -> bytes | str:
    try:
        return composer.compose(name, values).encode()
    except InvalidStatement as error:
        return str(error)


@given(st.lists(SAID, min_size=1, max_size=4))
def test_statements_are_those_composed_one_by_one(said: list[tuple[Any, dict[str, Any]]]) -> None:
    """Whatever was composed before, and how often, a statement has the same bytes, and admission takes it."""
    composer = Composer(ACTOR)
    for kind, values in said * 2:
        draft = composer.compose(kind.name, values)
        assert draft.encode() == compose(kind.name, ACTOR, values).encode() == draft.statement.SerializeToString()
        assert draft.sensitive == compose(kind.verb, ACTOR, values).sensitive
        admit(encode([draft.encode()]), ACTOR)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_what_is_refused_is_what_one_by_one_is_refused(kind: Any) -> None:
    """Each field left out, or given any of many unfit values: the same statement or the same sentence, first and
    second time.
    """
    composer = Composer(ACTOR)
    for use in keywords_of(kind):
        tried = [{**most(kind), use.name: bad} for bad in BAD]
        tried += [{k: v for k, v in values.items() if k != use.name} for values in (most(kind), least(kind))]
        for values in tried:
            expected = one_by_one(kind.name, ACTOR, values)
            assert remembered(composer, kind.name, values) == expected
            assert remembered(composer, kind.verb, values) == expected
    assert remembered(composer, kind.name, {"colour": 1}) == one_by_one(kind.name, ACTOR, {"colour": 1})


def test_more_values_than_are_remembered_are_all_composed() -> None:
    """Thousands of distinct values, short and long, come out one by one whether remembered or not."""
    composer = Composer(ACTOR)
    for number in (*range(2_500), *range(2_500)):
        said = {"purpose": "audit", "case": number.to_bytes(16, "big"), "source": "s" * (number % 128)}
        assert remembered(composer, "use", said) == one_by_one("use", ACTOR, said)


def test_an_actor_that_is_none_is_refused() -> None:
    """The actor's form is checked with the first statement of a kind, and named as the head's."""
    for name, values in (("use", {"purpose": "audit"}), ("declare", least(KINDS[10]))):
        assert remembered(Composer("nobody"), name, values) == one_by_one(name, "nobody", values)
        assert "head.actor" in str(remembered(Composer("nobody"), name, values))


def test_equal_values_of_other_types_are_not_taken_for_one_another() -> None:
    """One, True and 1.0 are equal to Python; what the field makes of one says nothing of the others."""
    values: list[object] = [1, True, 1.0, "1", b"1"]
    for keyword in ("rows", "happened_at", "purpose"):
        for first in values:
            composer = Composer(ACTOR)
            for value in (first, *values):
                said = {"purpose": "audit", keyword: value}
                assert remembered(composer, "use", said) == one_by_one("use", ACTOR, said)


def test_a_sensitive_value_is_committed_at_each_place_anew() -> None:
    """The same value twice has two commitments, each opened by its own disclosure; it is never remembered."""
    composer = Composer(ACTOR)
    for position in (0, 1):
        draft = composer.compose("use", {"purpose": "audit", "subject": Sensitive("3101")})
        assert not draft.statement.data_used.subject
        (disclosure,) = place(draft, ORIGIN, bytes(16), position, lambda: bytes([7]) * 32)
        commitment = draft.statement.data_used.subject
        check_opening(commitment, Place(ORIGIN, bytes(16), position, disclosure.field), disclosure.salt, b"3101")
        Checker(ACTOR).check(draft.encode())
