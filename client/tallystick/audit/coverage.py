"""Coverage: which ledgers, up to which size, under which charter an answer speaks of, and how complete it is.

A *full pass* read every entry of a ledger up to its checkpoint and verified it, so within it absence means something.
An answer *as answered* holds only what a node chose to show: each entry is proven, that none was left out is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import TallystickError
from tallystick.core.identifiers import parse_entry_ref
from tallystick.core.witnessing import Witnessed


@dataclass(slots=True)
class LedgerCoverage:
    """How much of one ledger was read. `checkpoint` is None where its node showed none.

    `gap` says in one sentence why it was not read to its end, "" where it was, and `exit_code` what that means to a
    program (design, section 10); `settled` is the size up to which the other ledgers' checkpoints were taken later;
    `not_understood` counts entries with more in them than this version knows, verified and left aside; `later` those
    that by its node's clock were recorded after the day judged, verified and not judged. `cosigned` is what was shown
    of what its witnesses cosigned last, each verified, None where nobody was asked or answered; `keeper` the bureau
    from whose copy it was read, "" where its own node was asked, `away` whether that was out of reach; `witnessed` the
    size up to which a quorum cosigned it, None where the charter gives it none.
    """

    bureau: str
    origin: str
    checkpoint: Checkpoint | None = None
    settled: int = 0
    checked: int = 0
    gap: str = ""
    exit_code: int = 0
    not_understood: int = 0
    later: int = 0
    cosigned: tuple[Witnessed, ...] | None = None
    keeper: str = ""
    away: bool = False
    witnessed: int | None = None

    def fail(self, error: TallystickError) -> None:
        """Note what kept it from being read further."""
        self.gap, self.exit_code = str(error), error.exit_code

    @property
    def size(self) -> int:
        return 0 if self.checkpoint is None else self.checkpoint.size

    @property
    def unwitnessed(self) -> int:
        """How many of its entries no quorum has cosigned, though it has one."""
        return 0 if self.witnessed is None else max(0, self.size - self.witnessed)

    @property
    def complete(self) -> bool:
        """Whether every entry up to the checkpoint was read and verified."""
        return self.checkpoint is not None and not self.gap and self.checked == self.size


@dataclass(slots=True)
class Coverage:
    """What an answer speaks of. `unjudged` counts, by rule and bureau, what an uncovered ledger left open; under "" is
    what a bureau that the charter does not know was named for.

    `unset` are the deadlines and thresholds the rulebook does not set, `years` those it names no holiday of. `asked_us`
    is when witnesses were asked after, None where they were not.
    """

    charter: str
    version: int
    digest: str
    day: date
    full: bool
    ledgers: list[LedgerCoverage]
    unset: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    unjudged: Mapping[tuple[str, str], int] = field(default_factory=dict)
    asked_us: int | None = None

    def unwitnessed(self, references: Iterable[str]) -> list[str]:
        """Those of some references, as `bureau#index`, that no quorum has cosigned."""
        witnessed = {ledger.bureau: ledger.witnessed or 0 for ledger in self.ledgers}
        parsed = {reference: parse_entry_ref(reference) for reference in references}
        return [reference for reference, at in parsed.items() if at.index >= witnessed.get(at.bureau, 0)]

    @property
    def entries(self) -> int:
        """How many entries were read and verified."""
        return sum(ledger.checked for ledger in self.ledgers)

    @property
    def exit_code(self) -> int:
        """What the gaps mean to a program: 0 where there are none, else the worst of them."""
        return max((ledger.exit_code for ledger in self.ledgers), default=0)

    @property
    def complete(self) -> frozenset[str]:
        """The bureaus whose ledgers were read whole."""
        return frozenset(ledger.bureau for ledger in self.ledgers if ledger.complete)
