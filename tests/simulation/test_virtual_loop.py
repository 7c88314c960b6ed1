"""The loop of the simulation keeps the promises that asyncio gives, on a time of its own."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.simulation.virtual_loop import VirtualLoop


def test_time_jumps_to_whoever_waits_least() -> None:
    """A day of waiting takes no time, and timers fire in order, each at its moment."""
    loop = VirtualLoop()
    fired: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        fired.append((name, loop.time()))

    async def main() -> None:
        await asyncio.gather(wait("day", 86_400), wait("second", 1), wait("now", 0))

    began = time.process_time()
    loop.run(main())
    loop.close()
    assert fired == [("now", 0.0), ("second", 1.0), ("day", 86_400.0)]
    assert time.process_time() - began < 60


def test_what_a_thread_is_given_is_done_in_order() -> None:
    """Calls of one executor are made one after another, as one thread makes them, and raise to who waits."""
    loop = VirtualLoop()
    done: list[int] = []
    pool = ThreadPoolExecutor(max_workers=1)

    def fail() -> None:
        raise ValueError("no")

    async def main() -> None:
        await asyncio.gather(*(loop.run_in_executor(pool, done.append, number) for number in range(5)))
        with pytest.raises(ValueError, match="no"):
            await loop.run_in_executor(pool, fail)

    loop.run(main())
    loop.close()
    pool.shutdown()
    assert done == [0, 1, 2, 3, 4]


def test_nothing_left_to_wait_for_is_said() -> None:
    """Where nothing can ever happen again, the loop says so instead of hanging."""
    loop = VirtualLoop()

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        loop.run(main())
    loop.close()
