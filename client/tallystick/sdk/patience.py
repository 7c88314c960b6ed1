"""How long one command waits for whom: a node that was silent once is not waited for in full again by it.

Several calls of a command go to one node, each with a deadline of its own. Once one was in vain, those that follow have
what is left of `SILENCE_MAX_S`, and then fail at once by what the last one failed by; one that begins while another has
waited for so long already has a moment. An answer makes up for all of it.
That a node was silent is known to this object alone, which a command makes and a program that stays does not have; it
is a reason to ask others, and says nothing of a bureau.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Timer
from typing import Final

from tallystick.core.bureau import Bureau
from tallystick.core.errors import TallystickError, Unreachable

SILENCE_MAX_S: Final = 8.0
"""Once a node was silent for so long in all, in one call or several, it is asked no more."""
SAID_AFTER_S: Final = 3.0
"""After so long somebody at a terminal is told for whom is waited."""
_SILENT_S: Final = 1.0
"""What fails sooner was no silence: nobody was there, and the next call is told so as soon."""


@dataclass(frozen=True, slots=True)
class _Silence:
    """How long a node was silent in all, when that ended by the monotonic clock, and what the last call failed by."""

    lasted_s: float
    ended: float
    why: TallystickError


class Patience:
    """What was seen of silent nodes, by one command where it is of `SILENCE_MAX_S`; by default it never ends. Several
    threads may share it.

    `say` is told once of each node for which is waited for long, from a thread of its own; None where nobody sees it.
    """

    def __init__(self, silence_max_s: float = math.inf, say: Callable[[Bureau], None] | None = None) -> None:
        self._silence_max_s = silence_max_s
        self._say = say
        self._silences: dict[str, _Silence] = {}  # by endpoint
        self._waiting: dict[str, list[float]] = {}  # by endpoint, when the calls began that have not ended
        self._said: set[str] = set()
        self._lock = Lock()

    @contextmanager
    def waiting(self, node: Bureau, deadline_s: float) -> Iterator[float]:
        """Around one call, which is given how many seconds it may take. Raises Unreachable where that is none."""
        silence = self._silences.get(node.endpoint)
        if silence is not None:
            left_s = self._silence_max_s - silence.lasted_s
            if left_s < _SILENT_S:
                why = silence.why
                raise Unreachable(why.what, where=why.where, expected=why.expected)
            deadline_s = min(deadline_s, left_s)
        began = time.monotonic()
        with self._lock:
            waiting = self._waiting.setdefault(node.endpoint, [])
            if waiting and began - min(waiting) >= self._silence_max_s:
                deadline_s = min(deadline_s, _SILENT_S)
            waiting.append(began)
        try:
            with self.saying(node, SAID_AFTER_S):
                yield deadline_s
        except TallystickError as error:
            self._ended(node, began, error)
            raise
        else:
            self._ended(node, began, None)
        finally:
            with self._lock:
                waiting.remove(began)

    def _ended(self, node: Bureau, began: float, error: TallystickError | None) -> None:
        """Note how a call ended that began then; what was waited for at once counts once."""
        now = time.monotonic()
        with self._lock:
            before = self._silences.get(node.endpoint)
            if error is None or not _is_away(node, error):
                self._silences.pop(node.endpoint, None)
            elif now - began >= _SILENT_S:
                lasted_s = now - began if before is None else before.lasted_s + now - max(began, before.ended)
                self._silences[node.endpoint] = _Silence(lasted_s, now, error)

    @contextmanager
    def saying(self, node: Bureau, after_s: float) -> Iterator[None]:
        """Around what may take long, and is said if it does."""
        if self._say is None:
            yield
            return
        timer = Timer(after_s, self._say_once, (node,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _say_once(self, node: Bureau) -> None:
        with self._lock:
            first = node.endpoint not in self._said
            self._said.add(node.endpoint)
        if first and self._say is not None:
            self._say(node)


def _is_away(node: Bureau, error: TallystickError) -> bool:
    """Whether it is the node itself that did not answer: one that says that another does not has answered."""
    return type(error) is Unreachable and error.where == f"{node.id} at {node.endpoint}"
