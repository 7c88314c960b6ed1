"""Many statements to one ledger: batched, signed, sent over one stream, and each with a receipt of its own.

A statement is checked, composed and placed where `record` is called, so that a bad one fails there and spoils no
other. It joins the open batch of the `outbox`; `delivery` signs the batch, keeps it in the `spool`, if there is one,
and sends it. In the spool it stays until it is witnessed, where the charter gives the ledger a quorum (`settling`).
While too many batches are on their way, or the spool is full, recording waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from tallystick.core.charter import Charter
from tallystick.core.closing import Closing
from tallystick.core.compose import check_happened, place
from tallystick.core.composer import Composer
from tallystick.core.errors import TallystickError, Unreachable
from tallystick.core.keys import Signer
from tallystick.core.limits import SUBMISSION_STATEMENTS_MAX
from tallystick.core.statement import check_size
from tallystick.sdk.batch import Batch, Pending
from tallystick.sdk.clock import new_salt, now_us
from tallystick.sdk.closed import check_open
from tallystick.sdk.delivery import Delivery
from tallystick.sdk.outbox import Outbox
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.settling import Settling
from tallystick.sdk.spool import Spool
from tallystick.sdk.verbs import Verbs

__all__ = ["Pending", "Recorder"]


class Recorder(Verbs[Pending]):
    """Records from any number of threads. Leave its `with` block, or `close` it, to have everything sent and
    answered.
    """

    def __init__(
        self,
        reader: LedgerReader,
        actor: str,
        key: Signer,
        *,
        linger_ms: float = 5.0,
        batch_max: int = SUBMISSION_STATEMENTS_MAX,
        in_flight_max: int = 16,
        give_up_s: float = 60.0,
        spool: Spool | None = None,
        charter: Charter | None = None,
        closings: Mapping[str, Closing] | None = None,
    ) -> None:
        """`reader` is closed with it. An unreachable node is tried for `give_up_s`, a silent one a deadline longer.

        `charter` says who witnesses the ledger, `closings` who is closed. Raises ConfigInvalid where the spool does not
        read.
        """
        self.reader = reader
        self._composer = Composer(actor)
        self._closings = closings or {}
        spool = Spool(None, reader.bureau.origin) if spool is None else spool
        self._settling = Settling(reader, charter, spool)
        self._outbox = Outbox(
            reader.bureau.id,
            self._settling.full,
            linger_s=linger_ms / 1_000,
            batch_max=batch_max,
            in_flight_max=in_flight_max,
            wait_s=give_up_s * 2,
        )
        self._delivery = Delivery(reader, actor, key, self._outbox, spool, self._settling, give_up_s)
        self._delivery.start()

    def record(self, kind: str, **values: object) -> Pending:
        """Record a statement of a kind, named as in `DataUsed` or by its verb; waits while too much is on its way.

        Raises InvalidStatement where it does not fit its kind, or asks something of a closed bureau, at once, and
        Overloaded where nothing moves: too much is unanswered, or recorded and not yet witnessed. Nothing is then
        recorded.
        """
        return self._say(kind, values)

    def _say(self, kind: str, values: dict[str, object]) -> Pending:
        draft = self._composer.compose(kind, values)
        check_happened(values, now_us)
        check_open(self.reader.bureau.id, kind, values, self._closings)
        with self._outbox.lock:
            batch = self._outbox.room()
            position = len(batch.data)
            origin = self.reader.bureau.origin
            disclosures = place(draft, origin, batch.submission_id, position, new_salt) if draft.sensitive else []
            data = draft.encode()
            check_size(data)
            self._outbox.add(batch, data, disclosures)
            return Pending(self.reader.bureau, batch, position)

    def flush(self, timeout_s: float | None = None) -> None:
        """Send everything and wait for every receipt, without `timeout_s` as long as the node answers anything.

        Raises the first error a batch met, Unreachable where the node falls silent, TimeoutError, or what was found
        against the ledger in looking how far it is witnessed. Witnesses are not waited for.
        """
        waiting = self._outbox.waiting()
        failures = [self._failure(batch) if timeout_s is None else batch.done.exception(timeout_s) for batch in waiting]
        for failure in failures:
            if failure is not None:
                raise failure
        self._check()

    def _check(self) -> None:
        if self._settling.error is not None:
            raise self._settling.error

    @property
    def unwitnessed(self) -> int:
        """How many submissions are recorded and not known to be witnessed yet. After `close` they stay in the spool,
        and the next recorder sees to them.
        """
        return self._settling.count

    def close(self) -> None:
        """Flush, end the stream, and let the thread end. A batch that failed raises here.

        Witnesses are not waited for: `unwitnessed` says how much stays in the spool.
        """
        try:
            self.flush()
        finally:
            self._outbox.close()
            self._delivery.join(self.reader.wire.deadline_s)  # a node may answer all and not end the stream
            self.reader.close()
        self._check()

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
        patience_s = self._delivery.give_up_s + self.reader.wire.deadline_s
        while True:
            heard = self._delivery.heard
            with suppress(TimeoutError):
                return batch.done.exception(patience_s)
            if heard == self._delivery.heard:
                silence = f"it has answered nothing for {patience_s:.0f} seconds"
                where = self.reader.bureau.id
                self._delivery.fail_all(Unreachable(silence, where=where, expected="an answer, or a refusal"))
