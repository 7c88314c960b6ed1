"""Getting batches to a ledger's node: a thread with one stream after another, until everything is answered.

A batch is signed and in the spool before it is sent; what becomes of it there once its receipt has been checked is
`settling`'s, which has its turn between two streams. When the stream breaks, what has no receipt is sent again under
the same ids: the ledger records each id once. A batch that is refused fails alone.

A submission that has waited for more than 7 days is refused as stale, and its statements are signed anew. That must not
bring them onto the ledger twice. A ledger that holds the old one says so, by its id, before it looks at the time; and
where a receipt once said where it stands, the entry that stands there now must be shown to be another, or none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from tallystick.core.errors import Forked, ProofFailed, StaleSubmission, StorageFailed, TallystickError, Unreachable
from tallystick.core.identifiers import uuid7_time_us
from tallystick.core.keys import Signer
from tallystick.core.statement import decode
from tallystick.core.submission import renewed, seal
from tallystick.sdk.batch import Batch
from tallystick.sdk.clock import new_id, new_salt, now_us
from tallystick.sdk.ledger_trust import Known
from tallystick.sdk.outbox import Outbox
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.receipt import check_receipt
from tallystick.sdk.settling import Settling, stands
from tallystick.sdk.spool import Spool
from tallystick.sdk.wire_errors import from_detail
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import SubmitAnswer, SubmitRequest

_RETRY_S = 0.2
_STALE_US = 24 * 3600 * 1_000_000  # younger, and a clock is wrong: a new id would be refused as well


class Delivery:
    """Sends what an outbox holds, from `start` until it is closed and empty."""

    def __init__(
        self,
        reader: LedgerReader,
        actor: str,
        key: Signer,
        outbox: Outbox,
        spool: Spool,
        settling: Settling,
        give_up_s: float,
    ) -> None:
        self.reader = reader
        self.give_up_s = give_up_s
        self.heard = 0  # answers
        self._abandoned = False
        self._known = reader.known()  # where the proof of the stream's next receipt starts
        self._actor = actor
        self._key = key
        self._outbox = outbox
        self._spool = spool
        self._settling = settling
        self._sealing = threading.Lock()  # a stream that broke may be at it still
        self._thread = threading.Thread(target=self._run, name="tallystick-recorder", daemon=True)

    def start(self) -> None:
        """Take up what an earlier program left, and begin. Raises ConfigInvalid where that does not read."""
        try:
            for left in self._spool.left_over() if self._spool.hold() else ():
                if self._settling.take_up(left):
                    again = Batch(left.submission_id, time.monotonic(), left.name, spooled=True, receipt=left.receipt)
                    self._outbox.left_over(again)
            self._outbox.wake_at = self._settling.due_at
        except TallystickError:
            self._spool.close()
            raise
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end, which comes once the outbox is closed; after `timeout_s` no more is begun."""
        self._thread.join(timeout_s)
        self._abandoned = self._thread.is_alive()
        self._spool.close()

    @property
    def ended(self) -> bool:
        """Whether nothing will be sent any more."""
        return not self._thread.is_alive()

    def fail_all(self, error: BaseException) -> None:
        """Nothing more can be done for what is on its way; files stay in the spool for another try."""
        failed = self._outbox.waiting()
        self._keep_sealed()
        for batch in failed:
            self._outbox.settle(batch, error)

    def _run(self) -> None:
        unreachable_since: float | None = None
        while self._outbox.wait_for_work():
            try:
                if time.monotonic() >= self._outbox.wake_at:
                    self._look()
                for answer in self._answers():
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
        if not self._abandoned:
            with suppress(Forked):  # said by `close`, as what is found against the ledger at any time
                self._look()

    def _look(self) -> None:
        """See what is witnessed by now."""
        before = self._settling.count
        try:
            self._settling.look()
        finally:
            self._outbox.wake_at = self._settling.due_at
            if self._settling.count < before:
                self._outbox.moved()

    def _answers(self) -> Iterator[SubmitAnswer]:
        """One stream, where there is something to send."""
        waiting = self._outbox.sealed()
        if not waiting:
            return
        self.reader.check_evidence()  # a receipt of a ledger that is two would promise nothing
        if any(batch.receipt is not None for batch in waiting):
            self.reader.refresh()  # what became of it is looked up in the ledger as it is now
        self._known = self.reader.known()
        yield from self.reader.wire.submit_many(self._requests(self._outbox.stream, self._known.size))

    def _keep_sealed(self) -> None:
        """Sign and spool what nobody asks for, so that it outlives this program although nothing can be sent."""
        for batch in self._outbox.sealed():
            if batch.spooled:
                continue
            try:
                self._signed(batch)
            except TallystickError as error:
                self._outbox.settle(batch, error)

    def _requests(self, stream: int, known_size: int) -> Iterator[SubmitRequest]:
        """What goes into one stream: sealed batches as they come. Runs in gRPC's thread."""
        while (batch := self._outbox.next(stream)) is not None:
            try:
                submission = self._signed(batch)
            except TallystickError as error:  # it could not be kept, so it must not be sent
                self._outbox.settle(batch, error)
                continue
            yield SubmitRequest(submission=submission, known_size=known_size)

    def _signed(self, batch: Batch) -> Submission:
        """A batch as it is sent, in the spool."""
        with self._sealing:
            if batch.submission is None and batch.spooled:
                batch.submission = self._spool.get(batch.name)
            elif batch.submission is None:
                origin, disclosures = self.reader.bureau.origin, batch.disclosures
                submission = seal(origin, self._actor, self._key, batch.submission_id, batch.data, disclosures)
                self._spool.put(batch.name, submission)
                batch.submission, batch.spooled = submission, True
            return batch.submission

    def _take(self, answer: SubmitAnswer) -> None:
        self.heard += 1
        batch = self._outbox.oldest_sent()
        if batch is None:
            raise ProofFailed("its node answered what it was not sent", where=self.reader.bureau.id)
        if batch.submission is None:
            raise ProofFailed("its node answered before it was asked", where=self.reader.bureau.id)
        try:
            if answer.HasField("refusal"):
                self._refused(batch, batch.submission, from_detail(answer.refusal))
                return
            receipt = answer.receipt
            checkpoint = self.reader.follow(self._known, receipt.checkpoint, receipt.consistency)
            self._known = Known(checkpoint.size, receipt.checkpoint)
            check_receipt(receipt, batch.submission, self.reader.bureau, checkpoint)
            self._settling.recorded(batch.name, batch.submission, receipt)
            self._outbox.wake_at = self._settling.due_at
        except (Unreachable, StorageFailed):
            raise  # not the batch's fault: it is sent again, with all behind it
        except TallystickError as error:
            self._outbox.settle(batch, error)
            return
        self._outbox.settle(batch, (receipt, checkpoint))

    def _refused(self, batch: Batch, submission: Submission, refusal: TallystickError) -> None:
        """Have a batch that waited too long signed anew, or raise the refusal."""
        if isinstance(refusal, (Unreachable, StorageFailed)):
            raise refusal
        stale = isinstance(refusal, StaleSubmission) and now_us() - uuid7_time_us(batch.submission_id) > _STALE_US
        if stale and (batch.receipt is None or not stands(self.reader, batch.receipt, submission)):
            self._sign_anew(batch, submission)
            return
        if batch.receipt is None:
            self._spool.remove(batch.name)
        else:  # it was promised once
            self._settling.refused(batch.name, batch.receipt)
        raise refusal

    def _sign_anew(self, batch: Batch, old: Submission) -> None:
        """Send a batch that waited too long under a new id."""
        fresh = new_id()
        submission = renewed(old, self._key, fresh, new_salt)
        self._spool.put(batch.name, submission)  # in place of the old one: a program that dies here leaves one of them
        with self._outbox.lock:
            batch.submission_id, batch.submission, batch.data = fresh, submission, decode(submission.statements)
            batch.receipt = None
            self._outbox.send_again(batch)
