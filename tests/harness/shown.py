"""Ledgers as an audit is shown them: signed entries under a signed checkpoint, each checked before it is judged.

What a node shows, and what its key signed for, may be other than the ledger it should have: a test says which. Where
nothing is said, a ledger is lawful and shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from msgspec.structs import replace

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.entry import On
from tallystick.audit.finding import Finding
from tallystick.audit.inquiry import HeldLeaves
from tallystick.audit.judge import judge
from tallystick.audit.pass_ import Entries, Pass
from tallystick.audit.rule import Bench
from tallystick.audit.rulebook import Rulebook
from tallystick.audit.seen import Seen
from tallystick.audit.strand import Fault, Strand, shown_fault
from tallystick.audit.words import Words
from tallystick.core.charter import Charter, Name
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.errors import VerificationFailed
from tallystick.core.hashing import leaf_hash
from tallystick.core.merkle import root_of
from tallystick.core.trusted_ledger import TrustedLedger
from tests.harness.district import RULEBOOK, ZONE
from tests.harness.ledger_maker import LedgerMaker, charter_of

DAY = date(2027, 1, 15)
"""The local day on which ledger makers begin to record."""
_NAMES = {"market": Name(zh="市场监管局", en="Market"), "tax": Name(zh="税务局", en="Tax")}


def ledger(bureau: str = "market") -> LedgerMaker:
    """Ten lawful entries: the founding three, then submissions of three, one and three declarations."""
    maker = LedgerMaker(bureau=bureau).found()
    maker.bureau = replace(maker.bureau, name=_NAMES[bureau])
    for count in (3, 1, 3):
        maker.record([maker.declare(f"{bureau}-{maker.size}-{number}") for number in range(count)])
    return maker


@dataclass(frozen=True, slots=True)
class Shown:
    """What a node shows of its ledger, each as it is where not given.

    `entries` are shown under a checkpoint of `signed` entries; `known` is the note this client kept from before, and
    `note` the one it is shown now, with a `proof` from the one to the other.
    """

    maker: LedgerMaker
    entries: Sequence[bytes] | None = None
    signed: Sequence[bytes] | None = None
    known: bytes | None = None
    note: bytes | None = None
    proof: Sequence[bytes] = ()

    def read(self, coverage: LedgerCoverage) -> Entries:
        """What comes of it into the pass; `coverage` is filled."""
        entries = self.maker.entries if self.entries is None else self.entries
        signed = entries if self.signed is None else self.signed
        root = root_of([leaf_hash(entry) for entry in signed])
        trusted = TrustedLedger(self.maker.bureau.id, self.maker.bureau.ledger_verifier, self.known)
        try:
            checkpoint = trusted.advance(self.note or self.maker.note(len(signed), root), self.proof)
        except VerificationFailed as error:
            coverage.fail(error)
            fault = shown_fault(error, self.maker.bureau.id)
            return _Faulty(() if fault is None else (fault,))
        coverage.checkpoint, coverage.settled = checkpoint, checkpoint.size
        raws = _proven(trusted, entries, checkpoint)
        return Strand(self.maker.bureau, coverage, raws, lambda index: leaf_hash(entries[index]))


def _proven(trusted: TrustedLedger, entries: Sequence[bytes], checkpoint: Checkpoint) -> Iterator[bytes]:
    trusted.check_raws(0, entries, (), checkpoint)
    yield from entries


@dataclass(frozen=True, slots=True)
class _Faulty:
    faults: tuple[Fault, ...]

    def entries(self) -> Iterator[On[Any] | Fault]:
        yield from self.faults

    def leaf(self, index: int) -> bytes | None:
        return None


@dataclass(frozen=True, slots=True)
class Judged:
    """What an audit found, and covers."""

    found: list[Finding]
    coverage: Coverage
    charter: Charter

    @property
    def only(self) -> Finding:
        """The one finding there is."""
        (finding,) = self.found
        return finding

    def sentence(self, language: str) -> str:
        """What the one finding says."""
        return Words(self.charter, language).sentence(self.only)

    def covers(self, bureau: str) -> LedgerCoverage:
        """How much of a bureau's ledger was read."""
        return next(ledger for ledger in self.coverage.ledgers if ledger.bureau == bureau)


def judged(*shown: LedgerMaker | Shown, day: date = DAY, uncovered: Sequence[LedgerMaker] = ()) -> Judged:
    """An audit, by all rules, of what the nodes show as of the end of a day; those uncovered do not answer."""
    nodes = [each if isinstance(each, Shown) else Shown(each) for each in shown]
    charter = charter_of(*(each.maker.bureau for each in nodes), *(each.bureau for each in uncovered))
    ledgers = [LedgerCoverage(bureau.id, bureau.origin, gap="nobody answers") for bureau in charter.ledgers]
    for ledger in ledgers[: len(nodes)]:
        ledger.gap = ""
    coverage = Coverage(charter.name, charter.version, "", day, True, ledgers)
    seen = Seen(charter, Rulebook.parse(RULEBOOK, ZONE))
    strands = [node.read(ledger) for node, ledger in zip(nodes, ledgers, strict=False)]
    until_us = seen.rulebook.calendar.end_us(day)
    found = judge(Pass(strands, HeldLeaves()).records(), seen, coverage, Bench(), until_us)
    return Judged(found, coverage, charter)
