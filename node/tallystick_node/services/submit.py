"""Recording over the wire: one submission a call, or many over one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from grpc.aio import ServicerContext

from tallystick.core.errors import StorageFailed, TallystickError
from tallystick.core.merkle import prove_consistency, prove_inclusion
from tallystick.core.submission import prepare
from tallystick.sdk.wire_errors import to_detail
from tallystick_node.sequencer import Placed, Sequencer
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import Receipt, SubmitAnswer, SubmitRequest
from tallystick_proto.v1.ledger_pb2_grpc import SubmitServicer

# How many submissions of one stream may be on their way; the next is read when the oldest is answered.
STREAM_WINDOW = 32


class SubmitService(SubmitServicer):
    """Records on one ledger."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer

    async def Submit(self, request: SubmitRequest, context: ServicerContext[Any, Any]) -> Receipt:
        return self._receipt(await self._record(request.submission), request.submission, request.known_size)

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

    def _receipt(self, placed: Placed, submission: Submission, known_size: int) -> Receipt:
        ledger = self._sequencer.ledger
        state = placed.published.state
        signature = submission.signature
        receipt = Receipt(
            standing=placed.published.gathered.standing,
            submission_id=signature.submission_id,
            first=placed.first,
            count=signature.count,
            checkpoint=placed.published.note,
            repeated_submission=placed.again,
        )
        try:
            read = ledger.reader(state)
            if 0 < known_size <= state.size:
                receipt.known_size = known_size
                receipt.consistency.extend(prove_consistency(known_size, state.size, read))
            if signature.count == 1:
                receipt.entry = placed.entry or ledger.entry(placed.first)
                receipt.inclusion.extend(prove_inclusion(placed.first, state.size, read))
        except StorageFailed as error:
            # The statement is durable and signed for; that its proof cannot be read now does not undo it.
            raise error.at(f"recorded at #{placed.first}, but its proof cannot be made") from None
        return receipt
