"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from tallystick.core.counted import counted, counted_entries


@pytest.mark.parametrize(("count", "said"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (1_024, "1,024 days")])
def test_one_alone_is_in_the_singular(count: int, said: str) -> None:
    """And thousands are set apart."""
    assert counted(count, "day") == said
    assert counted_entries(count) == said.replace("days", "entries").replace("day", "entry")
