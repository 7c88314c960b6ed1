"""Getting batches to a ledger's node: a thread with one stream after another, until everything is answered.

A batch is signed and in the spool before it is sent, and leaves the spool when its receipt has been checked. When the
stream breaks, what has no receipt is sent again under the same ids: the ledger records each id once. A batch that is
refused fails alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from tallystick.core.errors import ProofFailed, StaleSubmission, StorageFailed, TallystickError, Unreachable
from tallystick.core.identifiers import uuid7_time_us
from tallystick.core.keys import SigningKey
from tallystick.core.statement import decode
from tallystick.core.submission import renewed, seal
from tallystick.sdk.batch import Batch, Outcome
from tallystick.sdk.clock import new_id, new_salt, now_us
from tallystick.sdk.outbox import Outbox
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.receipt import check_receipt
from tallystick.sdk.spool import Spool
from tallystick.sdk.wire_errors import from_detail
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import SubmitAnswer, SubmitRequest

_RETRY_S = 0.2
_STALE_US = 24 * 3600 * 1_000_000  # younger, and a clock is wrong: a new id would be refused as well


class Delivery:
    """Sends what an outbox holds, from `start` until it is closed and empty."""

    def __init__(
        self, reader: LedgerReader, actor: str, key: SigningKey, outbox: Outbox, spool: Spool, give_up_s: float
    ) -> None:
        self.reader = reader
        self.give_up_s = give_up_s
        self.heard = 0  # answers
        self._actor = actor
        self._key = key
        self._outbox = outbox
        self._spool = spool
        self._sealing = threading.Lock()  # a stream that broke may be at it still
        self._thread = threading.Thread(target=self._run, name="tallystick-recorder", daemon=True)

    def start(self) -> None:
        """Take up what an earlier program left, and begin. Raises ConfigInvalid where that does not read."""
        for left in self._spool.left_over():
            self._outbox.left_over(left)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end; the outbox was closed."""
        self._thread.join(timeout_s)

    @property
    def ended(self) -> bool:
        """Whether nothing will be sent any more."""
        return not self._thread.is_alive()

    def fail_all(self, error: BaseException) -> None:
        """Nothing more can be done for what is on its way; files stay in the spool for another try."""
        failed = self._outbox.waiting()
        self._keep_sealed()
        for batch in failed:
            self._settle(batch, error)

    def _run(self) -> None:
        unreachable_since: float | None = None
        while self._outbox.wait_for_work():
            try:
                for answer in self.reader.wire.submit_many(self._requests(self._outbox.stream)):
                    self._take(answer)
                    unreachable_since = None
                error: TallystickError | None = None
            except TallystickError as caught:
                error = caught
            except Exception as caught:  # a bug must not leave callers waiting for ever
                self._outbox.close()
                self.fail_all(caught)
                return
            unanswered = self._outbox.end_stream()
            if error is None and unanswered:
                error = Unreachable("it left submissions unanswered", where=self.reader.bureau.id)
            if error is None:
                continue
            if not isinstance(error, (Unreachable, StorageFailed)):
                self.fail_all(error)
                continue
            unreachable_since = unreachable_since or time.monotonic()
            if time.monotonic() - unreachable_since > self.give_up_s:
                self.fail_all(error)
                unreachable_since = None
            else:
                self._keep_sealed()
                time.sleep(_RETRY_S)

    def _keep_sealed(self) -> None:
        """Sign and spool what nobody asks for, so that it outlives this program although nothing can be sent."""
        for batch in self._outbox.sealed():
            try:
                self._signed(batch)
            except TallystickError as error:
                self._settle(batch, error)

    def _requests(self, stream: int) -> Iterator[SubmitRequest]:
        """What goes into one stream: sealed batches as they come. Runs in gRPC's thread."""
        known_size = self.reader.trusted.size
        while (batch := self._outbox.next(stream)) is not None:
            try:
                submission = self._signed(batch)
            except TallystickError as error:  # it could not be kept, so it must not be sent
                self._settle(batch, error)
                continue
            yield SubmitRequest(submission=submission, known_size=known_size)

    def _signed(self, batch: Batch) -> Submission:
        """A batch as it is sent, in the spool."""
        with self._sealing:
            if batch.submission is None:
                origin, disclosures = self.reader.bureau.origin, batch.disclosures
                submission = seal(origin, self._actor, self._key, batch.submission_id, batch.data, disclosures)
                self._spool.put(submission)
                batch.submission = submission
            return batch.submission

    def _take(self, answer: SubmitAnswer) -> None:
        self.heard += 1
        batch = self._outbox.oldest_sent()
        if batch is None:
            raise ProofFailed("its node answered what it was not sent", where=self.reader.bureau.id)
        if batch.submission is None:
            raise ProofFailed("its node answered before it was asked", where=self.reader.bureau.id)
        if answer.HasField("refusal"):
            refusal = from_detail(answer.refusal)
            if isinstance(refusal, (Unreachable, StorageFailed)):
                raise refusal  # not the batch's fault: it is sent again, with all behind it
            if isinstance(refusal, StaleSubmission) and now_us() - uuid7_time_us(batch.submission_id) > _STALE_US:
                self._sign_anew(batch)
                return
            self._spool.remove(batch.submission_id)
            self._settle(batch, refusal)
            return
        receipt = answer.receipt
        try:
            checkpoint = self.reader.advance(receipt.checkpoint, receipt.consistency)
            check_receipt(receipt, batch.submission, self.reader.bureau, checkpoint)
        except Unreachable:
            raise  # of a question beside the receipt
        except TallystickError as error:
            self._settle(batch, error)
            return
        self._settle(batch, (receipt, checkpoint))

    def _sign_anew(self, batch: Batch) -> None:
        """Send a batch that waited too long under a new id: the ledger does not hold it, or would have said so."""
        assert batch.submission is not None
        fresh = new_id()
        submission = renewed(batch.submission, self._key, fresh, new_salt)
        self._spool.put(submission)
        self._spool.remove(batch.submission_id)
        with self._outbox.lock:
            batch.submission_id, batch.submission, batch.data = fresh, submission, decode(submission.statements)
            self._outbox.send_again(batch)

    def _settle(self, batch: Batch, outcome: Outcome | BaseException) -> None:
        if not isinstance(outcome, BaseException):
            self._spool.remove(batch.submission_id)
        self._outbox.settle(batch, outcome)
