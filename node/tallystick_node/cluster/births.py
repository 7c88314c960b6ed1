"""Starting nodes side by side, and holding their lifelines.

A node holds the reading end of a pipe whose writing end is here. While nothing was written, the node stops when
this process ends, however it ends. `release` writes the byte that lets nodes live on by themselves.

Either all nodes of a `start` come to answer, or none of them is left running. Those that can are waited for until they
record, too.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.core.errors import Unreachable
from tallystick_node.cluster.nursery import Nursery
from tallystick_node.cluster.running import Running
from tallystick_node.home import SETTINGS

LOG = "node.log"
START_MAX_S = 60.0
RECORD_MAX_S = 20.0
STOP_MAX_S = 30.0
_LOG_LINES_SHOWN = 3
_LIVE_ON = b"+"


@dataclass(frozen=True, slots=True)
class _Birth:
    """A node that was started and has not yet said that it serves. Its log of this life begins at `log_from`."""

    home: Path
    running: Running | None
    lifeline: int
    ready: int
    log_from: int


class Births:
    """Starts nodes by their homes, in a nursery of its own if none is given."""

    def __init__(self, nursery: Nursery | None = None) -> None:
        self._nursery = nursery
        self._own = nursery is None
        self._lifelines: dict[Path, int] = {}

    def warm(self) -> Nursery:
        """The nursery; one of its own begins to import what nodes need, and this returns at once."""
        if self._nursery is None:
            self._nursery = Nursery()
        return self._nursery

    def start(self, homes: Sequence[Path], recording: Collection[Path]) -> None:
        """Start nodes and return when all of them answer, and those of `recording` record, if they do in good time.

        Raises Unreachable, with the log's end of one that does not answer, or ends.
        """
        births: list[_Birth] = []
        try:
            for home in homes:
                births.append(self._bear(home))
            for silent in _hear(births, START_MAX_S):
                raise _not_started(silent, f"does not serve after {START_MAX_S:.0f} s")
            # One whose witness is paused, or far away, answers all the same.
            _hear([birth for birth in births if birth.home in recording], RECORD_MAX_S)
        except BaseException:
            for birth in births:
                os.close(birth.lifeline)
            for birth in births:
                if birth.running is not None:
                    birth.running.end(STOP_MAX_S)
            raise
        finally:
            for birth in births:
                os.close(birth.ready)
        for birth in births:
            self.forget(birth.home)
            self._lifelines[birth.home] = birth.lifeline

    def forget(self, home: Path) -> None:
        """Let go of the lifeline of a node that has ended."""
        lifeline = self._lifelines.pop(home, None)
        if lifeline is not None:
            os.close(lifeline)

    def release(self) -> None:
        """Let every node started here live on when this process ends."""
        for lifeline in self._lifelines.values():
            os.write(lifeline, _LIVE_ON)

    def close(self) -> None:
        """Let go of everything: what was not released stops."""
        for home in list(self._lifelines):
            self.forget(home)
        if self._own and self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def _bear(self, home: Path) -> _Birth:
        log = home / LOG
        log_from = log.stat().st_size if log.exists() else 0
        node_lifeline, lifeline = os.pipe()
        ready, node_ready = os.pipe()
        try:
            pid = self.warm().bear(home / SETTINGS, log, node_lifeline, node_ready)
            running = Running.look(pid)  # None where it failed at once: `ready` will say so
            if running is not None:
                running.keep(home)
        except BaseException:
            os.close(lifeline)
            os.close(ready)
            raise
        finally:
            os.close(node_lifeline)
            os.close(node_ready)
        return _Birth(home, running, lifeline, ready, log_from)


def _hear(births: Sequence[_Birth], wait_s: float) -> list[_Birth]:
    """Read a byte from every node; returns those that are silent. Raises Unreachable where one ended."""
    unheard = {birth.ready: birth for birth in births}
    waiting = select.poll()
    for ready in unheard:
        waiting.register(ready, select.POLLIN)
    deadline = time.monotonic() + wait_s
    while unheard:
        events = waiting.poll(max(0.0, deadline - time.monotonic()) * 1_000)
        if not events:
            break
        for ready, _ in events:
            waiting.unregister(ready)
            birth = unheard.pop(ready)
            if not os.read(ready, 1):
                raise _not_started(birth, "did not start")
    return [*unheard.values()]


def _not_started(birth: _Birth, how: str) -> Unreachable:
    log = birth.home / LOG
    try:
        with log.open("rb") as file:
            file.seek(birth.log_from)
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        lines = []
    last = " | ".join([line.strip() for line in lines if line.strip()][-_LOG_LINES_SHOWN:])
    return Unreachable(
        f"its node {how}; its log ends: {last or 'nothing was logged'}",
        where=birth.home.name,
        expected=f"a node that serves; see {log}",
    )
