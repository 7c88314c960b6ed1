"""Many statements to one ledger: batched, signed, sent over one stream, and each with a receipt of its own.

A statement is checked, composed and placed where `record` is called, so that a bad one fails there and spoils no
other. It joins the open batch; a batch is sealed when it is full or has lingered, and stays in the spool (memory, and
files if a folder is given) until its receipt has been checked. While too many batches are on their way, recording
waits.

When the stream breaks, what has no receipt is sent again under the same ids: the ledger records each id once. A batch
that is refused fails alone.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tallystick.core.compose import place
from tallystick.core.composer import Composer
from tallystick.core.errors import (
    Overloaded,
    ProofFailed,
    StaleSubmission,
    StorageFailed,
    TallystickError,
    Unreachable,
)
from tallystick.core.identifiers import uuid7_time_us
from tallystick.core.keys import SigningKey
from tallystick.core.limits import STATEMENT_BYTES_MAX, SUBMISSION_BYTES_MAX, SUBMISSION_STATEMENTS_MAX
from tallystick.core.statement import check_size, decode
from tallystick.core.submission import renewed, seal
from tallystick.sdk.batch import Batch, Outcome, Pending
from tallystick.sdk.clock import new_id, new_salt, now_us
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.receipt import check_receipt
from tallystick.sdk.spool import Spool
from tallystick.sdk.verbs import Verbs
from tallystick.sdk.wire_errors import from_detail
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import SubmitAnswer, SubmitRequest

__all__ = ["Pending", "Recorder"]

_RETRY_S = 0.2
_STALE_US = 24 * 3600 * 1_000_000  # younger, and a clock is wrong: a new id would be refused as well
_UNANSWERED_BEFORE_GROWING = 2
_FRAME_BYTES_MAX = 4  # around a statement among others: a tag and its length
_BATCH_BYTES_MAX = SUBMISSION_BYTES_MAX - STATEMENT_BYTES_MAX - _FRAME_BYTES_MAX


class Recorder(Verbs[Pending]):
    """Records from any number of threads. Leave its `with` block, or `close` it, to have everything sent and
    answered.
    """

    def __init__(
        self,
        reader: LedgerReader,
        actor: str,
        key: SigningKey,
        *,
        linger_ms: float = 5.0,
        batch_max: int = SUBMISSION_STATEMENTS_MAX,
        in_flight_max: int = 16,
        give_up_s: float = 60.0,
        spool: Path | None = None,
    ) -> None:
        """`reader` is closed with it. An unreachable node is tried for `give_up_s`, a silent one a deadline longer."""
        self.reader = reader
        self._actor = actor
        self._key = key
        self._linger_s = linger_ms / 1_000
        self._batch_max = max(1, min(batch_max, SUBMISSION_STATEMENTS_MAX))
        self._in_flight_max = in_flight_max
        self._give_up_s = give_up_s
        self._spool = Spool(spool, reader.bureau.origin)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._sealing = threading.Lock()  # a stream that broke may be at it still
        self._open: Batch | None = None
        self._composer = Composer(actor)
        self._sealed: deque[Batch] = deque()  # not sent on the present stream
        self._sent: deque[Batch] = deque()  # sent, in this order, and not answered
        self._heard = 0  # answers
        self._closing = False
        self._stream = 0  # a stream that broke may still ask for requests; it must not get any
        for left in self._spool.left_over():
            self._sealed.append(Batch(left.signature.submission_id, time.monotonic(), submission=left))
        self._thread = threading.Thread(target=self._run, name="tallystick-recorder", daemon=True)
        self._thread.start()

    def record(self, kind: str, **values: object) -> Pending:
        """Record a statement of a kind, named as in `DataUsed` or by its verb; waits while too much is on its way.

        Raises InvalidStatement where it does not fit its kind, at once; nothing is then recorded.
        """
        return self._say(kind, values)

    def _say(self, kind: str, values: dict[str, object]) -> Pending:
        draft = self._composer.compose(kind, values)
        with self._lock:
            batch = self._room()
            position = len(batch.data)
            origin = self.reader.bureau.origin
            disclosures = place(draft, origin, batch.submission_id, position, new_salt) if draft.sensitive else []
            data = draft.encode()
            check_size(data)
            batch.data.append(data)
            batch.disclosures.extend(disclosures)
            batch.size_bytes += len(data) + _FRAME_BYTES_MAX
            if position + 1 >= self._batch_max or batch.size_bytes > _BATCH_BYTES_MAX:
                self._seal()
            elif position == 0:
                self._changed.notify_all()
            return Pending(self.reader.bureau, batch, position)

    def flush(self, timeout_s: float | None = None) -> None:
        """Send everything and wait for every receipt, without `timeout_s` as long as the node answers anything.

        Raises the first error a batch met, Unreachable where the node falls silent, or TimeoutError.
        """
        with self._lock:
            self._seal()
            waiting = [*self._sent, *self._sealed]
        failures = [self._failure(batch) if timeout_s is None else batch.done.exception(timeout_s) for batch in waiting]
        for failure in failures:
            if failure is not None:
                raise failure

    def close(self) -> None:
        """Flush, end the stream, and let the thread end. A batch that failed raises here."""
        try:
            self.flush()
        finally:
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        with suppress(TallystickError):  # the block's own error is the one to be seen
            self.close()

    def _failure(self, batch: Batch) -> BaseException | None:
        """Why a batch failed, if it did. Once nothing is heard for so long, all that is on its way has."""
        patience_s = self._give_up_s + self.reader.wire.deadline_s
        while True:
            heard = self._heard
            with suppress(TimeoutError):
                return batch.done.exception(patience_s)
            if heard == self._heard:
                silence = f"it has answered nothing for {patience_s:.0f} seconds"
                self._fail_all(Unreachable(silence, where=self.reader.bureau.id, expected="an answer, or a refusal"))

    # Under the lock.

    def _room(self) -> Batch:
        while not self._closing and self._open is None and len(self._sealed) + len(self._sent) >= self._in_flight_max:
            if not self._changed.wait(timeout=self._give_up_s * 2):
                raise Overloaded(
                    "the spool is full and nothing moves", where=self.reader.bureau.id, expected="a node that answers"
                )
        if self._closing:
            raise RuntimeError("the recorder is closed")
        if self._open is None:
            self._open = Batch(new_id(), time.monotonic())
        return self._open

    def _seal(self) -> None:
        if self._open is not None and self._open.data:
            self._sealed.append(self._open)
            self._open = None
            self._changed.notify_all()

    # The thread: one stream after another, until everything is answered.

    def _stop(self) -> None:
        with self._lock:
            self._seal()  # what another thread recorded since the flush
            self._closing = True
            self._changed.notify_all()
        self._thread.join(self.reader.wire.deadline_s)  # a node may answer all and not end the stream
        self.reader.close()

    def _run(self) -> None:
        unreachable_since: float | None = None
        while self._wait_for_work():
            try:
                for answer in self.reader.wire.submit_many(self._requests(self._stream)):
                    self._take(answer)
                    unreachable_since = None
                error: TallystickError | None = None
            except TallystickError as caught:
                error = caught
            except Exception as caught:  # a bug must not leave callers waiting for ever
                with self._lock:
                    self._closing = True
                self._fail_all(caught)
                return
            with self._lock:
                if error is None and self._sent:
                    error = Unreachable("it left submissions unanswered", where=self.reader.bureau.id)
                self._stream += 1
                self._sealed.extendleft(reversed(self._sent))
                self._sent.clear()
                self._changed.notify_all()
            if error is None:
                continue
            if not isinstance(error, (Unreachable, StorageFailed)):
                self._fail_all(error)
                continue
            unreachable_since = unreachable_since or time.monotonic()
            if time.monotonic() - unreachable_since > self._give_up_s:
                self._fail_all(error)
                unreachable_since = None
            else:
                self._keep_sealed()
                time.sleep(_RETRY_S)

    def _keep_sealed(self) -> None:
        """Sign and spool what nobody asks for, so that it outlives this program although nothing can be sent."""
        with self._lock:
            sealed = [*self._sealed]
        for batch in sealed:
            try:
                self._signed(batch)
            except TallystickError as error:
                self._settle(batch, error)

    def _wait_for_work(self) -> bool:
        with self._lock:
            while not self._sealed:
                if self._closing:
                    return False
                self._linger()
            return True

    def _linger(self) -> None:
        """Wait for a full batch, or seal the open one when its time has come.

        While others are on their way it may grow instead: a small batch costs the node as much as a large one.
        """
        if self._open is not None and self._open.data and len(self._sent) < _UNANSWERED_BEFORE_GROWING:
            left = self._open.opened_at + self._linger_s - time.monotonic()
            if left <= 0:
                self._seal()
            else:
                self._changed.wait(left)
        else:
            self._changed.wait()

    def _requests(self, stream: int) -> Iterator[SubmitRequest]:
        """What goes into one stream: sealed batches as they come. Runs in gRPC's thread."""
        known_size = self.reader.trusted.size
        while True:
            with self._lock:
                while stream == self._stream and not self._sealed and not self._closing:
                    self._linger()
                if stream != self._stream or not self._sealed:
                    return
                batch = self._sealed.popleft()
                self._sent.append(batch)
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
        with self._lock:
            self._heard += 1
            if not self._sent:
                raise ProofFailed("its node answered what it was not sent", where=self.reader.bureau.id)
            batch = self._sent[0]
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
        with self._lock:
            self._sent.remove(batch)
            batch.submission_id, batch.submission, batch.data = fresh, submission, decode(submission.statements)
            self._sealed.appendleft(batch)
            self._changed.notify_all()

    def _settle(self, batch: Batch, outcome: Outcome | BaseException) -> None:
        if not isinstance(outcome, BaseException):
            self._spool.remove(batch.submission_id)
        with self._lock:
            batch.settle(outcome)
            for queue in (self._sent, self._sealed):
                if batch in queue:
                    queue.remove(batch)
            self._changed.notify_all()

    def _fail_all(self, error: BaseException) -> None:
        """Nothing more can be done for what is on its way; files stay in the spool for another try."""
        with self._lock:
            self._seal()
            failed = [*self._sent, *self._sealed]
        self._keep_sealed()
        for batch in failed:
            self._settle(batch, error)
