"""One page over HTTP, for whoever collects metrics on this machine: GET /metrics, and nothing else.

Every connection is for one question, which has to come soon and be short; more connections than that takes are closed.
A page is made on the node's event loop, one after another, and most of the time is left to what the node is for.

Browsers on this machine reach loopback for whatever site they show. What such a site could read, because its own name
leads here, is refused: a question names this machine as whom it is for, or nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from tallystick.core.endpoint import is_loopback
from tallystick.core.errors import Usage

log = structlog.get_logger()

CONNECTIONS_MAX: Final = 8
QUESTION_BYTES_MAX: Final = 8 * 1024
QUESTION_S: Final = 5.0
# For each moment that a page takes to be made, so many are left to everything else.
REST: Final = 9.0
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class MetricsPage:
    """A listener in the clear at a loopback address; `text` makes the page anew for each question."""

    def __init__(self, listen: str, text: Callable[[], bytes]) -> None:
        self._listen = listen
        self._text = text
        self._answering: set[asyncio.Task[None]] = set()
        self._making = asyncio.Lock()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Raises Usage where the address cannot be had."""
        host, _, port = self._listen.rpartition(":")
        try:
            self._server = await asyncio.start_server(
                self._connected, host.strip("[]"), int(port), limit=QUESTION_BYTES_MAX
            )
        except OSError:
            raise Usage(
                "the address is in use or cannot be had", where=f"metrics: {self._listen}", expected="a free port"
            ) from None

    async def stop(self) -> None:
        """Answer nobody any more."""
        if self._server is None:
            return
        self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._answering) >= CONNECTIONS_MAX:
            writer.close()
            return
        task = asyncio.create_task(self._answer(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(QUESTION_S):
                question = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer_to(question))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # nobody is left to be told
        except Exception:  # a bug in a figure must not end what the node is for
            log.exception("metrics failed")
        finally:
            writer.close()

    async def _answer_to(self, question: bytes) -> bytes:
        method, _, rest = question.partition(b" ")
        target = rest.partition(b" ")[0].partition(b"?")[0]
        if target != b"/metrics":
            return _response("404 Not Found", b"there is /metrics\n")
        if method != b"GET":
            return _response("405 Method Not Allowed", b"GET it\n")
        if not _is_for_here(question):
            return _response("421 Misdirected Request", b"ask for localhost\n")
        return _response("200 OK", await self._made(), _TEXT)

    async def _made(self) -> bytes:
        clock = asyncio.get_running_loop().time
        async with self._making:
            began = clock()
            text = self._text()
            await asyncio.sleep(REST * (clock() - began))
            return text


def _is_for_here(question: bytes) -> bool:
    """Whether whoever asks means this machine, as far as he says whom he means."""
    fields = (line.partition(b":") for line in question.split(b"\r\n")[1:])
    hosts = [value.strip().decode(errors="replace") for name, _, value in fields if name.strip().lower() == b"host"]
    return all(is_loopback(host) or is_loopback(f"{host}:80") for host in hosts)


def _response(status: str, body: bytes, kind: str = "text/plain") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
