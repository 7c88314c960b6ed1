"""What ledgers signed for and hold no longer, and what their own entries say of that.

A checkpoint that this client kept from before a key was retired (`LedgerCoverage.acknowledged`) is judged by the
charter (`core.acknowledged`): *lost* where its ledger was recovered or ended without what stood there; denied against a
quorum's cosignatures, it is equivocation. What a `RecoveryPerformed` says was lost is its bureau's own word, and shown
beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.entry import On
from tallystick.audit.strand import Fault
from tallystick.audit.views.view import AsOf, View, folds
from tallystick.core.acknowledged import Acknowledged, Verdict
from tallystick_proto.v1.statement_pb2 import RecoveryPerformed


@dataclass(frozen=True, slots=True)
class Lost:
    """A checkpoint beyond what its ledger holds now, and the entry of the recovery that lost it, if one says so."""

    bureau: str
    acknowledged: Acknowledged
    recovery: On[RecoveryPerformed] | None

    @property
    def reference(self) -> str:
        """The last entry that was signed for."""
        return f"{self.bureau}#{self.acknowledged.checkpoint.size - 1}"


class Recoveries(View):
    """Recoveries. `begin` with the coverage, before the first entry."""

    def __init__(self) -> None:
        self._ledgers: list[LedgerCoverage] = []
        self._by: dict[tuple[str, Acknowledged], On[RecoveryPerformed]] = {}

    def begin(self, coverage: Coverage) -> None:
        """Know what this client keeps of what ledgers signed for."""
        self._ledgers = [ledger for ledger in coverage.ledgers if ledger.acknowledged]

    @folds(RecoveryPerformed)
    def performed(self, entry: On[RecoveryPerformed]) -> None:
        """A ledger was rebuilt up to here; the first such entry is kept for each checkpoint that it may have lost."""
        for ledger in self._ledgers:
            for each in ledger.acknowledged if ledger.origin == entry.place.origin else ():
                if each.vouches <= entry.said.size < each.checkpoint.size:
                    self._by.setdefault((ledger.bureau, each), entry)

    def finish(self, as_of: AsOf) -> Iterator[Lost | Fault]:
        """What was lost, and what is denied though a quorum had it."""
        for ledger in self._ledgers:
            for each in ledger.acknowledged:
                lost = Lost(ledger.bureau, each, self._by.get((ledger.bureau, each)))
                if each.verdict is Verdict.LOST:
                    yield lost
                elif each.verdict is Verdict.EQUIVOCATION:
                    yield Fault("equivocation", ledger.bureau, lost.reference, _denied(each))


def _denied(each: Acknowledged) -> str:
    return (
        f"its key signed {each.checkpoint.size} entries, {each.cosigned} bureaus of the {each.needed} needed cosigned"
        f" them, and the ledger denies what stood above {each.vouches}"
    )
