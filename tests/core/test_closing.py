"""Since when a bureau is closed."""

from __future__ import annotations

from datetime import timedelta

from tallystick.core.closing import Closing, closings
from tests.harness.charter_versions import FIRST, MARKET, after, closing, next_of


def test_a_closing_is_of_the_version_that_first_says_it() -> None:
    """Later versions repeat it; where none before it is known, when it was is not known either."""
    closed = next_of(FIRST, charter=closing(FIRST, successor="market-supervision"))
    again = next_of(FIRST, closed, charter=after(closed, issued=closed.charter.issued + timedelta(days=9)))
    made = Closing(MARKET.id, 2, closed.charter.issued, "market-supervision")
    assert not list(closings([FIRST]))
    assert list(closings([FIRST, closed])) == list(closings([FIRST, closed, again])) == [made]
    assert list(closings([closed, again])) == [Closing(MARKET.id, 2, None, "market-supervision")]
    (unknown,) = closings([again])
    assert (unknown.version, unknown.since_us) == (3, 0)
