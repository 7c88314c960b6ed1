"""What is on its way to one ledger: the open batch, those that are sealed, and those that were sent and not answered.

Whoever records and the thread that sends share it under one lock. A batch is sealed when it is full or has lingered.
While too many are on their way, or the spool is full, recording waits.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from tallystick.core.errors import Overloaded
from tallystick.core.limits import STATEMENT_BYTES_MAX, SUBMISSION_BYTES_MAX, SUBMISSION_STATEMENTS_MAX
from tallystick.sdk.batch import Batch, Outcome
from tallystick.sdk.clock import new_id
from tallystick_proto.v1.entry_pb2 import Disclosure

_UNANSWERED_BEFORE_GROWING = 2
_FRAME_BYTES_MAX = 4  # around a statement among others: a tag and its length
_BATCH_BYTES_MAX = SUBMISSION_BYTES_MAX - STATEMENT_BYTES_MAX - _FRAME_BYTES_MAX


class Outbox:
    """Batches by how far they have come. `lock` may be held around several calls."""

    def __init__(
        self,
        bureau: str,
        full: Callable[[], str],
        *,
        linger_s: float,
        batch_max: int,
        in_flight_max: int,
        wait_s: float,
    ) -> None:
        """`full` says why the spool takes nothing more, or nothing; recording waits `wait_s` while nothing moves."""
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self.wake_at = math.inf
        """When the thread that sends has something else to do, by the monotonic clock."""
        self._bureau = bureau
        self._full = full
        self._linger_s = linger_s
        self._batch_max = max(1, min(batch_max, SUBMISSION_STATEMENTS_MAX))
        self._in_flight_max = in_flight_max
        self._wait_s = wait_s
        self._open: Batch | None = None
        self._sealed: deque[Batch] = deque()  # not sent on the present stream
        self._sent: deque[Batch] = deque()  # sent, in this order, and not answered
        self._closing = False
        self._moves = 0  # how often there was more room than before
        self._stream = 0  # a stream that broke may still ask for batches; it must not get any

    # Recording.

    def room(self) -> Batch:
        """The batch that is open; waits while too many are on their way. Raises Overloaded where nothing moves."""
        with self.lock:
            moves, give_up_at = self._moves, time.monotonic() + self._wait_s
            while not self._closing and self._open is None and (why := self._why_none()):
                if moves != self._moves:
                    moves, give_up_at = self._moves, time.monotonic() + self._wait_s
                left = give_up_at - time.monotonic()
                if left <= 0:
                    raise Overloaded(why, where=self._bureau, expected="a node that answers, and witnesses that cosign")
                self._changed.wait(left)
            if self._closing:
                raise RuntimeError("the recorder is closed")
            if self._open is None:
                self._open = Batch(new_id(), time.monotonic())
            return self._open

    def _why_none(self) -> str:
        if self.on_their_way >= self._in_flight_max:
            return f"{self.on_their_way} submissions are on their way and nothing moves"
        return self._full()

    def add(self, batch: Batch, data: bytes, disclosures: Sequence[Disclosure]) -> None:
        """Put a statement into the open batch."""
        with self.lock:
            batch.data.append(data)
            batch.disclosures.extend(disclosures)
            batch.size_bytes += len(data) + _FRAME_BYTES_MAX
            if len(batch.data) >= self._batch_max or batch.size_bytes > _BATCH_BYTES_MAX:
                self.seal()
            elif len(batch.data) == 1:
                self._changed.notify_all()

    def seal(self) -> None:
        """Let the open batch go, if there is anything in it."""
        with self.lock:
            if self._open is not None and self._open.data:
                self._sealed.append(self._open)
                self._open = None
                self._changed.notify_all()

    def close(self) -> None:
        """Take nothing more; what is there still goes."""
        with self.lock:
            self.seal()  # what another thread recorded since the flush
            self._closing = True
            self._changed.notify_all()

    @property
    def on_their_way(self) -> int:
        """How many batches are sealed and not answered."""
        return len(self._sealed) + len(self._sent)

    def waiting(self) -> list[Batch]:
        """All that has no answer, oldest first; nothing stays open."""
        with self.lock:
            self.seal()
            return [*self._sent, *self._sealed]

    # Sending.

    def left_over(self, batch: Batch) -> None:
        """Take up what an earlier program left."""
        self._sealed.append(batch)

    def moved(self) -> None:
        """Something has left the spool."""
        with self.lock:
            self._moves += 1
            self._changed.notify_all()

    @property
    def stream(self) -> int:
        """The number of the present stream."""
        return self._stream

    def sealed(self) -> list[Batch]:
        """What nobody has asked for on the present stream."""
        with self.lock:
            return [*self._sealed]

    def wait_for_work(self) -> bool:
        """Wait for a sealed batch, or until `wake_at`; False where there will be no batch any more."""
        with self.lock:
            while not self._sealed:
                if self._closing:
                    return False
                if time.monotonic() >= self.wake_at:
                    return True
                self._linger()
            return True

    def next(self, stream: int) -> Batch | None:
        """The next batch for a stream, which counts as sent from now on; None where the stream is to end."""
        with self.lock:
            while stream == self._stream and time.monotonic() < self.wake_at:
                if self._sealed and len(self._sent) < self._in_flight_max:
                    break
                if self._closing and not self._sealed:
                    return None
                self._linger()
            else:
                return None
            batch = self._sealed.popleft()
            self._sent.append(batch)
            return batch

    def oldest_sent(self) -> Batch | None:
        """Whose answer comes next."""
        with self.lock:
            return self._sent[0] if self._sent else None

    def end_stream(self) -> bool:
        """Put back what the stream that ended left unanswered; whether there was anything."""
        with self.lock:
            self._stream += 1
            unanswered = bool(self._sent)
            self._sealed.extendleft(reversed(self._sent))
            self._sent.clear()
            self._changed.notify_all()
            return unanswered

    def send_again(self, batch: Batch) -> None:
        """Put a batch that was sent before all others."""
        with self.lock:
            self._sent.remove(batch)
            self._sealed.appendleft(batch)
            self._changed.notify_all()

    def settle(self, batch: Batch, outcome: Outcome | BaseException) -> None:
        """Say how a batch went; it is on its way no more."""
        with self.lock:
            self._moves += 1
            batch.settle(outcome)
            for queue in (self._sent, self._sealed):
                if batch in queue:
                    queue.remove(batch)
            self._changed.notify_all()

    def _linger(self) -> None:
        """Wait for a full batch, or seal the open one when its time has come.

        While others are on their way it may grow instead: a small batch costs the node as much as a large one.
        """
        if self._open is not None and self._open.data and len(self._sent) < _UNANSWERED_BEFORE_GROWING:
            left = self._open.opened_at + self._linger_s - time.monotonic()
            if left <= 0:
                self.seal()
                return
        else:
            left = math.inf
        left = min(left, self.wake_at - time.monotonic())
        self._changed.wait(None if left == math.inf else max(left, 0.0))
