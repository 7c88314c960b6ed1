"""The calls to another bureau's node, on the event loop: what `sdk/wire` is to programs. Nothing here is believed.

Every failure becomes a domain error that names the node; an answer that was asked for comes in time or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from grpc.aio import EOF

from tallystick.core.charter import Bureau
from tallystick.core.errors import ConfigInvalid, TallystickError, Unreachable
from tallystick.core.kinds import TERM_FIELDS
from tallystick.sdk.credentials import Credentials, shown_to
from tallystick.sdk.dialling import CHANNEL_OPTIONS, DEADLINE_S, failed, security
from tallystick_proto.v1.gossip_pb2 import CharterNote, CharterRequest, SwapAnswer, SwapRequest, TellRequest
from tallystick_proto.v1.gossip_pb2_grpc import GossipStub
from tallystick_proto.v1.ledger_pb2 import Bundle, ConsistencyRequest, FindRequest, Proof, ReadRequest, Term
from tallystick_proto.v1.ledger_pb2_grpc import LedgerStub
from tallystick_proto.v1.witness_pb2 import Cosigned, HeldAnswer, HeldRequest, ToCosign
from tallystick_proto.v1.witness_pb2_grpc import WitnessStub

Answer = TypeVar("Answer")


class Peer:
    """A connection to a bureau's node, which is shown the credentials as they are when it is opened. Use as a context,
    within a running event loop; entering raises what keeps that node from being spoken to.
    """

    def __init__(self, bureau: Bureau, deadline_s: float = DEADLINE_S, credentials: Credentials | None = None) -> None:
        self.bureau = bureau
        self._deadline_s = deadline_s
        self._credentials = credentials

    async def __aenter__(self) -> Self:
        self._channel = self._connect()
        self._ledger: Any = LedgerStub(self._channel)
        self._witness: Any = WitnessStub(self._channel)
        self._gossip: Any = GossipStub(self._channel)
        return self

    def _connect(self) -> grpc.aio.Channel:
        """The channel that the calls go over, which is all that a simulated network has to replace."""
        self._shown = shown = shown_to(self.bureau, self._credentials)
        if shown is None:
            return grpc.aio.insecure_channel(self.bureau.endpoint, options=CHANNEL_OPTIONS)
        return grpc.aio.secure_channel(self.bureau.endpoint, security(self.bureau, shown), options=CHANNEL_OPTIONS)

    @property
    def outdated(self) -> bool:
        """Whether the certificate was renewed since this was opened: a channel goes on with what it was opened with."""
        if self._credentials is None:
            return False  # there is nothing to renew
        with suppress(ConfigInvalid):
            return shown_to(self.bureau, self._credentials) != self._shown
        return False

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()

    async def read_entries(self, origin: str, first: int, end: int, size: int) -> AsyncIterator[Bundle]:
        """Entries [first, end) of a ledger in bundles for its tree of `size`, not verified."""
        request = ReadRequest(origin=origin, first=first, end=end, size=size)
        call = self._ledger.ReadEntries(request)
        try:
            while (bundle := await self._in_time(call.read())) is not EOF:
                yield bundle
        finally:
            call.cancel()

    async def find_newest(self, origin: str, addressee: str, first: int, size: int) -> Bundle | None:
        """The newest entry from `first` on in a ledger's tree of `size` that is addressed to a bureau, not verified."""
        term = Term(field=TERM_FIELDS["counterparty"], value=addressee.encode())
        request = FindRequest(origin=origin, term=[term], first=first, size=size, newest_first=True, limit=1)
        call = self._ledger.Find(request)
        try:
            bundle = await self._in_time(call.read())
        finally:
            call.cancel()
        return None if bundle is EOF else bundle

    async def prove_consistency(self, origin: str, old: int, new: int) -> Sequence[bytes]:
        """The hashes that a ledger's tree of `new` extends that of `old`, not verified."""
        request = ConsistencyRequest(origin=origin, old_size=old, new_size=new)
        proof: Proof = await self._in_time(self._ledger.ProveConsistency(request))
        return proof.hashes

    async def swap(self, request: SwapRequest) -> SwapAnswer:
        """What the node holds of every ledger, against what is held here."""
        return await self._in_time(self._gossip.Swap(request))

    async def tell(self, request: TellRequest) -> None:
        """What is news to the node."""
        await self._in_time(self._gossip.Tell(request))

    async def charter(self, digest: bytes) -> bytes:
        """The note of a version of the charter that the node said it holds, not verified."""
        answer: CharterNote = await self._in_time(self._gossip.GetCharter(CharterRequest(digest=digest)))
        return answer.note

    def cosign(self) -> Cosign:
        """The witness's side of a stream with the ledger's node."""
        return Cosign(self, self._witness.Cosign())

    async def held(self, origin: str) -> HeldAnswer:
        """What the node holds of a ledger, not verified. Raises Unreachable, or what the node says."""
        return await self._in_time(self._witness.GetHeld(HeldRequest(origin=origin)))

    def _failed(self, error: grpc.RpcError) -> TallystickError:
        return failed(error, self.bureau, self._credentials)

    async def _in_time(self, answer: Awaitable[Answer]) -> Answer:
        where = f"{self.bureau.id} at {self.bureau.endpoint}"
        try:
            # Not `wait_for`, which loses a cancellation that comes together with the answer.
            async with asyncio.timeout(self._deadline_s):
                return await answer
        except TimeoutError:
            raise Unreachable("no answer in time", where=where, expected="an answer before the deadline") from None
        except grpc.RpcError as error:
            raise self._failed(error) from None
        except asyncio.InvalidStateError:
            raise Unreachable("the stream has ended", where=where, expected="one that goes on") from None


Reach = Callable[[Bureau], Peer]
"""How a bureau's node is reached; a simulated network stands in for it."""


class Cosign:
    """A stream on which a witness says what it cosigned, and is shown what to cosign next."""

    def __init__(self, peer: Peer, call: Any) -> None:
        self._peer = peer
        self._call = call

    async def say(self, cosigned: Cosigned) -> None:
        """Raises Unreachable, or what the node says."""
        await self._peer._in_time(self._call.write(cosigned))

    async def next(self) -> ToCosign:
        """What to cosign next, however long that takes. Raises Unreachable, or what the node says."""
        try:
            answer = await self._call.read()
        except grpc.RpcError as error:
            raise self._peer._failed(error) from None
        if answer is EOF:
            where = f"{self._peer.bureau.id} at {self._peer.bureau.endpoint}"
            raise Unreachable("the stream has ended", where=where, expected="one that goes on")
        return answer  # type: ignore[no-any-return]

    def cancel(self) -> None:
        with suppress(asyncio.InvalidStateError):
            self._call.cancel()
