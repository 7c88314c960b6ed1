"""One interceptor that turns domain errors into statuses, and everything else into a status that tells nothing.

gRPC would send an unhandled exception's text to the client; here it is logged, and the client is told that the fault is
the node's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
import structlog
from grpc.aio import ServerInterceptor, ServicerContext
from grpc_status import rpc_status

from tallystick.core.errors import TallystickError
from tallystick.sdk.wire_errors import to_status
from tallystick_node.counts import REFUSED

log = structlog.get_logger()


async def abort(context: ServicerContext[Any, Any], error: TallystickError) -> NoReturn:
    """End a call with a domain error."""
    REFUSED.add(type(error).__name__)
    status = rpc_status.to_status(to_status(error))
    context.set_trailing_metadata(status.trailing_metadata)
    await context.abort(status.code, status.details)
    raise AssertionError("abort raises")


async def _abort(context: ServicerContext[Any, Any], error: Exception, method: str) -> NoReturn:
    if isinstance(error, TallystickError):
        log.info("refused", rpc=method, peer=context.peer(), error=type(error).__name__, reason=str(error))
        await abort(context, error)
    REFUSED.add("internal")
    log.error("internal error", rpc=method, exc_info=error)
    await context.abort(grpc.StatusCode.INTERNAL, "an internal error; the node's log has more")
    raise AssertionError("abort raises")


class DomainErrors(ServerInterceptor):
    """Wraps every handler."""

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> grpc.RpcMethodHandler[Any, Any]:
        handler: Any = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith("/tallystick."):
            return handler  # type: ignore[no-any-return]
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.response_streaming:
            inner_stream = handler.stream_stream if handler.request_streaming else handler.unary_stream

            async def stream(request: Any, context: ServicerContext[Any, Any]) -> AsyncIterator[Any]:
                try:
                    async for answer in inner_stream(request, context):
                        yield answer
                except Exception as error:
                    await _abort(context, error, method)

            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return make(stream, **codec)
        inner = handler.unary_unary

        async def unary(request: Any, context: ServicerContext[Any, Any]) -> Any:
            try:
                return await inner(request, context)
            except Exception as error:
                await _abort(context, error, method)

        return grpc.unary_unary_rpc_method_handler(unary, **codec)
