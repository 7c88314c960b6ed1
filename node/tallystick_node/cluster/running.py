"""A node's process as others find it again: its id and the moment it started, in the home's `node.pid`.

    <process id> <start, in clock ticks since boot>\n

Both together name one process for good, so that a signal never reaches a stranger who was given the id later. It is
waited for and signalled through a pidfd, by any process, not only its parent.
"""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

from tallystick.sdk.files import write_whole

PID_FILE = "node.pid"


@dataclass(frozen=True, slots=True)
class Running:
    """A process that was alive when it was looked at."""

    pid: int
    started: int

    @classmethod
    def of(cls, home: Path) -> Running | None:
        """The process of a home's node, or None where it does not run."""
        try:
            pid, started = map(int, (home / PID_FILE).read_text().split())
        except (OSError, ValueError):
            return None
        found = cls.look(pid)
        return found if found is not None and found.started == started else None

    @classmethod
    def look(cls, pid: int) -> Running | None:
        """The living process under an id; one that ended and was not yet reaped is not alive.

        A process whose first thread has ended lives on, and holds its files, until the last one has.
        """
        try:
            # The second field is the command in parentheses, which may hold anything.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        state, threads, started = fields[0], int(fields[17]), int(fields[19])
        return None if state in "ZX" and threads <= 1 else cls(pid, started)

    def keep(self, home: Path) -> None:
        """Write it down."""
        write_whole(home / PID_FILE, f"{self.pid} {self.started}\n".encode())

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives."""
        handle = self._open()
        if handle is not None:
            try:
                signal.pidfd_send_signal(handle, number)
            except ProcessLookupError:
                pass
            finally:
                os.close(handle)

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; False where it lives on after that time."""
        handle = self._open()
        if handle is None:
            return True
        try:
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            return bool(ended.poll(timeout_s * 1_000))
        finally:
            os.close(handle)

    def end(self, grace_s: float) -> None:
        """SIGTERM, and after the grace SIGKILL; returns when it is gone."""
        self.send(signal.SIGTERM)
        if not self.wait(grace_s):
            self.kill()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self.send(signal.SIGKILL)
        self.wait(60)

    def _open(self) -> int | None:
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return None
        if Running.look(self.pid) != self:  # looked at after opening: the handle is this very process
            os.close(handle)
            return None
        return handle
