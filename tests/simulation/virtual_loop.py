"""An event loop without a clock, sockets or threads: when nothing is ready, time jumps to the next timer.

What a node gives a thread (`run_in_executor`) runs on the loop itself, at one moment of simulated time: a little after
it was given, and after what was given to the same executor before. So a run depends on nothing but what it was told.

Every task belongs to the process in whose context it was made (`running`); a process that dies takes its tasks with it.
What a `Crashed` interrupts never goes on.
"""

from __future__ import annotations

import asyncio
import contextvars
from asyncio import base_events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

Result = TypeVar("Result")

STALLED_LOOPS_MAX: Final = 1_000_000
"""So many turns of the loop at one moment are no history, but a node that spins."""


class Process(Protocol):
    """What tasks belong to. `tasks` is kept by the loop, in the order they were made."""

    alive: bool
    tasks: dict[asyncio.Task[Any], None]

    def disk_delay_s(self) -> float:
        """How long a thread takes to begin and end what it is given."""


running: contextvars.ContextVar[Process | None] = contextvars.ContextVar("running", default=None)
"""The simulated process on whose behalf code runs; None for whoever arranges the history."""


class Crashed(BaseException):
    """The process is gone: raised in the middle of what it did, and caught by nothing of its own."""


class _Jump:
    """Stands where a loop waits for sockets: time jumps instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._turns = 0

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen again, and somebody waits")
        self._turns += 1
        if timeout:
            self._turns = 0
            self._loop.jump()
        elif self._turns > STALLED_LOOPS_MAX:
            raise RuntimeError(f"time stands still at {self._loop.time():.6f} s")
        return []

    def close(self) -> None:
        """There is nothing to let go of."""


@dataclass(slots=True)
class _Thread:
    """What an executor was given, in order: of two timers at one moment either may come first."""

    given: deque[Callable[[], None]] = field(default_factory=deque)
    free_at_s: float = 0.0

    def go_on(self) -> None:
        self.given.popleft()()


class VirtualLoop(base_events.BaseEventLoop):
    """Starts at time 0. Use `run`, then `close`."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._selector = _Jump(self)
        self._threads: dict[Executor | None, _Thread] = {}
        self.set_task_factory(_make_task)

    def time(self) -> float:
        """Seconds since the history began."""
        return self._now_s

    def jump(self) -> None:
        """To the next timer."""
        self._now_s = max(self._now_s, self._scheduled[0].when())  # type: ignore[attr-defined]

    def run(self, main: Coroutine[Any, Any, Result]) -> Result:
        """Run to the end of `main`; what else is under way then stays where it is."""
        return self.run_until_complete(main)

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Result], *args: Any
    ) -> asyncio.Future[Result]:
        """The call is made at one moment, even where whoever waits for it is cancelled: a thread goes on."""
        future: asyncio.Future[Result] = self.create_future()
        process = running.get()
        if process is not None and not process.alive:
            future.cancel()
            return future
        thread = self._threads.setdefault(executor, _Thread())
        thread.given.append(lambda: _perform(future, process, func, args))
        thread.free_at_s = max(self._now_s, thread.free_at_s) + (process.disk_delay_s() if process is not None else 0.0)
        self.call_at(thread.free_at_s, thread.go_on)
        return future

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else could wake it."""


def _perform(
    future: asyncio.Future[Result], process: Process | None, call: Callable[..., Result], arguments: tuple[Any, ...]
) -> None:
    if process is not None and not process.alive:
        future.cancel()
        return
    try:
        result = call(*arguments)
    except Crashed:  # whoever raised it let the process die
        future.cancel()
    except Exception as error:
        if not future.done():
            future.set_exception(error)
    else:
        if not future.done():
            future.set_result(result)


def _make_task(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    context: contextvars.Context | None = None,
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    process = context.get(running) if context is not None else running.get()
    if process is not None:
        process.tasks[task] = None
        task.add_done_callback(lambda done: process.tasks.pop(done, None))
    return task
