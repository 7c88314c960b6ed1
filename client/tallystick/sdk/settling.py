"""What is recorded and not yet witnessed: kept until a quorum has cosigned it, and sent again where it was lost.

A receipt binds the ledger's node alone: a disk that is lost may take the entries with it. What a quorum holds can be
rebuilt. So a submission stays in the spool, with its receipt, until a witnessed checkpoint covers it:

  1. the receipt's checkpoint and the witnessed one are each shown to lie on the history of the trusted checkpoint; for
     receipts that this recorder checked itself that is so from the start;
  2. of two states of one history the smaller is part of the larger, so that a witnessed size not below a submission's
     end covers it, and it is let go.

A receipt under a key that the ledger has given up since promises nothing any more: a version of the charter pins what
stands of that key's history, and its other entries are lost. What became of the submission its ledger knows best: it is
sent again under the same id, and recorded, or answered with where it stands. A ledger that contradicts a receipt under
the key it still has is believed in nothing, and nothing is sent again for it.

How far the ledger is witnessed is asked for all of them at once, between two streams, ever more rarely while nothing
comes of it, and once more at the end; nobody waits for witnesses here.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tallystick.core.charter import Bureau, Charter
from tallystick.core.checkpoint import open_checkpoint
from tallystick.core.entry import decode_entry
from tallystick.core.errors import (
    ConfigInvalid,
    Forked,
    Refused,
    StorageFailed,
    TallystickError,
    Unreachable,
    VerificationFailed,
)
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.spool import Left, Spool
from tallystick.sdk.witnessing import standing
from tallystick_proto.v1.entry_pb2 import Submission
from tallystick_proto.v1.ledger_pb2 import Receipt

_PAUSE_MIN_S: Final = 1.0
_PAUSE_MAX_S: Final = 30.0
_PROOFS_MAX: Final = 256  # of what earlier programs left, shown in one go


@dataclass(slots=True)
class _Kept:
    """A receipt's end and checkpoint. `shown`: it lies on the trusted history; `refused`: its ledger will not take it
    again.
    """

    end: int
    checkpoint: bytes
    shown: bool
    refused: bool = False


class Settling:
    """Sees to the submissions of one spool that were recorded. For the thread that sends, apart from the counts."""

    def __init__(self, reader: LedgerReader, charter: Charter | None, spool: Spool) -> None:
        """`charter` says who witnesses; without one, or without a quorum in it, nothing is kept once it is recorded."""
        self._reader = reader
        self._charter = None if charter is None or charter.quorum_of(reader.bureau) is None else charter
        self._spool = spool
        self._kept: dict[bytes, _Kept] = {}
        self._pause_s = _PAUSE_MIN_S
        self.due_at = math.inf
        """When to look again, by the monotonic clock."""
        self.error: TallystickError | None = None
        """What the last look found against the ledger, if it did."""

    @property
    def count(self) -> int:
        """How many submissions are kept."""
        return len(self._kept)

    def full(self) -> str:
        """Why nothing more may be recorded for now; empty while it may."""
        if not self._spool.full:
            return ""
        unanswered = self._spool.count - self.count
        return (
            f"the spool is full: {self.count} submissions are recorded and not yet witnessed, {unanswered} not answered"
        )

    def take_up(self, left: Left) -> bool:
        """Whether what an earlier program left has to be sent; if not, it is seen to here."""
        if left.receipt is None or not promised(left.receipt, self._reader.bureau):
            return True
        self._keep(left.name, left.receipt, shown=False)
        if self._kept:
            self.due_at = time.monotonic()
        return False

    def recorded(self, name: bytes, submission: Submission, receipt: Receipt) -> None:
        """Keep a submission whose receipt was just checked, or let it go where nobody witnesses it."""
        if self._charter is not None:
            # Where the receipt cannot be written the file stands without, and would be sent again: that does no harm.
            with suppress(ConfigInvalid):
                self._spool.put(name, submission, remembered(receipt))
        self._keep(name, receipt, shown=True)

    def refused(self, name: bytes, receipt: Receipt) -> None:
        """Keep what was promised once and is not taken again: only a person can say that it is given up."""
        self._keep(name, receipt, shown=False)
        if name in self._kept:
            self._kept[name].refused = True

    def _keep(self, name: bytes, receipt: Receipt, *, shown: bool) -> None:
        if self._charter is None:
            self._spool.remove(name)
        elif self._spool.keeps:
            self._kept[name] = _Kept(receipt.first + receipt.count, receipt.checkpoint, shown)
            self.due_at = min(self.due_at, time.monotonic() + self._pause_s)

    def look(self) -> None:
        """Ask how far the ledger is witnessed, and let go of what is covered.

        Raises Forked; anything else that is found against the ledger is `error` until a later look finds otherwise.
        """
        if self._charter is None or not self._kept:
            self.due_at = math.inf
            return
        before = len(self._kept)
        try:
            self._settle(standing(self._reader, self._charter).witnessed or 0)
            self.error = None
        except (Unreachable, StorageFailed, Refused):
            pass  # later, then
        except TallystickError as error:
            self.error = error
            if isinstance(error, Forked):
                raise
        finally:
            progress = len(self._kept) < before
            self._pause_s = _PAUSE_MIN_S if progress else min(2 * self._pause_s, _PAUSE_MAX_S)
            self.due_at = time.monotonic() + self._pause_s if self._kept else math.inf

    def _settle(self, witnessed: int) -> None:
        """`witnessed` entries of the trusted history are."""
        covered = {name: kept for name, kept in self._kept.items() if kept.end <= witnessed and not kept.refused}
        # Many have one checkpoint. What is left over in great number is shown bit by bit: others want to be sent.
        unshown = dict.fromkeys(kept.checkpoint for kept in covered.values() if not kept.shown)
        shown = set(islice(unshown, _PROOFS_MAX))
        for checkpoint in shown:
            self._reader.reconcile(checkpoint)
        for name, kept in covered.items():
            if kept.shown or kept.checkpoint in shown:
                self._spool.remove(name)
                del self._kept[name]


def remembered(receipt: Receipt) -> Receipt:
    """What the spool remembers of a receipt that was checked."""
    return Receipt(
        submission_id=receipt.submission_id, first=receipt.first, count=receipt.count, checkpoint=receipt.checkpoint
    )


def promised(receipt: Receipt, bureau: Bureau) -> bool:
    """Whether the key a ledger has now vouches for a receipt's checkpoint. `bureau` is what the charter says now."""
    key = bureau.ledger_verifier
    try:
        open_checkpoint(receipt.checkpoint, key, {each: size for each, size in bureau.ends.items() if each == key})
    except VerificationFailed:
        return False
    return True


def stands(reader: LedgerReader, receipt: Receipt, submission: Submission) -> bool:
    """Whether a submission stands where a receipt says, under the checkpoint that is trusted; proven either way.

    Raises what reading raises.
    """
    checkpoint = reader.trusted.checkpoint
    if receipt.first >= checkpoint.size:
        return False
    return decode_entry(reader.raw(receipt.first, checkpoint)).signed == submission.signature
