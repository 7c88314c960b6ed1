"""A node in this process, on a loopback port: honest, until a test bends its answers.

It is the real `Engine` and its services on a real gRPC server, over a `Home`. `lies` maps a call's name to a function
that gets each honest answer and changes what it likes in place, or returns what is sent instead: one answer, or for a
stream a list; `()` ends the stream there, and `SILENCE` says nothing more without ending it. One answer may be bent by
a coroutine, and comes when that is done.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from inspect import isawaitable
from typing import Any

import grpc
import msgspec

from tallystick.core.charter import Bureau, Charter
from tallystick.core.limits import SUBMISSION_BYTES_MAX
from tallystick.sdk.heard_versions import HeardVersions
from tallystick_node.access import Access
from tallystick_node.callers import Callers
from tallystick_node.engine import Engine, Who
from tallystick_node.peers import Peer, Reach
from tallystick_node.sequencer import Sequencer
from tallystick_node.services.errors import DomainErrors
from tallystick_node.services.gate import Gate
from tallystick_node.witness import Gathering
from tallystick_proto.v1.gossip_pb2_grpc import add_GossipServicer_to_server
from tallystick_proto.v1.ledger_pb2_grpc import add_LedgerServicer_to_server, add_SubmitServicer_to_server
from tallystick_proto.v1.witness_pb2_grpc import add_WitnessServicer_to_server
from tests.harness import loop
from tests.harness.home import Home

Lie = Callable[[Any], Any]
SILENCE = object()
_UNARY = (
    "Submit",
    "GetCheckpoint",
    "ProveConsistency",
    "ProveInclusion",
    "ProvePresence",
    "Disclose",
    "GetCosigned",
    "GetHeld",
    "Swap",
    "Tell",
    "GetCharter",
)
# No round of gossip begins by itself: a test says when.
_NEVER_S = 1e9
_STREAMS = ("Cosign", "SubmitMany", "WatchCheckpoints", "ReadEntries", "Find", "FindOpenings")


class LyingNode:
    """The node of a home. Use as a context; `lies` may change at any time.

    With `reach` it follows the ledgers that its office's charter lets it witness, and reaches their nodes by it. With
    `callers` it lets in by the table of access whom they tell; otherwise everybody.
    """

    def __init__(
        self,
        home: Home,
        *,
        linger_s: float = 0.0,
        port: int = 0,
        reach: Reach | None = None,
        callers: Callers | None = None,
    ) -> None:
        self.home = home
        self.lies: dict[str, Lie] = {}
        self.calls: list[str] = []
        self.port = port
        self._linger_s = linger_s
        self._reach = reach
        self._callers = callers
        self.engine: Engine
        self.sequencer: Sequencer
        self.gathering: Gathering

    @property
    def bureau(self) -> Bureau:
        """The bureau as a charter would have it, with this node's endpoint."""
        return msgspec.structs.replace(self.home.office.bureau, endpoint=f"127.0.0.1:{self.port}")

    def __enter__(self) -> LyingNode:
        loop.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start again on what the home's disk holds."""
        loop.run(self._start())

    def stop(self, grace_s: float = 5.0) -> None:
        """Stop as a node stops; once is enough."""
        loop.run(self._stop(grace_s))

    async def _start(self) -> None:
        office, home = self.home.office, self.home
        self.sequencer = home.open(linger_s=self._linger_s)
        who = Who(
            HeardVersions(office.versions(), home.folder),
            office.bureau,
            office.keys["witness"],
            lambda: home.now_us,
            self._reach or Peer,
            random.Random(),
            office.keys["node"],
        )
        self.engine = Engine(who, self.sequencer, gossip_s=_NEVER_S)
        self.gathering = self.engine.gathering
        await self.engine.start()
        if self.engine.asking.needed:  # whatever its witnesses hold
            await self.engine.write()
        most = 3 * SUBMISSION_BYTES_MAX
        self._server = grpc.aio.server(
            interceptors=[*self._gate(who.charter), DomainErrors()],
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", most),
                ("grpc.max_send_message_length", most),
            ],
        )
        add_SubmitServicer_to_server(self._bent(self.engine.submit), self._server)
        add_LedgerServicer_to_server(self._bent(self.engine.ledger), self._server)
        add_WitnessServicer_to_server(self._bent(self.engine.witness), self._server)
        add_GossipServicer_to_server(self._bent(self.engine.swaps), self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        if self._reach is not None:
            self.engine.follow()
        self._running = True

    async def _stop(self, grace_s: float) -> None:
        if not self._running:
            return
        self._running = False
        await self.engine.unfollow()
        self.engine.refuse_more()
        await self._server.stop(grace_s)
        await self.engine.stop()
        self.sequencer.ledger.store.close()
        self.home.signed.close()

    def _gate(self, charter: Charter) -> list[Gate]:
        if self._callers is None:
            return []
        return [Gate(self._callers, Access(charter, self.home.office.bureau, lambda: self.sequencer.actors))]

    def _bent(self, service: Any) -> Any:
        for name in (*_UNARY, *_STREAMS):
            honest = getattr(type(service), name, None)
            if honest is not None and name in type(service).__dict__:
                make = self._unary if name in _UNARY else self._stream
                setattr(service, name, make(name, getattr(service, name)))
        return service

    def _unary(self, name: str, honest: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        async def call(request: Any, context: Any) -> Any:
            self.calls.append(name)
            answer = await honest(request, context)
            lie = self.lies.get(name)
            bent = lie(answer) if lie is not None else None
            if isawaitable(bent):
                bent = await bent
            return answer if bent is None else bent

        return call

    def _stream(self, name: str, honest: Callable[[Any, Any], Any]) -> Callable[[Any, Any], AsyncIterator[Any]]:
        async def call(request: Any, context: Any) -> AsyncIterator[Any]:
            self.calls.append(name)
            async for answer in honest(request, context):
                lie = self.lies.get(name)
                if lie is not None:
                    answer = type(answer).FromString(answer.SerializeToString())  # what is told once is told to one
                bent = lie(answer) if lie is not None else None
                if bent == ():
                    return
                if bent is SILENCE:
                    await asyncio.Event().wait()
                for each in [answer] if bent is None else bent:
                    yield each

        return call
