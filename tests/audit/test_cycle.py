"""How long an update cycle lasts: whole days that make nobody late, and for ever where nothing is promised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.cycle import cycle_days
from tallystick.core.forms import check_update_cycle


@pytest.mark.parametrize(
    ("cycle", "days"),
    [
        ("", None),
        ("irregular", None),
        ("R/PT1S", None),
        ("R/P1Y", 366),
        ("R/P1M", 31),
        ("R/PT1M", 1),
        ("R/P1W", 7),
        ("R/P1D", 1),
        ("R/P0.33W", 3),
        ("R/P0.5M", 16),
        ("R/P3.5D", 4),
        ("R/P1Y6M", 366 + 186),
        ("R/P1DT12H", 2),
        ("R/PT25H", 2),
        ("R/P0D", 0),
        ("R/P999999999Y", 366_000),
    ],
)
def test_each_part_counts(cycle: str, days: int | None) -> None:
    """Years and months are the longest there are, parts add up, and a part of a day is a day."""
    if cycle:
        check_update_cycle(cycle)
    assert cycle_days(cycle) == days


@given(days=st.integers(1, 3_000))
def test_whole_days_are_whole_in_every_unit(days: int) -> None:
    """So many days are as many in hours, minutes and seconds: nothing is lost or gained in between."""
    for number, unit in ((24, "H"), (24 * 60, "M"), (24 * 3600, "S")):
        assert cycle_days(f"R/PT{number * days}{unit}") == days
    assert cycle_days(f"R/P{days}W") == 7 * days


@given(cycle=st.from_regex(r"R/P([0-9]{1,3}(\.[0-9]{1,2})?[YMWD]|T[0-9]{1,3}H)", fullmatch=True))
def test_whatever_is_a_cycle_has_a_length(cycle: str) -> None:
    """Every form that a declaration may hold lasts so many days, or is no promise."""
    check_update_cycle(cycle)
    days = cycle_days(cycle)
    assert days is not None
    assert days >= 0
