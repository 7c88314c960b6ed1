"""Questions put to the ledgers' indexes, and what they answer folded by the audit's views.

Each entry is proven to be in its ledger; that an index left none out is not, and the coverage says so. A ledger that
does not answer, or whose node is caught, is a gap in the coverage from then on, and does not stop the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from tallystick.audit.coverage import Coverage
from tallystick.audit.entry import On, on_entry
from tallystick.audit.inquiry import Cited, Find, Inquiry, collect
from tallystick.audit.judge import folded
from tallystick.audit.pass_ import Pass
from tallystick.audit.strand import Fault
from tallystick.audit.views.view import AsOf
from tallystick.core.errors import NotFound, TallystickError
from tallystick.core.history import Recorded
from tallystick.sdk.auditing import Audited, begun
from tallystick.sdk.leaf_file import LeafFile
from tallystick.sdk.ledgers import Ledgers
from tallystick.sdk.reader import LedgerReader, Shown


def ask(ledgers: Ledgers, day: date, inquiry: Inquiry, *, watching: Callable[[On[Any]], None] | None = None) -> Audited:
    """What the indexes answer to an inquiry, folded as of the end of `day`; nothing is judged.

    `watching` is shown every entry that was folded, in causal order.
    """
    seen, coverage = begun(ledgers, day, full=False)
    until_us = seen.rulebook.calendar.end_us(day)
    found = collect(inquiry, _Looking(ledgers, coverage))
    held: dict[str, list[On[Any]]] = {}
    for entry in found:
        held.setdefault(entry.bureau, []).append(entry)
    for ledger in coverage.ledgers:
        ledger.checked = len(held.get(ledger.bureau, ()))
    with LeafFile() as leaves:
        for record in folded(Pass([_Answered(entries) for entries in held.values()], leaves).records(), seen, until_us):
            if watching is not None and isinstance(record, On):
                watching(record)
    for _ in seen.finish(AsOf(until_us, frozenset(), {})):
        pass
    return Audited([], seen, coverage)


class _Looking:
    """Looks entries up, on the ledgers that answer."""

    def __init__(self, ledgers: Ledgers, coverage: Coverage) -> None:
        self._ledgers = ledgers
        self._coverage = {ledger.bureau: ledger for ledger in coverage.ledgers}

    def __call__(self, wanted: Find | Cited) -> Iterator[On[Any]]:
        if isinstance(wanted, Cited):
            yield from self._cited(wanted)
            return
        for bureau in self._coverage if not wanted.bureau else (wanted.bureau,):
            for terms in wanted.each_kind():
                yield from self._from(bureau, lambda reader, terms=terms: reader.find(terms))  # type: ignore[misc]

    def _cited(self, wanted: Cited) -> Iterator[On[Any]]:
        """What stands there, whether or not it is what was cited: the views hold the two against each other."""
        try:
            bureau = self._ledgers.charter.by_origin(wanted.ref.origin).id
        except NotFound:  # a ledger outside the charter: not covered
            return
        yield from self._from(bureau, lambda reader: iter([reader.entry(wanted.ref.index)]))

    def _from(self, bureau: str, look: Callable[[LedgerReader], Iterator[Shown]]) -> Iterator[On[Any]]:
        ledger, reader = self._coverage[bureau], self._ledgers[bureau]
        if ledger.gap:
            return
        try:
            for shown in look(reader):
                entry = on_entry(shown.bureau, shown.origin, Recorded(shown.entry, shown.read))
                if entry is not None:
                    yield entry
            ledger.checkpoint = reader.trusted.checkpoint
        except NotFound:  # cited, and not there: nothing was found
            ledger.checkpoint = reader.trusted.checkpoint
        except TallystickError as error:
            ledger.fail(error)


class _Answered:
    """What one ledger's index answered, in the order of its entries."""

    def __init__(self, entries: list[On[Any]]) -> None:
        self._entries = entries

    def entries(self) -> Iterator[On[Any] | Fault]:
        yield from self._entries
