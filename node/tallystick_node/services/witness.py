"""Witnessing over the wire: what witnesses are shown, what they answer, and what has come of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from grpc.aio import ServicerContext

from tallystick.core.bureau import Bureau, no_ledger
from tallystick.core.errors import BehindSigned, NotAllowed, NotFound, Stopping, VerificationFailed
from tallystick.sdk.wire_errors import to_detail
from tallystick_node import callers
from tallystick_node.access import speaks_for
from tallystick_node.heard import Heard
from tallystick_node.shelf import Shelf
from tallystick_node.signing import Published
from tallystick_node.witness import Gathering
from tallystick_proto.v1.witness_pb2 import (
    Cosigned,
    CosignedAnswer,
    CosignedRequest,
    HeldAnswer,
    HeldRequest,
    ToCosign,
)
from tallystick_proto.v1.witness_pb2_grpc import WitnessServicer


class WitnessService(WitnessServicer):
    """Gathers cosignatures for a bureau's ledger, which an observer has not, and says what is held of others."""

    def __init__(self, bureau: Bureau, gathering: Gathering | None, shelf: Shelf, heard: Heard) -> None:
        self._bureau = bureau
        self._origin = bureau.origin
        self._own = gathering
        self._shelf = shelf
        self._heard = heard

    @property
    def _gathering(self) -> Gathering:
        """Raises NotFound at an observer's node."""
        if self._own is None:
            raise no_ledger(self._bureau)
        return self._own

    async def Cosign(
        self, request_iterator: AsyncIterator[Cosigned], context: ServicerContext[Any, Any]
    ) -> AsyncIterator[ToCosign]:
        gathering = self._gathering
        first = await self._next(request_iterator)
        if first is None:
            return
        self._check_origin(first.origin)
        caller = callers.current.get()
        if not speaks_for(caller, first.witness):
            raise NotAllowed(f"{first.witness[:80]!r} is not who calls", where="witness", expected=caller.party)
        gathering.check_witness(first.witness)
        if first.note:
            # Where the witness holds another history, it is shown this one all the same: it is for it to judge.
            with suppress(VerificationFailed, BehindSigned):
                gathering.take(first.witness, first.note)
        shown: Published | None = None
        while True:
            before, shown = shown, await gathering.next_shown(first.witness, shown)
            yours = gathering.cosigned_by(first.witness) if before is None else b""
            yield ToCosign(checkpoint=shown.note, yours=yours)
            said = await self._next(request_iterator)
            if said is None:
                return
            gathering.take(first.witness, said.note)

    async def GetHeld(self, request: HeldRequest, context: ServicerContext[Any, Any]) -> HeldAnswer:
        notes = self._shelf.held(request.origin)
        told = (*self._heard.known(request.origin), *self._heard.past(request.origin))
        notes += [note for note in told if note not in notes]
        return HeldAnswer(note=notes, none=not notes)

    async def GetCosigned(self, request: CosignedRequest, context: ServicerContext[Any, Any]) -> CosignedAnswer:
        gathering = self._gathering
        self._check_origin(request.origin)
        witnessed, why = gathering.witnessed, gathering.not_recording
        return CosignedAnswer(
            witnessed=b"" if witnessed is None else witnessed.note,
            newest=gathering.newest,
            not_recording=None if why is None else to_detail(why),
        )

    async def _next(self, requests: AsyncIterator[Cosigned]) -> Cosigned | None:
        """What the witness says next; None when it says no more. Raises Stopping when the node does."""
        heard: asyncio.Task[Cosigned | None] = asyncio.ensure_future(_heard(requests))
        ended = asyncio.ensure_future(self._gathering.ended.wait())
        try:
            await asyncio.wait({heard, ended}, return_when=asyncio.FIRST_COMPLETED)
            if heard.done():
                return heard.result()
            raise Stopping("the node is shutting down", where=self._origin)
        finally:
            heard.cancel()
            ended.cancel()

    def _check_origin(self, origin: str) -> None:
        if origin != self._origin:
            raise NotFound(f"no ledger {origin[:255]!r} here", where="origin", expected=self._origin)


async def _heard(requests: AsyncIterator[Cosigned]) -> Cosigned | None:
    return await anext(requests, None)
