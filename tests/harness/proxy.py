"""A port of its own that passes bytes on to a node, and cuts connections when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from tallystick.core.charter import Bureau
from tests.harness import loop

HOST = "127.0.0.1"
Callers = Callable[[int], bool]
"""Which callers are meant, each by the port it calls from."""


class Proxy:
    """Passes on to the port `there`, from `port` or any free one. Use as a context."""

    def __init__(self, there: int, port: int = 0) -> None:
        self.port = port
        self._there = there
        self._refused: Callers = lambda caller: False
        self._connections: dict[int, set[asyncio.StreamWriter]] = {}

    def before(self, bureau: Bureau) -> Bureau:
        """A bureau as a charter would have it, with its node reached through here."""
        return msgspec.structs.replace(bureau, endpoint=f"{HOST}:{self.port}")

    def __enter__(self) -> Proxy:
        loop.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        loop.run(self._stop())

    def cut(self) -> None:
        """Cut every connection, both ways, as it stands."""
        loop.run(self._cut(lambda caller: True))

    def refuse(self, callers: Callers) -> None:
        """From now on cut the connections of some callers, those that stand and those to come."""
        self._refused = callers
        loop.run(self._cut(callers))

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        await self._cut(lambda caller: True)

    async def _cut(self, callers: Callers) -> None:
        for caller, writers in self._connections.items():
            if callers(caller):
                for writer in writers:
                    writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = writer.get_extra_info("peername")[1]
        writers = self._connections[caller] = {writer}
        try:
            there_reader, there_writer = await asyncio.open_connection(HOST, self._there)
            writers.add(there_writer)
            if self._refused(caller):
                raise ConnectionRefusedError
            await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer))
        except OSError:
            pass
        finally:
            for each in writers:
                each.transport.abort()
            del self._connections[caller]

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()
