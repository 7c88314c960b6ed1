"""Ledgers read for an audit: all of them whole, in one pass.

A *full pass* reads every ledger up to its checkpoint, verifies every entry, and merges them causally. Checkpoints are
taken twice, each time of all ledgers side by side, and only what was there the first time is judged: whatever it
answers on another ledger is then within that ledger's second. In between, each node is asked what its witnesses
cosigned, and afterwards all nodes what they hold of each ledger (`cross_checking`). A ledger that cannot be read is a
gap in the coverage, and a liar's is a finding; neither stops the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.earlier import OldReport
from tallystick.audit.entry import On
from tallystick.audit.finding import Finding
from tallystick.audit.judge import judge
from tallystick.audit.pass_ import Entries, Pass
from tallystick.audit.rule import Bench
from tallystick.audit.seen import EXCHANGES_KEPT, Seen
from tallystick.audit.strand import Fault, Strand, shown_fault
from tallystick.audit.views.suspects import Signed
from tallystick.core.checkpoint import Checkpoint
from tallystick.core.entry import decode_entry
from tallystick.core.errors import TallystickError
from tallystick.core.hashing import leaf_hash
from tallystick.sdk.clock import now_us
from tallystick.sdk.cross_checking import cross_check, know_charter, name_checkpoints, recall, trust_of
from tallystick.sdk.dialling import ASKED_AT_ONCE
from tallystick.sdk.leaf_file import LeafFile
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.rulebook import rulebook_of
from tallystick.sdk.witnessing import shown_cosigned, witnessed_of

Progress = Callable[[int, int], None]
"""Called with how many entries were taken, and of how many."""

_PROGRESS_EVERY = 500


@dataclass(frozen=True, slots=True)
class Audited:
    """What a full pass found, what it has seen, and what it covers."""

    findings: list[Finding]
    seen: Seen
    coverage: Coverage


def audit(
    ledgers: Ledgers,
    day: date,
    *,
    rules: Iterable[str] | None = None,
    progress: Progress | None = None,
    watching: Callable[[object], None] | None = None,
    before: OldReport | None = None,
) -> Audited:
    """Every ledger of the charter in one causal pass, judged as of the end of `day` by all rules, or by some.

    `watching` is shown every record the rules are shown (`audit.judge`). `before` is an earlier audit with which this
    one is to be compared (`audit.life`).
    """
    seen, coverage = begun(ledgers, day, full=True)
    if before is not None:
        for ledger in coverage.ledgers:
            ledger.roots.want(before.sizes(ledger.bureau))
    until_us = seen.rulebook.calendar.end_us(day)
    with LeafFile() as leaves:
        records = Pass(_strands(ledgers, coverage), leaves).records()
        know_charter(ledgers.profile, coverage)  # with what the nodes showed of it by now
        found = judge(_counted(records, coverage, progress), seen, coverage, Bench(rules), until_us, watching=watching)
    seen.suspects.mark(found, partial(_signed, ledgers, coverage))
    note_copies(ledgers, coverage)
    for ledger in coverage.ledgers:
        if ledger.contradicting:
            with suppress(TallystickError):  # what comes of it is kept, and found from then on
                ledgers[ledger.bureau].reconcile(ledger.contradicting)
        if ledger.evidence is not None:  # of an entry on another ledger, say: from now on it stands in this one's way
            trust_of(ledgers.profile).keep_evidence(ledgers.charter.by_id(ledger.bureau), ledger.evidence.evidence)
    name_checkpoints(ledgers, coverage, found)
    return Audited(found, seen, coverage)


def survey(
    ledgers: Ledgers,
    day: date,
    *,
    progress: Progress | None = None,
    watching: Callable[[object], None] | None = None,
) -> Audited:
    """The same pass without rules, for questions about absence."""
    return audit(ledgers, day, rules=(), progress=progress, watching=watching)


def begun(ledgers: Ledgers, day: date, *, full: bool) -> tuple[Seen, Coverage]:
    """Empty views, and a coverage that has every ledger of the charter and nothing of it yet, and who is closed."""
    charter = ledgers.charter
    rulebook = rulebook_of(charter)
    years = tuple(year for year in (day.year,) if not rulebook.calendar.covers(year))
    coverage = Coverage(
        charter.name,
        charter.version,
        ledgers.profile.charter_digest,
        day,
        full,
        [
            LedgerCoverage(bureau.id, bureau.origin, pinned=0 if bureau.floor is None else bureau.floor.size)
            for bureau in charter.ledgers
        ],
        rulebook.unset(),
        years,
        closings=tuple(ledgers.profile.closings.values()),
        asked_us=now_us() if full else None,
    )
    return Seen(charter, rulebook, EXCHANGES_KEPT if full else None), coverage


def note_copies(ledgers: Ledgers, coverage: Coverage) -> None:
    """Note which ledgers were read from a copy in the end."""
    for ledger in coverage.ledgers:
        reader = ledgers[ledger.bureau]
        ledger.keeper, ledger.away = reader.keeper, reader.away


def _strands(ledgers: Ledgers, coverage: Coverage) -> list[Entries]:
    """Every ledger whose node shows a checkpoint; for the others a gap, and a fault where the node lied."""
    faults: list[Fault | None] = []
    for shown in (_shown_first, _shown_again):
        left = [ledger for ledger in coverage.ledgers if not ledger.gap]
        for ledger, error in zip(left, side_by_side(partial(shown, ledgers), left), strict=True):
            if error is not None:
                ledger.fail(error)
                faults.append(shown_fault(error, ledger.bureau))
    faults += cross_check(ledgers, coverage)
    recall(ledgers, coverage)
    strands: list[Entries] = []
    for ledger in coverage.ledgers:
        if ledger.checkpoint is not None:
            reader = ledgers[ledger.bureau]
            leaf = partial(_leaf, reader, ledger.checkpoint)
            strands.append(Strand(reader.bureau, ledger, reader.raws(ledger.checkpoint), leaf))
    return [*strands, *(_Faulty(fault) for fault in faults if fault is not None)]


def side_by_side(
    ask: Callable[[LedgerCoverage], None], ledgers: Sequence[LedgerCoverage]
) -> list[TallystickError | None]:
    """What asking each of some ledgers fails by, if it does; none waits until another's node has answered."""

    def attempt(ledger: LedgerCoverage) -> TallystickError | None:
        try:
            ask(ledger)
        except TallystickError as error:
            return error
        return None

    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        return list(pool.map(attempt, ledgers))


