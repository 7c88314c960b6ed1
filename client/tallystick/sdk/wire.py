"""The calls to one node, and the only place in the client that knows gRPC's stubs. Nothing here is believed or checked.

Every call has a deadline, every failure becomes a domain error that names the node, and a stream that is left early is
cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Event, Timer
from typing import TypeVar

import grpc

from tallystick.core.charter import Bureau
from tallystick.core.errors import Unreachable
from tallystick.core.limits import ANSWER_BYTES_MAX, SUBMISSION_BYTES_MAX
from tallystick.sdk.wire_errors import from_rpc
from tallystick_proto.v1.gossip_pb2 import CharterRequest, SwapAnswer, SwapRequest, TellRequest
from tallystick_proto.v1.gossip_pb2_grpc import GossipStub
from tallystick_proto.v1.ledger_pb2 import (
    Bundle,
    CheckpointAnswer,
    CheckpointRequest,
    ConsistencyRequest,
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

DEADLINE_S = 30.0
KEEPALIVE_MS = 20_000
_MESSAGE_BYTES_MAX = 2 * SUBMISSION_BYTES_MAX + ANSWER_BYTES_MAX
# What a connection to a node is like, whoever opens it.
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", _MESSAGE_BYTES_MAX),
    ("grpc.enable_http_proxy", 0),
    # What is followed has no deadline: a node that is gone is noticed by its silence.
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),  # as often as it takes
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # One connection a client: another client's broken one must not be handed to this.
    ("grpc.use_local_subchannel_pool", 1),
)

Answer = TypeVar("Answer")


class Wire:
    """A connection to a bureau's node, or to another's (`at`) that keeps a copy of its ledger; opened lazily, closed
    with `close`.
    """

    def __init__(self, bureau: Bureau, deadline_s: float = DEADLINE_S, at: Bureau | None = None) -> None:
        self.bureau = bureau
        self.at = at or bureau
        self.deadline_s = deadline_s
        self._channel = grpc.insecure_channel(self.at.endpoint, options=CHANNEL_OPTIONS)
        self._submit = SubmitStub(self._channel)
        self._ledger = LedgerStub(self._channel)
        self._witness = WitnessStub(self._channel)
        self._gossip = GossipStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def submit(self, request: SubmitRequest) -> Receipt:
        return self._call(lambda: self._submit.Submit(request, timeout=self.deadline_s))

    def cosigned(self) -> CosignedAnswer:
        request = CosignedRequest(origin=self.bureau.origin)
        return self._call(lambda: self._witness.GetCosigned(request, timeout=self.deadline_s))

    def held(self, origin: str) -> HeldAnswer:
        """What the node holds of another's ledger."""
        return self._call(lambda: self._witness.GetHeld(HeldRequest(origin=origin), timeout=self.deadline_s))

    def swap(self, request: SwapRequest) -> SwapAnswer:
        return self._call(lambda: self._gossip.Swap(request, timeout=self.deadline_s))

    def charter(self, digest: bytes) -> bytes:
        """The note of a version of the charter that the node said it holds."""
        request = CharterRequest(digest=digest)
        return self._call(lambda: self._gossip.GetCharter(request, timeout=self.deadline_s)).note

    def tell(self, request: TellRequest) -> None:
        self._call(lambda: self._gossip.Tell(request, timeout=self.deadline_s))

    def submit_many(self, requests: Iterable[SubmitRequest]) -> Iterator[SubmitAnswer]:
        """Answers in the order of the requests; no deadline, since the stream is as long as its caller likes."""
        return self._stream(lambda: self._submit.SubmitMany(iter(requests)))

    def checkpoint(self, known_size: int) -> CheckpointAnswer:
        request = CheckpointRequest(origin=self.bureau.origin, known_size=known_size)
        return self._call(lambda: self._ledger.GetCheckpoint(request, timeout=self.deadline_s))

    def watch_checkpoints(self, known_size: int) -> Iterator[CheckpointAnswer]:
        request = CheckpointRequest(origin=self.bureau.origin, known_size=known_size)
        return self._stream(lambda: self._ledger.WatchCheckpoints(request))

    def prove_consistency(self, old_size: int, new_size: int) -> Proof:
        request = ConsistencyRequest(origin=self.bureau.origin, old_size=old_size, new_size=new_size)
        return self._call(lambda: self._ledger.ProveConsistency(request, timeout=self.deadline_s))

    def prove_presence(self, index: int, size: int) -> PresenceAnswer:
        request = InclusionRequest(origin=self.bureau.origin, index=index, size=size)
        return self._call(lambda: self._ledger.ProvePresence(request, timeout=self.deadline_s))

    def read_entries(self, first: int, end: int, size: int) -> Iterator[Bundle]:
        request = ReadRequest(origin=self.bureau.origin, first=first, end=end, size=size)
        return self._in_time(lambda: self._ledger.ReadEntries(request))

    def find(self, request: FindRequest) -> Iterator[Bundle]:
        stream = self._stream if request.follow else self._in_time
        return stream(lambda: self._ledger.Find(request))

    def find_openings(self, field: str, value: bytes, first: int, end: int) -> Iterator[Openings]:
        request = OpeningsRequest(origin=self.bureau.origin, field=field, value=value, first=first, end=end)
        return self._in_time(lambda: self._ledger.FindOpenings(request))

    def _call(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except grpc.RpcError as error:
            raise from_rpc(error, self.at.id, self.at.endpoint) from None

    def _stream(self, start: Callable[[], Iterator[Answer]]) -> Iterator[Answer]:
        stream = start()
        try:
            yield from stream
        except grpc.RpcError as error:
            raise from_rpc(error, self.at.id, self.at.endpoint) from None
        finally:
            stream.cancel()  # type: ignore[attr-defined]

    def _in_time(self, start: Callable[[], Iterator[Answer]]) -> Iterator[Answer]:
        """A stream whose every answer comes within the deadline from when it is asked for, or never.

        Keepalive tells of a node that is gone, not of one that is there and says nothing.
        """
        stream = start()
        silent = Event()

        def give_up() -> None:
            silent.set()
            stream.cancel()  # type: ignore[attr-defined]

        try:
            while True:
                timer = Timer(self.deadline_s, give_up)
                timer.daemon = True
                timer.start()
                try:
                    answer = next(stream, None)
                finally:
                    timer.cancel()
                if answer is None:
                    return
                yield answer
        except grpc.RpcError as error:
            if silent.is_set():
                where = f"{self.at.id} at {self.at.endpoint}"
                raise Unreachable("no answer in time", where=where, expected="an answer before the deadline") from None
            raise from_rpc(error, self.at.id, self.at.endpoint) from None
        finally:
            stream.cancel()  # type: ignore[attr-defined]
