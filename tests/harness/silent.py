"""A node that hangs: a port on which connections are taken, and never a word is said."""

from __future__ import annotations

import socket
from contextlib import suppress

import msgspec

from tallystick.core.bureau import Bureau
from tests.harness.proxy import HOST


class Silent:
    """Listens, and counts who comes. Use as a context."""

    def __init__(self) -> None:
        self._server = socket.create_server((HOST, 0))
        self._server.setblocking(False)
        self._callers: list[socket.socket] = []

    @property
    def endpoint(self) -> str:
        return f"{HOST}:{self._server.getsockname()[1]}"

    def of(self, bureau: Bureau) -> Bureau:
        """A bureau as a charter would have it whose node hangs."""
        return msgspec.structs.replace(bureau, endpoint=self.endpoint)

    @property
    def called(self) -> int:
        """How many connections were made by now; all stay open."""
        with suppress(BlockingIOError):
            while True:
                self._callers.append(self._server.accept()[0])
        return len(self._callers)

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (*self._callers, self._server):
            each.close()
