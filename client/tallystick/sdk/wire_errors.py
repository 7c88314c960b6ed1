"""Domain errors on the wire: one table, used by the node to answer and by the client to understand.

An error travels as a gRPC status whose details hold an `ErrorDetail`: the class's name and the parts of its sentence.
A name this version does not know becomes the nearest class its status code stands for.

A verdict on what was shown (`VerificationFailed`) is reached by who verified it, never taken from another's word: told
by a node it is its refusal to answer, so that nobody can say "proven" of a bureau whose key signed nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from tallystick.core import errors
from tallystick.core.errors import TallystickError
from tallystick.core.limits import SENTENCE_CHARS_MAX
from tallystick_proto.v1.ledger_pb2 import ErrorDetail

# The nearest entry above a class in the tree of errors holds for it.
CODES: dict[type[TallystickError], grpc.StatusCode] = {
    errors.Refused: grpc.StatusCode.INVALID_ARGUMENT,
    errors.StaleSubmission: grpc.StatusCode.FAILED_PRECONDITION,
    errors.NotAuthentic: grpc.StatusCode.UNAUTHENTICATED,
    errors.NotAllowed: grpc.StatusCode.PERMISSION_DENIED,
    errors.SubmissionConflict: grpc.StatusCode.ALREADY_EXISTS,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unreachable: grpc.StatusCode.UNAVAILABLE,
    errors.StorageFailed: grpc.StatusCode.UNAVAILABLE,
    errors.StoreDamaged: grpc.StatusCode.DATA_LOSS,
    errors.BehindSigned: grpc.StatusCode.DATA_LOSS,
    TallystickError: grpc.StatusCode.INTERNAL,
}


def _subclasses(root: type[TallystickError]) -> Iterator[type[TallystickError]]:
    yield root
    for child in root.__subclasses__():
        yield from _subclasses(child)


_BY_NAME = {
    error.__name__: errors.Refused if issubclass(error, errors.VerificationFailed) else error
    for error in _subclasses(TallystickError)
}


def code_of(error: TallystickError) -> grpc.StatusCode:
    """The status code an error travels under."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def to_detail(error: TallystickError) -> ErrorDetail:
    """An error as a message."""
    return ErrorDetail(
        name=type(error).__name__,
        what=error.what,
        where=error.where,
        expected=error.expected,
        known=error.known or 0,
        has_known=error.known is not None,
    )


def from_detail(detail: ErrorDetail) -> TallystickError:
    """The error a message stands for. Of a sentence that would fill a screen the beginning is enough."""
    kind = _BY_NAME.get(detail.name, errors.Refused)
    what, where, expected = (part[:SENTENCE_CHARS_MAX] for part in (detail.what, detail.where, detail.expected))
    return kind(what, where=where, expected=expected, known=detail.known if detail.has_known else None)


def to_status(error: TallystickError) -> Status:
    """An error as a rich gRPC status."""
    detail = Any()
    detail.Pack(to_detail(error))
    return Status(code=code_of(error).value[0], message=str(error), details=[detail])


def from_rpc(call: grpc.RpcError, bureau: str, endpoint: str) -> TallystickError:
    """The error behind a failed call to a node, with the node's name in the sentence."""
    where = f"{bureau} at {endpoint}"
    detail = _detail_of(call)
    if detail is not None:
        return from_detail(detail)
    code, text = call.code(), (call.details() or "")[:SENTENCE_CHARS_MAX]
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            return errors.Unreachable(
                f"nobody answers ({_reason(text)})", where=where, expected="a node listening there"
            )
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return errors.Unreachable("no answer in time", where=where, expected="an answer before the deadline")
        case grpc.StatusCode.CANCELLED:
            return errors.Unreachable("the call was cancelled", where=where)
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return errors.Overloaded(text, where=where, expected="smaller or fewer messages")
        case grpc.StatusCode.UNIMPLEMENTED:
            return errors.NotFound(
                "the node does not know this call", where=where, expected="a node of the same version"
            )
        case _:
            return errors.Unreachable(f"the call failed: {code.name.lower()} {text}".strip(), where=where)


def _reason(text: str) -> str:
    """Why there was no connection, without the addresses and layers that gRPC names around it."""
    return text.rpartition(": ")[2] if text.startswith("failed to connect to all addresses") else text


def _detail_of(call: grpc.RpcError) -> ErrorDetail | None:
    """What one of our nodes says beside its status; None where the status is somebody else's."""
    try:
        status = rpc_status.from_call(call)
        for packed in status.details if status is not None else ():
            detail = ErrorDetail()
            if packed.Unpack(detail):
                return detail
    except (ValueError, DecodeError):  # the status and its details disagree, or do not read
        pass
    return None
