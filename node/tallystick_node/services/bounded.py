"""Holds every call to its bounds (`bounds`), before anything else is done for it: the outermost of the interceptors.

Whom the gate (`gate`) knows nothing of is refused before anything is read of what he sends, and in its words.

To gRPC every call is a stream both ways here, which is the same on the wire. So a call's message is not parsed before
the call has its turn, few come at once, and few bytes wait for theirs; one that does not come, and an answer that is
not taken, are waited for only so long.

Where the caller goes, or its deadline passes, gRPC cancels the task that works for it, at the next wait of which there
is one before each message and after each answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, nullcontext
from inspect import iscoroutinefunction
from typing import Any, Final, NoReturn

import grpc
import structlog
from grpc.aio import EOF, ServerInterceptor, ServicerContext

from tallystick.core.errors import NotAllowed, Overloaded, Refused, TallystickError
from tallystick_node import bounds as limits
from tallystick_node.bounds import ANSWER_BYTE_PRICE, BOUNDS, REQUEST_BYTE_PRICE, UNKNOWN, Bounds
from tallystick_node.callers import IN_THE_CLEAR, Callers
from tallystick_node.connections import Ending, Held
from tallystick_node.counts import REFUSED
from tallystick_node.fair_queue import Owner
from tallystick_node.services.errors import abort
from tallystick_node.services.gate import Gate
from tallystick_node.services.serialized import Serialized
from tallystick_node.turns import BLAMED, Call, Turns

log = structlog.get_logger()

Context = ServicerContext[Any, Any]

_UNPROVEN: Final = "unproven"
"""Whoever's certificate proves nobody: all of them together are one caller."""


class Bounded(ServerInterceptor):
    """Wraps every handler."""

    def __init__(self, turns: Turns, callers: Callers, gate: Gate, connections_max: int) -> None:
        self._turns = turns
        self._callers = callers
        self._gate = gate
        self._serialized = Serialized()
        self._ending = Ending()
        self._held = Held(connections_max, self._ending)

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any) -> Any:
        rpc = handler_call_details.method.removeprefix("/")
        handler: Any = await continuation(handler_call_details)
        if handler is None:
            return handler
        bounds = BOUNDS.get(rpc, UNKNOWN)

        async def answer(requests: Any, context: Context) -> None:
            async with self._call(rpc, bounds, context) as call:
                await self._meet(call, rpc, context)
                try:
                    await _Exchange(handler, call, context, self._serialized).run()
                except _NotTaken:
                    self._hang_up(call.owner, "does not take its answers")

        return grpc.stream_stream_rpc_method_handler(answer)

    def _owner_of(self, context: Context) -> Owner:
        """Who calls, as far as the connection proves: a name that another party's authority gave is not its owner's, or
        whoever has any authority could take the places of everybody else.
        """
        peer = context.peer()
        try:
            caller = self._callers.of(context)
        except NotAllowed:
            return Owner(_UNPROVEN, peer, _UNPROVEN)
        return Owner(peer if caller == IN_THE_CLEAR else caller.id, peer, caller.party)

    async def _meet(self, call: Call, rpc: str, context: Context) -> None:
        """Raises NotAllowed where the caller is nobody, in his turn, and before anything that he sent is read."""
        try:
            self._gate.check(rpc, context, known=False)
        except NotAllowed:
            await call.turn(call.bounds.call_us)
            raise

    def _told(self, error: Overloaded, rpc: str, context: Context) -> TallystickError:
        """What a caller is told where he has too much open: nobody learns what others of his kind have."""
        try:
            self._gate.check(rpc, context, known=False)
        except NotAllowed as refusal:
            return refusal
        return error

    def _hang_up(self, owner: Owner, why: str) -> NoReturn:
        """Break a call's connection, and with it whatever else is open there. A status would come after the answers
        that are not taken, or be one more of those that are not heeded.
        """
        if self._ending.end(owner.connection):
            log.warning("hung up", caller=owner.who, peer=owner.connection, reason=why)
        raise asyncio.CancelledError

    @asynccontextmanager
    async def _call(self, rpc: str, bounds: Bounds, context: Context) -> AsyncIterator[Call]:
        """A call, with a status where it is over its bounds; who is refused for his own fault pays for it."""
        owner = self._owner_of(context)
        self._held.called(owner)
        try:
            with self._turns.call(owner, rpc, bounds) as call:
                try:
                    yield call
                finally:
                    if context.code() in BLAMED:
                        call.blame()
        except Overloaded as error:
            REFUSED.add(type(error).__name__)
            if not await self._turns.hold_back(owner, bounds):
                await asyncio.sleep(limits.HANG_UP_S)
                self._hang_up(owner, "calls again and again though it is refused")
            await abort(context, self._told(error, rpc, context))
        except Refused as error:
            REFUSED.add(type(error).__name__)
            self._turns.blame(owner, bounds.call_us)
            await abort(context, error)


