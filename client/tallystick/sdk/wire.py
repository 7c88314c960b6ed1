"""The calls to one node, and the only place in the client that knows gRPC's stubs. Nothing here is believed or checked.

Every call has a deadline, every failure becomes a domain error that names the node, and a stream that is left early is
cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from threading import Event, Lock, Timer
from typing import Any, TypeVar

import grpc

from tallystick.core.charter import Bureau
from tallystick.core.errors import ConfigInvalid, NotAllowed, TallystickError, Unreachable
from tallystick.sdk.credentials import Credentials, shown_to
from tallystick.sdk.dialling import DEADLINE_S, failed, open_channel
from tallystick.sdk.patience import SAID_AFTER_S, Patience
from tallystick_proto.v1.gossip_pb2 import CharterRequest, SwapAnswer, SwapRequest, TellRequest
from tallystick_proto.v1.gossip_pb2_grpc import GossipStub
from tallystick_proto.v1.ledger_pb2 import (
    Bundle,
    CheckpointAnswer,
    CheckpointRequest,
    ConsistencyRequest,
    DiscloseAnswer,
    DiscloseRequest,
    FindRequest,
    InclusionRequest,
    Openings,
    OpeningsRequest,
    PresenceAnswer,
    Proof,
    ReadRequest,
    Receipt,
    SubmitAnswer,
    SubmitRequest,
)
from tallystick_proto.v1.ledger_pb2_grpc import LedgerStub, SubmitStub
from tallystick_proto.v1.witness_pb2 import CosignedAnswer, CosignedRequest, HeldAnswer, HeldRequest
from tallystick_proto.v1.witness_pb2_grpc import WitnessStub

Answer = TypeVar("Answer")


class _Connection:
    """A channel with its stubs, and what was shown on it."""

    def __init__(self, node: Bureau, credentials: Credentials | None) -> None:
        self.shown = shown_to(node, credentials)
        self.channel = open_channel(node, self.shown)
        self.submit = SubmitStub(self.channel)
        self.ledger = LedgerStub(self.channel)
        self.witness = WitnessStub(self.channel)
        self.gossip = GossipStub(self.channel)


class Wire:
    """A connection to a bureau's node, or to another's (`at`) that keeps a copy of its ledger; opened by the first
    call, closed with `close`. The first call also raises what keeps that node from being spoken to. For any number of
    threads.
    """

    def __init__(
        self,
        bureau: Bureau,
        deadline_s: float = DEADLINE_S,
        at: Bureau | None = None,
        credentials: Credentials | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.bureau = bureau
        self.at = at or bureau
        self.deadline_s = deadline_s
        self.credentials = credentials
        self.patience = patience or Patience()
        self._opened: _Connection | None = None
        self._outdated: list[_Connection] = []  # another thread's call may be under way on one
        self._opening = Lock()

    def to(self, node: Bureau, deadline_s: float | None = None) -> Wire:
        """Another node's, about the same ledger."""
        return Wire(self.bureau, deadline_s or self.deadline_s, node, self.credentials, self.patience)

    def close(self) -> None:
        for each in (*self._outdated, *([] if self._opened is None else [self._opened])):
            each.channel.close()

    @property
    def _connection(self) -> _Connection:
        with self._opening:
            if self._opened is None:
                self._opened = _Connection(self.at, self.credentials)
            return self._opened

    def submit(self, request: SubmitRequest) -> Receipt:
        """Asked whether or not the node was silent before: who sends the same again learns what became of it."""
        with self.patience.saying(self.at, SAID_AFTER_S + request.wait_witnessed_ms / 1_000):
            return self._answer(lambda: self._connection.submit.Submit(request, timeout=self.deadline_s))

    def cosigned(self) -> CosignedAnswer:
        request = CosignedRequest(origin=self.bureau.origin)
        return self._call(lambda wait_s: self._connection.witness.GetCosigned(request, timeout=wait_s))

    def held(self, origin: str) -> HeldAnswer:
        """What the node holds of another's ledger."""
        return self._call(lambda wait_s: self._connection.witness.GetHeld(HeldRequest(origin=origin), timeout=wait_s))

    def swap(self, request: SwapRequest) -> SwapAnswer:
        return self._call(lambda wait_s: self._connection.gossip.Swap(request, timeout=wait_s))

    def charter(self, digest: bytes) -> bytes:
        """The note of a version of the charter that the node said it holds."""
        request = CharterRequest(digest=digest)
        return self._call(lambda wait_s: self._connection.gossip.GetCharter(request, timeout=wait_s)).note

    def tell(self, request: TellRequest) -> None:
        self._call(lambda wait_s: self._connection.gossip.Tell(request, timeout=wait_s))

    def submit_many(self, requests: Iterable[SubmitRequest]) -> Iterator[SubmitAnswer]:
        """Answers in the order of the requests; no deadline, since the stream is as long as its caller likes."""
        return self._stream(lambda: self._connection.submit.SubmitMany(iter(requests)))

    def checkpoint(self, known_size: int) -> CheckpointAnswer:
        request = CheckpointRequest(origin=self.bureau.origin, known_size=known_size)
        return self._call(lambda wait_s: self._connection.ledger.GetCheckpoint(request, timeout=wait_s))

    def watch_checkpoints(self, known_size: int) -> Iterator[CheckpointAnswer]:
        request = CheckpointRequest(origin=self.bureau.origin, known_size=known_size)
        return self._stream(lambda: self._connection.ledger.WatchCheckpoints(request))

    def prove_consistency(self, old_size: int, new_size: int) -> Proof:
        request = ConsistencyRequest(origin=self.bureau.origin, old_size=old_size, new_size=new_size)
        return self._call(lambda wait_s: self._connection.ledger.ProveConsistency(request, timeout=wait_s))

    def prove_presence(self, index: int, size: int) -> PresenceAnswer:
        request = InclusionRequest(origin=self.bureau.origin, index=index, size=size)
        return self._call(lambda wait_s: self._connection.ledger.ProvePresence(request, timeout=wait_s))

    def read_entries(self, first: int, end: int, size: int) -> Iterator[Bundle]:
        request = ReadRequest(origin=self.bureau.origin, first=first, end=end, size=size)
        return self._in_time(lambda: self._connection.ledger.ReadEntries(request))

    def find(self, request: FindRequest) -> Iterator[Bundle]:
        stream = self._stream if request.follow else self._in_time
        return stream(lambda: self._connection.ledger.Find(request))

    def disclose(self, index: int, fields: Sequence[str]) -> DiscloseAnswer:
        request = DiscloseRequest(origin=self.bureau.origin, index=index, field=fields)
        return self._call(lambda wait_s: self._connection.ledger.Disclose(request, timeout=wait_s))

    def find_openings(self, field: str, value: bytes, first: int, end: int) -> Iterator[Openings]:
        request = OpeningsRequest(origin=self.bureau.origin, field=field, value=value, first=first, end=end)
        return self._in_time(lambda: self._connection.ledger.FindOpenings(request))

    def _failed(self, error: grpc.RpcError) -> TallystickError:
        """The error behind a failed call. Where the certificate was renewed meanwhile, the next call shows the new one:
        a channel goes on with what it was opened with, though that may be out of its term by now.
        """
        found = failed(error, self.at, self.credentials)
        with self._opening:
            if self._opened is not None and isinstance(found, Unreachable | NotAllowed):
                with suppress(ConfigInvalid):
                    if shown_to(self.at, self.credentials) != self._opened.shown:
                        self._outdated.append(self._opened)
                        self._opened = None
        return found

    def _call(self, call: Callable[[float], Answer]) -> Answer:
        with self.patience.waiting(self.at, self.deadline_s) as wait_s:
            return self._answer(lambda: call(wait_s))

    def _answer(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except grpc.RpcError as error:
            raise self._failed(error) from None

    def _stream(self, start: Callable[[], Iterator[Answer]]) -> Iterator[Answer]:
        stream = start()
        try:
            yield from stream
        except grpc.RpcError as error:
            raise self._failed(error) from None
        finally:
            stream.cancel()  # type: ignore[attr-defined]

    def _in_time(self, start: Callable[[], Iterator[Answer]]) -> Iterator[Answer]:
        """A stream whose every answer comes within the deadline from when it is asked for, or never.

        Keepalive tells of a node that is gone, not of one that is there and says nothing.
        """
        stream: Any = None  # gRPC's call: an iterator that can be cancelled, which the stubs' types do not say
        silent = Event()

        def give_up() -> None:
            silent.set()
            stream.cancel()

        def within(wait_s: float) -> Answer | None:
            nonlocal stream
            stream = stream or start()
            timer = Timer(wait_s, give_up)
            timer.daemon = True
            timer.start()
            try:
                answer: Answer | None = next(stream, None)
                return answer
            except grpc.RpcError:
                if not silent.is_set():
                    raise
                where = f"{self.at.id} at {self.at.endpoint}"
                raise Unreachable("no answer in time", where=where, expected="an answer before the deadline") from None
            finally:
                timer.cancel()

        try:
            while (answer := self._call(within)) is not None:
                yield answer
        finally:
            if stream is not None:
                stream.cancel()