def _shown_first(ledgers: Ledgers, ledger: LedgerCoverage) -> None:
    reader = ledgers[ledger.bureau]
    settled = reader.refresh().size
    ledger.cosigned = shown_cosigned(reader, ledgers.charter)
    ledger.settled = settled


def _shown_again(ledgers: Ledgers, ledger: LedgerCoverage) -> None:
    reader = ledgers[ledger.bureau]
    ledger.checkpoint = reader.refresh()
    quorum = ledgers.charter.quorum_of(reader.bureau)
    ledger.witnessed = witnessed_of(ledger.checkpoint, ledger.cosigned, quorum)


def _leaf(reader: LedgerReader, checkpoint: Checkpoint, index: int) -> bytes | None:
    """The leaf hash at an index below a checkpoint; None where the node does not show it."""
    try:
        return leaf_hash(reader.raw(index, checkpoint))
    except TallystickError:
        return None  # what is wrong with the ledger shows when its turn comes


def _signed(ledgers: Ledgers, coverage: Coverage, bureau: str, index: int) -> Signed | None:
    """Who signed an entry that was read, and when it was recorded; None where the node shows it no more."""
    (checkpoint,) = (ledger.checkpoint for ledger in coverage.ledgers if ledger.bureau == bureau)
    if checkpoint is None or index >= checkpoint.size:
        return None
    reader = ledgers[bureau]
    try:
        entry = decode_entry(reader.raw(index, checkpoint))
        opening = entry if entry.signed is not None else decode_entry(reader.raw(entry.first, checkpoint))
    except TallystickError:
        return None
    return None if opening.signed is None else Signed(opening.signed.key, entry.recorded_at_us)


def _counted(records: Iterator[object], coverage: Coverage, progress: Progress | None) -> Iterator[object]:
    total = sum(ledger.size for ledger in coverage.ledgers)
    for number, record in enumerate(records):
        if progress is not None and number % _PROGRESS_EVERY == 0:
            progress(coverage.entries, total)
        yield record


@dataclass(frozen=True, slots=True)
class _Faulty:
    """Something wrong with what was shown of a ledger, whether that can be read or not."""

    fault: Fault

    def entries(self) -> Iterator[On[Any] | Fault]:
        yield self.fault

    def leaf(self, index: int) -> bytes | None:
        """Nothing of it can be told."""
        return None
