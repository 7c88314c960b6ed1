"""Questions put to the ledgers' indexes, and what they answer folded by the audit's views.

Every ledger shows a checkpoint first, which must extend the last that this client trusted; what its index answers is
proven to be in the ledger under it. That an index left none out is not proven, and the coverage says so. A ledger that
does not answer, or whose node is caught, is a gap in the coverage from then on, and does not stop the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.entry import On, on_entry
from tallystick.audit.inquiry import Cited, Find, Inquiry, answer
from tallystick.core.errors import NotFound, TallystickError
from tallystick.core.history import Recorded
from tallystick.core.terms import Term
from tallystick.sdk.auditing import Audited, begun, note_copies, side_by_side
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.reader import LedgerReader, Shown
from tallystick.sdk.witnessing import refreshed


def ask(ledgers: Ledgers, day: date, inquiry: Inquiry, *, watching: Callable[[object], None] | None = None) -> Audited:
    """What the indexes answer to an inquiry, folded as of the end of `day`; nothing is judged.

    `watching` is shown every record of the pass that rules would be (`audit.judge.folded`), in causal order.
    """
    seen, coverage = begun(ledgers, day, full=False)
    until_us = seen.rulebook.calendar.end_us(day)
    answer(inquiry, _Looking(ledgers, coverage, until_us), seen, coverage, until_us, watching)
    note_copies(ledgers, coverage)
    return Audited([], seen, coverage)


class _Looking:
    """Looks entries up, on the ledgers that answer."""

    def __init__(self, ledgers: Ledgers, coverage: Coverage, until_us: int) -> None:
        self._ledgers = ledgers
        self._coverage = {ledger.bureau: ledger for ledger in coverage.ledgers}
        self._until_us = until_us
        self._not_understood: dict[str, set[int]] = {}
        for ledger, error in zip(coverage.ledgers, side_by_side(self._refresh, coverage.ledgers), strict=True):
            if error is not None:
                ledger.fail(error)

    def _refresh(self, ledger: LedgerCoverage) -> None:
        ledger.checkpoint, ledger.witnessed = refreshed(self._ledgers[ledger.bureau], self._ledgers.charter)

    def __call__(self, wanted: Find | Cited) -> Iterator[On[Any]]:
        if isinstance(wanted, Cited):
            yield from self._cited(wanted)
            return
        for bureau, ledger in self._coverage.items():
            if wanted.bureau in ("", bureau):
                for terms in wanted.each_kind():
                    yield from wanted.taken(self._found(ledger, terms, wanted.newest_first), self._until_us)

    def _found(self, ledger: LedgerCoverage, terms: tuple[Term, ...], newest_first: bool) -> Iterator[On[Any]]:
        if not ledger.gap:
            reader = self._ledgers[ledger.bureau]
            shown = reader.find(terms, newest_first=newest_first, checkpoint=ledger.checkpoint)
            yield from self._entries(ledger, shown)

    def _cited(self, wanted: Cited) -> Iterator[On[Any]]:
        """What stands there, whether or not it is what was cited: the views hold the two against each other."""
        try:
            bureau = self._ledgers.charter.by_origin(wanted.ref.origin).id
        except NotFound:  # a ledger outside the charter: not covered
            return
        ledger, reader = self._coverage[bureau], self._ledgers[bureau]
        if ledger.gap:
            return
        for entry in self._entries(ledger, _standing_at(reader, wanted.ref.index)):
            if entry.recorded_at_us < self._until_us:
                yield entry
        ledger.checkpoint = reader.trusted.checkpoint  # what was cited may be newer than the one shown at first

    def _entries(self, ledger: LedgerCoverage, shown: Iterator[Shown]) -> Iterator[On[Any]]:
        """The entries of one answer, up to where it fails: then the ledger is a gap from here on."""
        try:
            for each in shown:
                if not each.read.understood:
                    there = self._not_understood.setdefault(each.origin, set())
                    there.add(each.entry.index)
                    ledger.not_understood = len(there)
                entry = on_entry(each.bureau, each.origin, Recorded(each.entry, each.read))
                if entry is not None:
                    yield entry
        except TallystickError as error:
            ledger.fail(error)


def _standing_at(reader: LedgerReader, index: int) -> Iterator[Shown]:
    """The entry at an index; nothing where a citation points past the ledger's end."""
    try:
        yield reader.entry(index)
    except NotFound:
        if index < reader.trusted.size:
            raise
