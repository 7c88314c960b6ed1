"""One event loop in a thread of its own, for everything that serves within the tests' process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

Result = TypeVar("Result")
_WAIT_S = 60.0


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="tests-loop", daemon=True).start()
    return loop


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine there, and wait for it here."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(_WAIT_S)
