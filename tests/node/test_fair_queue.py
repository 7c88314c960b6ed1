"""The fair queue: nobody waits behind another's crowd, and what one connection asked for stays in its order."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick_node.fair_queue import DEBT_MAX, FairQueue, Owner

A, B = Owner("a", "a1"), Owner("b", "b1")


def drained(queue: FairQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12"), st.integers(1, 9)), max_size=60))
def test_all_that_was_pushed_comes_out_in_the_order_of_its_connection(pushed: list[tuple[str, str, int]]) -> None:
    """Nothing is lost or doubled, and of one connection nothing overtakes."""
    queue: FairQueue[tuple[Owner, int]] = FairQueue(2)
    for number, (who, connection, price) in enumerate(pushed):
        queue.push(Owner(who, connection), price, (Owner(who, connection), number))
    assert len(queue) == len(pushed)
    out = []
    while queue:
        first = queue.first()
        out.append(queue.pop())
        assert out[-1] == first
    assert sorted(number for _, number in out) == list(range(len(pushed)))
    for owner in {each for each, _ in out}:
        numbers = [number for each, number in out if each == owner]
        assert numbers == sorted(numbers)


def test_a_crowd_waits_for_itself() -> None:
    """Who has one thing waiting is next but one, however much another has."""
    queue: FairQueue[str] = FairQueue(2)
    for number in range(1_000):
        queue.push(A, 1, f"a{number}")
    queue.pop()
    queue.push(B, 1, "b")
    assert "b" in [queue.pop(), queue.pop()]


def test_prices_are_shared_not_pieces() -> None:
    """Who asks for dear things gets fewer of them: both are given as much, in prices."""
    queue: FairQueue[str] = FairQueue(2)
    for _ in range(1_000):
        queue.push(A, 10, "a")
        queue.push(B, 1, "b")
    given_now = Counter(islice(iter(queue.pop, None), 550))
    assert 45 <= given_now["a"] <= 55
    assert 495 <= given_now["b"] <= 505


def test_many_connections_are_one_caller() -> None:
    """A caller gets no more by opening more connections; and each of these gets its part of his."""
    queue: FairQueue[str] = FairQueue(2)
    for _ in range(200):
        queue.push(B, 1, "b")
        for number in range(10):
            queue.push(Owner("a", f"a{number}"), 1, f"a{number}")
    given_now = Counter(queue.pop() for _ in range(200))
    assert 98 <= given_now["b"] <= 102
    assert all(9 <= given_now[f"a{number}"] <= 11 for number in range(10))


def test_many_callers_of_a_party_are_one_party() -> None:
    """A party gets no more by naming more callers; and each of these gets its part of what the party has."""
    queue: FairQueue[str] = FairQueue(3)
    for _ in range(200):
        queue.push(Owner("b:x", "b1", "b").line, 1, "b")
        for number in range(10):
            queue.push(Owner(f"a:{number}", f"a{number}", "a").line, 1, f"a{number}")
    given_now = Counter(queue.pop() for _ in range(200))
    assert 98 <= given_now["b"] <= 102
    assert all(9 <= given_now[f"a{number}"] <= 11 for number in range(10))


def test_weights_divide_the_first_stage() -> None:
    """A name of weight 4 is given four times as much as one of weight 1, however many are behind either."""
    queue: FairQueue[str] = FairQueue(3, {"much": 4.0})
    for _ in range(500):
        queue.push(("much", *A), 1, "much")
        for number in range(5):
            queue.push(("little", f"c{number}", ""), 1, "little")
    given_now = Counter(queue.pop() for _ in range(500))
    assert 395 <= given_now["much"] <= 405


def test_time_of_asking_nothing_is_not_owed() -> None:
    """Who comes late begins where the others are: he goes before nobody twice."""
    queue: FairQueue[str] = FairQueue(2)
    for _ in range(100):
        queue.push(A, 1, "a")
    for _ in range(50):
        queue.pop()
    for _ in range(50):
        queue.push(B, 1, "b")
    assert 24 <= Counter(queue.pop() for _ in range(50))["b"] <= 26


@pytest.mark.parametrize("charged", [5.0, 10 * DEBT_MAX])
def test_who_is_charged_waits_but_not_for_ever(charged: float) -> None:
    """What one is charged goes to the others first, up to a most."""
    queue: FairQueue[str] = FairQueue(2)
    queue.charge(A, charged)
    price = min(charged, DEBT_MAX) / 5
    for _ in range(20):
        queue.push(A, price, "a")
        queue.push(B, price, "b")
    out = drained(queue)
    assert 4 <= out.index("a") <= 7


def test_who_has_gone_is_forgotten() -> None:
    """However many callers come and go, what is kept of them is bounded."""
    queue: FairQueue[str] = FairQueue(2)
    for number in range(5_000):
        queue.push(Owner(f"c{number}", "x"), 1, "")
        queue.pop()
        queue.charge(Owner(f"d{number}", "x"), 1)
    assert len(queue._lines._idle) < 3_000
    assert not queue._lines._waiting
