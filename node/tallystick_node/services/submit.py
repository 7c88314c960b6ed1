"""Recording over the wire: one submission a call, or many over one stream."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import AsyncIterator
from typing import Any

from grpc.aio import ServicerContext

from tallystick.core.bureau import Bureau, no_ledger
from tallystick.core.errors import StorageFailed, TallystickError
from tallystick.core.merkle import prove_consistency, prove_inclusion
from tallystick.core.submission import prepare
from tallystick.sdk.wire_errors import to_detail
from tallystick_node.intake import Placed
from tallystick_node.sequencer import Sequencer
from tallystick_node.turns import refused
from tallystick_node.witness import Cosigned, Gathering
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import Receipt, SubmitAnswer, SubmitRequest
from tallystick_proto.v1.ledger_pb2_grpc import SubmitServicer

# How many submissions of one stream may be on their way, at first and at most, and how many bytes of them. Each receipt
# makes room for one more: who is always refused does not get far ahead.
STREAM_WINDOW_FIRST = 4
STREAM_WINDOW = 32
STREAM_BYTES_MAX = 12 * 1024 * 1024
WAIT_WITNESSED_MS_MAX = 60_000


class NoSubmitService(SubmitServicer):
    """Refuses to record: an observer has no ledger."""

    def __init__(self, observer: Bureau) -> None:
        self._observer = observer

    async def Submit(self, request: SubmitRequest, context: ServicerContext[Any, Any]) -> Receipt:
        raise no_ledger(self._observer)

    def SubmitMany(
        self, request_iterator: AsyncIterator[SubmitRequest], context: ServicerContext[Any, Any]
    ) -> AsyncIterator[SubmitAnswer]:
        raise no_ledger(self._observer)


class SubmitService(SubmitServicer):
    """Records on one ledger."""

    def __init__(self, sequencer: Sequencer, gathering: Gathering) -> None:
        self._sequencer = sequencer
        self._gathering = gathering

    async def Submit(self, request: SubmitRequest, context: ServicerContext[Any, Any]) -> Receipt:
        placed = await self._sequencer.record(prepare(request.submission, self._sequencer.ledger.origin))
        cosigned: Cosigned | None = None
        if request.wait_witnessed_ms:
            wait_s = min(request.wait_witnessed_ms, WAIT_WITNESSED_MS_MAX) / 1_000
            cosigned = await self._gathering.gather(placed.first + request.submission.signature.count, wait_s)
        return self._receipt(placed, request.submission, request.known_size, cosigned)

    async def SubmitMany(
        self, request_iterator: AsyncIterator[SubmitRequest], context: ServicerContext[Any, Any]
    ) -> AsyncIterator[SubmitAnswer]:
        pending: asyncio.Queue[tuple[SubmitRequest, Future[Placed]] | None] = asyncio.Queue()
        room = _Room()

        async def read() -> None:
            try:
                async for request in request_iterator:
                    await room.take(request.ByteSize())
                    await pending.put((request, await self._queue(request.submission)))
            except Exception:  # bytes that are no request
                await pending.put(None)
                raise
            await pending.put(None)

        reader = asyncio.create_task(read())
        known_size = None
        try:
            while (waiting := await pending.get()) is not None:
                request, recording = waiting
                if known_size is None:
                    known_size = request.known_size
                try:
                    placed = await asyncio.shield(recording)
                    receipt = self._receipt(placed, request.submission, known_size)
                except TallystickError as error:
                    refused(error)
                    yield SubmitAnswer(refusal=to_detail(error))
                    continue
                finally:
                    room.give_back(request.ByteSize())
                room.widen()
                known_size = placed.published.state.size
                yield SubmitAnswer(receipt=receipt)
            await reader
        finally:
            # The client may be gone in the middle: what is on its way is recorded all the same, and nobody is told.
            reader.cancel()
            while not pending.empty():
                left = pending.get_nowait()
                if left is not None:
                    left[1].add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _queue(self, submission: Submission) -> Future[Placed]:
        """What becomes of one of many, in their order."""
        try:
            return await self._sequencer.queue(prepare(submission, self._sequencer.ledger.origin))
        except TallystickError as error:
            refused: Future[Placed] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    def _receipt(
        self, placed: Placed, submission: Submission, known_size: int, cosigned: Cosigned | None = None
    ) -> Receipt:
        """The receipt under a cosigned checkpoint that covers the submission, else under the one signed for it."""
        ledger = self._sequencer.ledger
        signature = submission.signature
        size = placed.published.state.size if cosigned is None else cosigned.checkpoint.size
        receipt = Receipt(
            standing=Receipt.RECORDED if cosigned is None else Receipt.WITNESSED,
            submission_id=signature.submission_id,
            first=placed.first,
            count=signature.count,
            checkpoint=self._gathering.with_cosignatures(placed.published.note) if cosigned is None else cosigned.note,
            repeated_submission=placed.again,
        )
        try:
            read = ledger.reader()
            if 0 < known_size <= size:
                receipt.known_size = known_size
                receipt.consistency.extend(prove_consistency(known_size, size, read))
            if signature.count == 1:
                receipt.entry = ledger.entry(placed.first)
                receipt.inclusion.extend(prove_inclusion(placed.first, size, read))
        except StorageFailed as error:
            # The statement is durable and signed for; that its proof cannot be read now does not undo it.
            raise error.at(f"recorded at #{placed.first}, but its proof cannot be made") from None
        return receipt


class _Room:
    """How much of one stream may be on its way. What is longer than that comes alone."""

    def __init__(self) -> None:
        self._window = STREAM_WINDOW_FIRST
        self._count = 0
        self._bytes = 0
        self._more = asyncio.Event()

    async def take(self, size: int) -> None:
        while self._count and (self._count >= self._window or self._bytes + size > STREAM_BYTES_MAX):
            self._more.clear()
            await self._more.wait()
        self._count += 1
        self._bytes += size

    def give_back(self, size: int) -> None:
        self._count -= 1
        self._bytes -= size
        self._more.set()

    def widen(self) -> None:
        self._window = min(self._window + 1, STREAM_WINDOW)
