"""Gossip over the wire: what is held here of every ledger, and what others bring."""

from __future__ import annotations

from typing import Any

from grpc.aio import ServicerContext

from tallystick_node.gossip import Gossip
from tallystick_proto.v1.gossip_pb2 import (
    CharterNote,
    CharterRequest,
    SwapAnswer,
    SwapRequest,
    TellAnswer,
    TellRequest,
)
from tallystick_proto.v1.gossip_pb2_grpc import GossipServicer


class GossipService(GossipServicer):
    """Swaps with whoever asks, a bureau's node or an auditor's client."""

    def __init__(self, gossip: Gossip) -> None:
        self._gossip = gossip

    async def Swap(self, request: SwapRequest, context: ServicerContext[Any, Any]) -> SwapAnswer:
        await self._gossip.heard.take_copies()  # what this node cosigned a moment ago is told too
        return self._gossip.answer(request)

    async def Tell(self, request: TellRequest, context: ServicerContext[Any, Any]) -> TellAnswer:
        await self._gossip.heard.take(request.note, request.evidence, "a caller")
        await self._gossip.charters.take(request.charter)
        return TellAnswer()

    async def GetCharter(self, request: CharterRequest, context: ServicerContext[Any, Any]) -> CharterNote:
        return CharterNote(note=self._gossip.charters.note(request.digest))
