"""Statements that will be, or were, one submission, and what whoever recorded one of them holds."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import Checkpoint
from tallystick.sdk.receipt import Receipt, receipt_of
from tallystick_proto.v1 import ledger_pb2
from tallystick_proto.v1.entry_pb2 import Disclosure, Submission
from tallystick_proto.v1.statement_pb2 import Statement

Outcome = tuple[ledger_pb2.Receipt, Checkpoint]
"""The receipt of a batch, and the checkpoint it was checked under."""


@dataclass(slots=True, eq=False)
class Batch:
    """One submission on its way, `data` its statements. `submission` is set once it is signed, `done` once answered.

    `name` is what it goes by in the spool, where it lies once it is `spooled`. `receipt` is an earlier one of it, which
    a ledger gave before it lost what it had promised.
    """

    submission_id: bytes
    opened_at: float
    name: bytes = b""
    spooled: bool = False
    receipt: ledger_pb2.Receipt | None = None
    data: list[bytes] = field(default_factory=list)
    disclosures: list[Disclosure] = field(default_factory=list)
    size_bytes: int = 0
    submission: Submission | None = None
    done: Future[Outcome] = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.name = self.name or self.submission_id

    def settle(self, outcome: Outcome | BaseException) -> None:
        """Say how it went; the first word stands."""
        if self.done.done():
            return
        if isinstance(outcome, BaseException):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)


class Pending:
    """One statement on its way. `result` waits for its receipt and raises what the ledger said against it."""

    __slots__ = ("_batch", "_bureau", "_position")

    def __init__(self, bureau: Bureau, batch: Batch, position: int) -> None:
        self._bureau = bureau
        self._batch = batch
        self._position = position

    def done(self) -> bool:
        """Whether there is a receipt or an error."""
        return self._batch.done.done()

    def result(self, timeout_s: float | None = None) -> Receipt:
        """The receipt. Raises TimeoutError, or the domain error that kept the statement from being recorded."""
        receipt, checkpoint = self._batch.done.result(timeout_s)
        statement = Statement.FromString(self._batch.data[self._position])
        return receipt_of(receipt, self._position, statement, self._bureau, checkpoint)
