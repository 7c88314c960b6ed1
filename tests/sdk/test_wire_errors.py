"""Errors on the wire: every class there and back, and nothing but our own classes from whatever else may come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core import errors
from tallystick.core.errors import TallystickError
from tallystick.sdk.wire_errors import CODES, code_of, from_detail, from_rpc, to_detail, to_status
from tallystick_proto.v1.ledger_pb2 import ErrorDetail

DETAILS_KEY = "grpc-status-details-bin"
WHERE = ("market", "127.0.0.1:7411")


class Failed(grpc.RpcError):
    """A call that ended with a status, as gRPC's own objects show it."""

    def __init__(self, code: grpc.StatusCode, details: str | None = "", trailing: tuple[tuple[str, bytes], ...] = ()):
        self._code, self._details, self._trailing = code, details, trailing

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str | None:
        return self._details

    def trailing_metadata(self) -> Any:
        return self._trailing


def classes(root: type[TallystickError] = TallystickError) -> Iterator[type[TallystickError]]:
    yield root
    for child in root.__subclasses__():
        yield from classes(child)


def sent(error: TallystickError) -> Failed:
    """The failed call a client sees after a node aborted with an error."""
    status = rpc_status.to_status(to_status(error))
    return Failed(status.code, status.details, status.trailing_metadata)


def test_a_sentence_fills_no_screen() -> None:
    """However much a node says, a client takes as much of it as anybody reads."""
    long = ErrorDetail(name="NotFound", what="w" * 10**6, where="h" * 10**6, expected="e" * 10**6)
    assert len(str(from_detail(long))) < 4_000
    for code in grpc.StatusCode:
        if code is not grpc.StatusCode.OK:
            assert len(str(from_rpc(Failed(code, "x" * 10**6), *WHERE))) < 2_000


VERDICTS = list(classes(errors.VerificationFailed))


@pytest.mark.parametrize("kind", VERDICTS, ids=lambda kind: kind.__name__)
def test_a_verdict_is_not_taken_from_a_nodes_word(kind: type[TallystickError]) -> None:
    """What a node calls forked, malformed or badly signed was not verified here: it arrives as a refusal, as told."""
    error = kind("market signed two histories", where="market#7", known=7)
    for arrived in (from_rpc(sent(error), *WHERE), from_detail(to_detail(error))):
        assert type(arrived) is errors.Refused
        assert str(arrived) == str(error)


@pytest.mark.parametrize("kind", [each for each in classes() if each not in VERDICTS], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("known", [None, 0, 2**48])
def test_every_other_error_arrives_as_what_it_was(kind: type[TallystickError], known: int | None) -> None:
    """Class, sentence and known number survive both ways of travelling, in any language."""
    error = kind("有收无发", where="market#7", expected="别的", known=known)
    for arrived in (from_rpc(sent(error), *WHERE), from_detail(to_detail(error))):
        assert type(arrived) is kind
        assert (arrived.what, arrived.where, arrived.expected, arrived.known) == (
            error.what,
            error.where,
            error.expected,
            error.known,
        )
        assert str(arrived) == str(error)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.InvalidStatement, "INVALID_ARGUMENT"),
        (errors.InvalidSubmission, "INVALID_ARGUMENT"),
        (errors.InvalidIdentifier, "INVALID_ARGUMENT"),
        (errors.StaleSubmission, "FAILED_PRECONDITION"),
        (errors.NotAuthentic, "UNAUTHENTICATED"),
        (errors.NotAllowed, "PERMISSION_DENIED"),
        (errors.SubmissionConflict, "ALREADY_EXISTS"),
        (errors.NotFound, "NOT_FOUND"),
        (errors.Overloaded, "RESOURCE_EXHAUSTED"),
        (errors.Stopping, "UNAVAILABLE"),
        (errors.Unreachable, "UNAVAILABLE"),
        (errors.StorageFailed, "UNAVAILABLE"),
        (errors.DiskFull, "UNAVAILABLE"),
        (errors.DirectoryHeld, "UNAVAILABLE"),
        (errors.StoreDamaged, "DATA_LOSS"),
        (errors.BehindSigned, "DATA_LOSS"),
        (errors.ProofFailed, "INTERNAL"),
        (errors.ConfigInvalid, "INTERNAL"),
    ],
)
def test_an_error_travels_under_the_code_of_its_kind(kind: type[TallystickError], code: str) -> None:
    """A program that knows only status codes can still tell whose turn it is."""
    assert code_of(kind("x")).name == code
    assert grpc.StatusCode.OK not in CODES.values()


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_a_bare_status_is_a_domain_error_that_names_the_node(code: grpc.StatusCode) -> None:
    """A status that is not one of ours, with or without text, is Unreachable or Refused, and says who."""
    for text in ("", None, "some proxy's words"):
        error = from_rpc(Failed(code, text), *WHERE)
        assert isinstance(error, errors.Unreachable | errors.NotFound)
        assert "market at 127.0.0.1:7411" in str(error)


def packed(detail: bytes, type_url: str = "type.googleapis.com/tallystick.v1.ErrorDetail") -> bytes:
    status = Status(code=3, message="m", details=[any_pb2.Any(type_url=type_url, value=detail)])
    return bytes(status.SerializeToString())


@pytest.mark.parametrize(
    "trailing",
    [
        b"\xff\xff\xff",
        b"",
        packed(b"\xff\xff"),
        packed(b"\x0a\xff"),
        packed(b"", "type.googleapis.com/tallystick.v1.Unheard"),
        packed(b"", ""),
        Status(code=5, message="another code").SerializeToString(),
        Status(code=3, message="another text").SerializeToString(),
    ],
)
def test_details_that_do_not_read_are_passed_over(trailing: bytes) -> None:
    """Garbage beside a status leaves the status, and never another kind of exception."""
    error = from_rpc(Failed(grpc.StatusCode.INVALID_ARGUMENT, "m", ((DETAILS_KEY, trailing),)), *WHERE)
    assert isinstance(error, TallystickError)
    assert "market" in str(error)


@given(st.binary(max_size=40), st.sampled_from(list(grpc.StatusCode)), st.text(max_size=5))
def test_whatever_a_peer_ends_a_call_with_is_a_domain_error(trailing: bytes, code: grpc.StatusCode, text: str) -> None:
    """Any code, text and detail bytes become one of our errors."""
    for details in (trailing, packed(trailing)):
        call = Failed(code, text, ((DETAILS_KEY, details),))
        assert isinstance(from_rpc(call, *WHERE), TallystickError)


def test_why_nobody_answers_is_said_without_what_grpc_wraps_around_it() -> None:
    """The last word of a connection that failed, and any other text as it is."""
    for text, said in (
        (
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7411: Failed to connect to remote"
            " host: Connection refused",
            "Connection refused",
        ),
        ("DNS resolution failed for a.example: not found", "DNS resolution failed for a.example: not found"),
    ):
        error = from_rpc(Failed(grpc.StatusCode.UNAVAILABLE, text), *WHERE)
        assert error.what == f"nobody answers ({said})"


def test_an_unheard_name_is_a_refusal() -> None:
    """An error of a later version is the nearest this version knows, with its words."""
    error = from_detail(ErrorDetail(name="NotYetInvented", what="too soon", where="there"))
    assert type(error) is errors.Refused
    assert str(error) == "there: too soon"
