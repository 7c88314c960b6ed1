"""Clocks: a wrong one is noticed, and liars alone stop nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.clocks import CLOCK_OFF_MAX_US, ahead_us, off_us

HONEST = st.integers(-60_000_000, 60_000_000)
ANYTHING = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(HONEST, min_size=1, max_size=9), st.data())
def test_liars_alone_stop_nobody(honest: list[int], data: st.DataObject) -> None:
    """Where fewer than half of all, oneself included, lie as they like, a clock that is right is not called off."""
    liars = data.draw(st.lists(ANYTHING, max_size=len(honest)))
    assert abs(off_us([*honest, *liars])) <= 60_000_000 < CLOCK_OFF_MAX_US


@given(st.lists(HONEST, min_size=2, max_size=9), st.integers(CLOCK_OFF_MAX_US * 2, 2**62), st.data())
def test_a_wrong_clock_is_noticed(honest: list[int], wrong_us: int, data: st.DataObject) -> None:
    """Where more than half of all agree that it is off, in either direction, it is, whatever the rest say."""
    liars = data.draw(st.lists(ANYTHING, max_size=len(honest) - 2))
    for sign in (1, -1):
        assert abs(off_us([*(sign * wrong_us + each for each in honest), *liars])) > CLOCK_OFF_MAX_US


def test_a_peers_clock_is_read_in_the_middle_of_the_call() -> None:
    """A second's call to a peer five seconds ahead says five seconds."""
    assert ahead_us(100_000_000, 105_500_000, 101_000_000) == 5_000_000
    assert off_us([]) == 0
