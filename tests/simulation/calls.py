"""One call between two simulated processes: what `grpc.aio` gives a stub, over messages that are really serialised.

Both ends see what they would see of HTTP/2: messages in order or not at all, an end with a status, or a connection
that breaks. What a handler raises crosses as `services/errors` and `sdk/wire_errors` have it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Generator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc.aio import EOF, AioRpcError, Metadata

if TYPE_CHECKING:
    from tests.simulation.network import Host, Network

_BEHIND_S: Final = 1e-6
"""What went the same way arrives so much later at least: of two timers at one moment either may come first."""


class Aborted(Exception):
    """A handler ended its call with a status."""

    def __init__(self, code: grpc.StatusCode, details: str, trailing: Any) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.trailing = trailing


class Context:
    """The little that handlers use of a `ServicerContext`."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._trailing: Any = ()

    def peer(self) -> str:
        return self._peer

    def set_trailing_metadata(self, trailing: Any) -> None:
        self._trailing = trailing

    async def abort(self, code: grpc.StatusCode, details: str = "") -> None:
        raise Aborted(code, details, self._trailing)


def failure(code: grpc.StatusCode, details: str, trailing: Any = ()) -> AioRpcError:
    """What a caller is told."""
    return AioRpcError(code, Metadata(), Metadata(*trailing), details=details)


class _End:
    """What has arrived at one side of a call, and how it ended there."""

    def __init__(self) -> None:
        self.inbox: deque[bytes] = deque()
        self.over = False
        self.error: AioRpcError | None = None
        self._news: asyncio.Future[None] | None = None

    def put(self, data: bytes) -> None:
        self.inbox.append(data)
        self._wake()

    def finish(self, error: AioRpcError | None) -> None:
        if not self.over:
            self.over, self.error = True, error
            self._wake()

    async def get(self) -> bytes | None:
        """The next message, None after the last. Raises what the call ended with."""
        while not self.inbox:
            if self.error is not None:
                raise self.error
            if self.over:
                return None
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        return self.inbox.popleft()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


class Call:
    """The caller's side. It is under way as soon as it is made."""

    def __init__(self, network: Network, caller: Host, to: str, path: str, encode: Any, decode: Any) -> None:
        self.network = network
        self.caller = caller
        self.to = to
        self.path = path
        self.callee: Host | None = None
        self.closed = False
        self._encode = encode
        self._decode = decode
        self._here = _End()
        self._there = _End()
        self._handling: asyncio.Task[None] | None = None
        self._in_order_s = [0.0, 0.0]
        self._crossing: tuple[deque[Any], deque[Any]] = (deque(), deque())
        self._loop = asyncio.get_running_loop()
        network.opened(self)
        self._later(0, self._arrive)

    # The caller's side.

    def send(self, message: Any) -> None:
        """A request, or one of many."""
        for each in self.caller.says(self.path, message):
            data = self._encode(each)
            self._later(0, partial(self._there.put, data), len(data))

    async def write(self, message: Any) -> None:
        if self._here.over or self.closed:
            raise self._here.error or asyncio.InvalidStateError("the call is over")
        self.send(message)

    async def done_writing(self) -> None:
        self._later(0, lambda: self._there.finish(None))

    async def read(self) -> Any:
        data = await self._here.get()
        return EOF if data is None else self._decode(data)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (answer := await self.read()) is not EOF:
            yield answer

    def __await__(self) -> Generator[Any, None, Any]:
        return self._answer().__await__()

    async def _answer(self) -> Any:
        try:
            data = await self._here.get()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if data is None:
            raise failure(grpc.StatusCode.INTERNAL, "no answer, and no error")
        return self._decode(data)

    def cancel(self) -> bool:
        """Leave the call; the other side learns of it."""
        if self.closed:
            return False
        self._here.finish(failure(grpc.StatusCode.CANCELLED, "cancelled here"))
        self._later(0, self._drop)
        return True

    # The other side.

    def _arrive(self) -> None:
        host = self.network.host(self.caller, self.to)
        if host is None:
            self.cut("nobody listens")
            return
        handler = host.handlers.get(self.path)
        if handler is None:
            self._end(failure(grpc.StatusCode.UNIMPLEMENTED, "no such call"))
            return
        self.callee = host
        self._handling = self._loop.create_task(self._handle(host, handler), context=host.context.copy())

    async def _handle(self, host: Host, handler: Any) -> None:
        context: Any = Context(self.caller.id)
        try:
            requests = self._requests(handler) if handler.request_streaming else await self._request(handler)
            if handler.response_streaming:
                answers = (handler.stream_stream or handler.unary_stream)(requests, context)
                async with aclosing(answers):
                    async for answer in answers:
                        self._reply(host, handler, answer)
                        await asyncio.sleep(0)
            else:
                answer = await (handler.stream_unary or handler.unary_unary)(requests, context)
                self._reply(host, handler, answer)
            self._end(None)
        except Aborted as error:
            self._end(failure(error.code, error.details, error.trailing))

    def _reply(self, host: Host, handler: Any, answer: Any) -> None:
        for each in host.says(self.path, answer):
            data = handler.response_serializer(each)
            self._later(1, partial(self._here.put, data), len(data))

    def _end(self, error: AioRpcError | None) -> None:
        def finish() -> None:
            self._here.finish(error)
            self._drop()

        self._later(1, finish)

    async def _request(self, handler: Any) -> Any:
        data = await self._there.get()
        return handler.request_deserializer(data or b"")

    async def _requests(self, handler: Any) -> AsyncIterator[Any]:
        while (data := await self._there.get()) is not None:
            yield handler.request_deserializer(data)

    # The way between.

    def _later(self, direction: int, what: Any, size: int | None = None) -> None:
        """Something crosses; what went the same way before has arrived when it does. `size` is that of a message."""
        if self.closed:
            return
        delay_s = self.network.delay_s(self, size)
        at_s = max(self._in_order_s[direction] + _BEHIND_S, self._loop.time() + delay_s)
        self._in_order_s[direction] = at_s
        self._crossing[direction].append(what)
        self._loop.call_at(at_s, self._cross, direction)

    def _cross(self, direction: int) -> None:
        if self.closed:
            return
        wait_s = self.network.held_up_s(self)
        if wait_s:
            self._loop.call_later(wait_s, self._cross, direction)
        else:
            self._crossing[direction].popleft()()

    def cut(self, why: str) -> None:
        """The connection breaks: both sides see it, each in its own way."""
        if not self.closed:
            self._here.finish(failure(grpc.StatusCode.UNAVAILABLE, why))
            self._drop()

    def _drop(self) -> None:
        if not self.closed:
            self.closed = True
            self.network.over(self)
            self._there.finish(failure(grpc.StatusCode.CANCELLED, "the caller is gone"))
            if self._handling is not None and self._handling is not asyncio.current_task():
                self._handling.cancel()
