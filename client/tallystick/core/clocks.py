"""How far a clock is from those of its peers, each of whom may lie.

A clock is held against the median of itself and of the peers that were heard: of two values in the middle, the one
nearer to it. So it is called off only where more than half of all who were asked, itself among them, say so, and as
long as fewer than half of them lie no liar can stop one whose clock is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

CLOCK_OFF_MAX_US: Final = 5 * 60 * 1_000_000
"""How far a clock may be off."""


def off_us(ahead_us: Iterable[int]) -> int:
    """How far the median is ahead of a clock (behind it, where negative), by how far each of its peers is."""
    known = sorted([0, *ahead_us])
    low, high = known[(len(known) - 1) // 2], known[len(known) // 2]
    return 0 if low <= 0 <= high else min(low, high, key=abs)


def ahead_us(before_us: int, told_us: int, after_us: int) -> int:
    """How far a peer's clock is ahead, told at some moment between two of one's own."""
    return told_us - (before_us + after_us) // 2