class _Exchange:
    """The messages of one call, each in its turn and in time."""

    def __init__(self, handler: Any, call: Call, context: Context, serialized: Serialized) -> None:
        self._handler = handler
        self._call = call
        self._bounds = call.bounds
        self._context = context
        self._serialized = serialized

    async def run(self) -> None:
        """Hand the caller's messages to the handler, and its answers to the caller."""
        handler, context = self._handler, self._context
        if handler.request_streaming:
            request: Any = self._requests()
        else:
            request = await self._next(limits.REQUEST_S, first=True)
            if request is None:  # the caller has gone
                return
        if not handler.response_streaming:
            await self._send(await (handler.unary_unary or handler.stream_unary)(request, context))
            return
        if iscoroutinefunction(handler.unary_stream):
            await handler.unary_stream(request, _Writing(context, self._send))
            return
        first = True
        async with aclosing((handler.unary_stream or handler.stream_stream)(request, context)) as answers:
            async for answer in answers:
                if not first and self._bounds.answer_us:
                    await self._call.turn(self._bounds.answer_us)
                first = False
                await self._send(answer)

    async def _requests(self) -> AsyncIterator[Any]:
        request = await self._next(limits.REQUEST_S, first=True)
        while request is not None:
            yield request
            request = await self._next(self._bounds.silence_s, first=False)

    async def _next(self, wait_s: float, *, first: bool) -> Any:
        """The caller's next message, once it is its turn; None after the last. Raises Overloaded, Refused."""
        try:
            # Who has asked before may say the next in hours, and would keep the others out meanwhile.
            async with asyncio.timeout(wait_s), self._call.message() if first else nullcontext():
                raw = await self._context.read()
        except TimeoutError:
            raise Overloaded(f"no message was here within {wait_s:g} s", expected="to be called anew") from None
        if raw is EOF:
            return None
        size = len(raw)
        if size > self._bounds.request_bytes_max:
            raw = b""  # what waits to be refused need not be here
        try:
            await self._call.turn(self._bounds.call_us + size * REQUEST_BYTE_PRICE, len(raw))
        except Overloaded:
            raw = b""
            await self._call.hold_back()
            raise
        if size > self._bounds.request_bytes_max:
            raise Refused(f"a message of {size} bytes", expected=f"at most {self._bounds.request_bytes_max}")
        read = self._handler.request_deserializer
        return raw if read is None else read(raw)

    async def _send(self, answer: Any) -> None:
        serialize = self._handler.response_serializer
        data = self._serialized.of(answer, serialize) if self._bounds.shared else serialize(answer)
        self._call.charge(len(data) * ANSWER_BYTE_PRICE)
        try:
            async with asyncio.timeout(limits.ANSWER_TAKEN_S):
                await self._context.write(data)
        except TimeoutError:
            raise _NotTaken from None


class _Writing:
    """The context of a call whose handler writes its answers by itself, as health's `Watch` does: they too are to be
    taken in time, or whoever takes none would hold what that handler locks meanwhile.
    """

    def __init__(self, context: Context, write: Callable[[Any], Awaitable[None]]) -> None:
        self._context = context
        self.write = write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


class _NotTaken(Exception):
    """An answer was not taken in time."""
