"""Recording over the wire: one submission a call, or many over one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from grpc.aio import ServicerContext

from tallystick.core.bureau import Bureau, no_ledger
from tallystick.core.errors import StorageFailed, TallystickError
from tallystick.core.merkle import prove_consistency, prove_inclusion
from tallystick.core.submission import prepare
from tallystick.sdk.wire_errors import to_detail
from tallystick_node.sequencer import Placed, Sequencer
from tallystick_node.witness import Cosigned, Gathering
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import Receipt, SubmitAnswer, SubmitRequest
from tallystick_proto.v1.ledger_pb2_grpc import SubmitServicer

# How many submissions of one stream may be on their way; the next is read when the oldest is answered.
STREAM_WINDOW = 32
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
        placed = await self._record(request.submission)
        cosigned: Cosigned | None = None
        if request.wait_witnessed_ms:
            wait_s = min(request.wait_witnessed_ms, WAIT_WITNESSED_MS_MAX) / 1_000
            cosigned = await self._gathering.gather(placed.first + request.submission.signature.count, wait_s)
        return self._receipt(placed, request.submission, request.known_size, cosigned)

    async def SubmitMany(
        self, request_iterator: AsyncIterator[SubmitRequest], context: ServicerContext[Any, Any]
    ) -> AsyncIterator[SubmitAnswer]:
        pending: asyncio.Queue[tuple[SubmitRequest, asyncio.Task[Placed]] | None] = asyncio.Queue(STREAM_WINDOW)

        async def read() -> None:
            try:
                async for request in request_iterator:
                    await pending.put((request, asyncio.create_task(self._record(request.submission))))
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
                    placed = await recording
                    receipt = self._receipt(placed, request.submission, known_size)
                except TallystickError as error:
                    yield SubmitAnswer(refusal=to_detail(error))
                    continue
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

    async def _record(self, submission: Submission) -> Placed:
        return await self._sequencer.record(prepare(submission, self._sequencer.ledger.origin))

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
                receipt.entry = placed.entry or ledger.entry(placed.first)
                receipt.inclusion.extend(prove_inclusion(placed.first, size, read))
        except StorageFailed as error:
            # The statement is durable and signed for; that its proof cannot be read now does not undo it.
            raise error.at(f"recorded at #{placed.first}, but its proof cannot be made") from None
        return receipt
