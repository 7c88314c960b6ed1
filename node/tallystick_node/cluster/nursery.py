"""Where nodes are born: one process that has imported everything and forks a node at a word.

Importing gRPC and the rest takes most of a second of a core; forking takes a few milliseconds, and the pages are
shared. It must never use gRPC itself and never start a thread: a fork copies neither. A request is one message on a
socket pair, with the descriptors the node is to hold:

    asked      settings file, log file    two lines, with a lifeline's reading end and the writing end of `ready`
    answered   process id                 in digits

A node leads a session of its own, so that a terminal's Ctrl-C does not reach it, and writes to its log file alone.
The nursery ends when the other end of its socket closes; the nodes live as their lifelines say.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tallystick.core.errors import FAULT, Unreachable

_MESSAGE_BYTES_MAX = 16 * 1024
_NAME_BYTES_MAX = 15  # what Linux keeps of a process's name


class Nursery:
    """The asking side. Starting it returns at once; the first birth waits until it has imported what it needs."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._socket = ours

    def bear(self, settings: Path, log: Path, lifeline: int, ready: int) -> int:
        """Start a node; returns its process id. The descriptors remain the caller's to close."""
        message = f"{settings.absolute()}\n{log.absolute()}".encode()
        try:
            socket.send_fds(self._socket, [message], [lifeline, ready])
            answer = self._socket.recv(_MESSAGE_BYTES_MAX)
        except OSError:
            answer = b""
        if not answer:
            raise Unreachable(
                "the process that starts nodes has ended", where="tallyd cluster", expected="it to live on"
            )
        return int(answer)

    def close(self) -> None:
        """Let it end. The nodes it bore are not touched."""
        self._socket.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def main(handle: int) -> None:
    """Bear nodes until nobody can ask any more."""
    from tallystick_node import process, server  # noqa: F401, server: imported for the nodes

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for who asked to stop, and then the socket closes
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended nodes need nobody to collect them
    gc.freeze()
    with socket.socket(fileno=handle) as asked:
        while True:
            message, handles, _, _ = socket.recv_fds(asked, _MESSAGE_BYTES_MAX, 2)
            if not message:
                return
            settings, log = message.decode().split("\n")
            pid = os.fork()
            if pid == 0:
                code = FAULT
                try:
                    asked.close()
                    _settle(Path(log))
                    code = process.run(Path(settings), lifeline=handles[0], ready=handles[1])
                except SystemExit as ending:
                    code = ending.code if isinstance(ending.code, int) else code
                finally:
                    os._exit(code)
            for each in handles:
                os.close(each)
            with suppress(OSError):
                asked.send(str(pid).encode())


def _settle(log: Path) -> None:
    """A session, a name and an output of its own."""
    os.setsid()
    Path("/proc/self/comm").write_text(f"tallyd {log.parent.name}"[:_NAME_BYTES_MAX])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nowhere, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(nowhere)
    os.close(written)


if __name__ == "__main__":
    main(int(sys.argv[1]))
