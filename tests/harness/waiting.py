"""Waiting for what is bound to happen."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT_S = 60.0


def until(reached: Callable[[], bool]) -> None:
    """Wait until something holds; a test in which it never does fails."""
    deadline = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < deadline, f"not within {WAIT_S:g} s"
        time.sleep(0.05)
