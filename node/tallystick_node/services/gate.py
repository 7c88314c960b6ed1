"""The one interceptor that lets a call in: it finds out who calls (`callers`), and asks the table (`access`).

It asks before the service sees a call, and of a stream again before every message in either direction. So who is
revoked, or whose certificate ends, is refused at once on streams that are open too, and shown nothing more: one that
follows the node's own ledger ends before it is shown the checkpoint that holds the revocation.

Whatever the reason, and whatever was called, the refusal is the same; the log has the reason. That a call does not
exist is told only to who may make some. It goes before every other interceptor but the one that bounds callers, which
asks it before it says anything: what they say is for who was let in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from inspect import iscoroutinefunction
from typing import Any, Final

import grpc
import structlog
from google.protobuf.message import DecodeError
from grpc.aio import ServerInterceptor, ServicerContext

from tallystick.core.errors import NotAllowed, Refused
from tallystick_node import access, callers
from tallystick_node.access import Access, may, refusal
from tallystick_node.callers import Callers
from tallystick_node.services.errors import abort

log = structlog.get_logger()

_RPC_LOGGED_MAX: Final = 120  # characters of a call's name, which is the caller's to make up


class Gate(ServerInterceptor):
    """Wraps every handler, ours and others'."""

    def __init__(self, callers: Callers, access: Access) -> None:
        self._callers = callers
        self._access = access

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> grpc.RpcMethodHandler[Any, Any]:
        handler: Any = await continuation(handler_call_details)
        rpc = handler_call_details.method.removeprefix("/")
        if handler is None:
            return grpc.stream_stream_rpc_method_handler(self._unknown(rpc))
        # Questions come as bytes: they are read once their asker was let in.
        codec = {"response_serializer": handler.response_serializer}
        if handler.request_streaming:
            return grpc.stream_stream_rpc_method_handler(self._stream(rpc, handler, handler.stream_stream), **codec)
        if not handler.response_streaming:
            return grpc.unary_unary_rpc_method_handler(self._unary(rpc, handler), **codec)
        make = self._written if iscoroutinefunction(handler.unary_stream) else self._stream
        return grpc.unary_stream_rpc_method_handler(make(rpc, handler, handler.unary_stream), **codec)

    def check(self, rpc: str, context: ServicerContext[Any, Any], *, known: bool = True) -> None:
        """Let a call go on, and note whose it is; where it is not `known`, if its caller may make any call. Raises
        NotAllowed, after the reason was logged.
        """
        who = None
        try:
            who = self._callers.of(context)
            column = self._access.column_of(who)
            if known and not may(column, rpc):
                raise NotAllowed(f"not for {column.value}")
        except NotAllowed as error:
            caller = "" if who is None else who.id
            log.info("not let in", rpc=rpc[:_RPC_LOGGED_MAX], peer=context.peer(), caller=caller, reason=str(error))
            raise refusal() from None
        # Every call is answered in a task of its own, so this is seen by what answers it and by nothing else.
        callers.current.set(who)
        access.current.set(column)

    def _unary(self, rpc: str, handler: Any) -> Callable[[bytes, Any], Awaitable[Any]]:
        async def unary(asked: bytes, context: ServicerContext[Any, Any]) -> Any:
            try:
                self.check(rpc, context)
                request = _read(handler, asked)
            except Refused as error:
                await abort(context, error)
            return await handler.unary_unary(request, context)

        return unary

    def _stream(self, rpc: str, handler: Any, answers: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        async def stream(asked: Any, context: ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            def check() -> None:
                self.check(rpc, context)

            try:
                check()
                request = _Questions(handler, asked, check) if handler.request_streaming else _read(handler, asked)
                async with aclosing(answers(request, context)) as shown:
                    async for answer in shown:
                        check()
                        yield answer
            except Refused as error:
                await abort(context, error)

        return stream

    def _written(self, rpc: str, handler: Any, write: Callable[[Any, Any], Any]) -> Callable[[bytes, Any], Any]:
        """Of a stream that its service writes by itself, which is health's: it says only that the node serves, or not,
        and its asker is looked at once.
        """

        async def written(asked: bytes, context: ServicerContext[Any, Any]) -> None:
            try:
                self.check(rpc, context)
                request = _read(handler, asked)
            except Refused as error:
                await abort(context, error)
            await write(request, context)

        return written

    def _unknown(self, rpc: str) -> Callable[[Any, Any], Any]:
        async def unknown(asked: Any, context: ServicerContext[Any, Any]) -> None:
            try:
                self.check(rpc, context, known=False)
            except NotAllowed as error:
                await abort(context, error)
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "there is no such call")

        return unknown


def _read(handler: Any, asked: bytes) -> Any:
    """A question as its call's message. Raises Refused."""
    try:
        return handler.request_deserializer(asked)
    except DecodeError:
        raise Refused("bytes that do not read", expected="a question of this call") from None


class _Questions:
    """Questions of a stream, each passed on if its caller may still ask."""

    def __init__(self, handler: Any, asked: AsyncIterator[bytes], check: Callable[[], None]) -> None:
        self._handler = handler
        self._asked = asked
        self._check = check

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        asked = await anext(self._asked)
        self._check()
        return _read(self._handler, asked)
