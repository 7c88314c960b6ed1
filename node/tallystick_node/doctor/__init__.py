"""`tallyd fsck`: everything a database holds derived again from its entries' bytes, and the differences named.

  1. the note of what was signed and the state record read, and fit each other
  2. every entry: its form, its place, its chain, its submission's signature under a key valid there, and its leaf in
     the tree; every full tile, the edge, the root, and the rest of the state record (`entries`)
  3. every posting: the multiset of (term, index) pairs in the index is the one the entries' heads give (`postings`)
  4. every disclosure opens its commitment, where the home has the key, and no key is there that nothing explains
     (`keys`)
  5. the same of every copy of another ledger; and what was cosigned, here and by others, is what the entries give
     (`copies`)
  6. what was heard of other ledgers is their keys' word (`heard`)

An observer's database holds copies alone: of 1 to 4 remains that it and the note are its own, and say of no entry.

Nothing is repaired: what was altered is evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tallystick.core.charter import Bureau, Charter
from tallystick.core.errors import StorageFailed
from tallystick.core.evidence import actors_of
from tallystick_node.config import Settings
from tallystick_node.disclosures import Disclosures
from tallystick_node.doctor.copies import CopyCheck
from tallystick_node.doctor.entries import EntryCheck, Progress, silent
from tallystick_node.doctor.heard import check_heard
from tallystick_node.doctor.keys import OBSERVER_GAPS, KeyCheck
from tallystick_node.doctor.postings import PostingCheck
from tallystick_node.doctor.report import Difference, Report
from tallystick_node.identity import load_disclosures
from tallystick_node.ledger import Ledger, check_against_signed
from tallystick_node.ledger_state import check_no_entries, read_state
from tallystick_node.signed_size import SignedSize
from tallystick_node.store.leveldb import LevelDbStore
from tallystick_node.store.store import Store

__all__ = ["Difference", "Progress", "Report", "check", "run"]


def run(settings: Settings, progress: Progress = silent) -> Report:
    """Check the stopped node of a home. Raises what keeps its database from being opened at all."""
    charter, bureau = settings.open_charter()
    store = LevelDbStore.open(settings.database)
    try:
        report = Report(bureau.origin)
        try:
            signed = SignedSize.open(settings.signed_size, bureau.origin)
        except StorageFailed as error:
            report.add_error(error)
            return report
        others = [other for other in charter.ledgers if other is not bureau]
        try:
            if bureau.is_observer:
                return check_observer(store, signed, bureau, others, progress)
            return check(store, signed, bureau, others, progress, _disclosures(settings, charter, bureau))
        finally:
            signed.close()
    finally:
        store.close()


def check(
    store: Store,
    signed: SignedSize,
    bureau: Bureau,
    others: Sequence[Bureau] = (),
    progress: Progress = silent,
    disclosures: Disclosures | None = None,
) -> Report:
    """Check a database that nobody writes to; it may hold copies of the ledgers of `others`. Without the key of its
    `disclosures` these are not opened.
    """
    report = Report(bureau.origin)
    try:
        state = read_state(store, bureau.origin)
    except StorageFailed as error:
        report.add_error(error)
        return report
    report.size = state.size
    ledger = Ledger(store, bureau.origin, state)
    actors = actors_of(bureau)
    entries, postings = EntryCheck(ledger, actors, report), PostingCheck(ledger, actors, report)
    keys = KeyCheck(ledger, report)
    copies = CopyCheck(ledger, bureau, others, report, progress)
    steps: list[Callable[[], None]] = [
        lambda: check_against_signed(ledger, signed),
        lambda: entries.entries(postings.see, progress),
        entries.tiles,
        lambda: postings.compare() if entries.whole else None,
        lambda: keys.disclosures(disclosures),
        keys.strays,
        copies.copies,
        copies.cosigned,
        copies.strays,
        partial(check_heard, store, (bureau, *others), report),
    ]
    return _taken(steps, report)


def _disclosures(settings: Settings, charter: Charter, bureau: Bureau) -> Disclosures | None:
    """None where the key is not here, as in a backup without keys. Raises ConfigInvalid."""
    there = settings.place(settings.config.keys.disclosure).exists()
    return load_disclosures(settings, charter, bureau) if there else None


def check_observer(
    store: Store, signed: SignedSize, observer: Bureau, others: Sequence[Bureau], progress: Progress = silent
) -> Report:
    """Check the database of an observer's node that nobody writes to."""
    report = Report(observer.origin)
    try:
        ledger = Ledger.open(store, observer.origin)
    except StorageFailed as error:
        report.add_error(error)
        return report
    copies = CopyCheck(ledger, observer, others, report, progress)
    steps: list[Callable[[], None]] = [
        lambda: check_against_signed(ledger, signed),
        lambda: check_no_entries(store, observer.origin),
        KeyCheck(ledger, report, OBSERVER_GAPS).strays,
        copies.copies,
        copies.strays,
        partial(check_heard, store, others, report),
    ]
    return _taken(steps, report)


def _taken(steps: Sequence[Callable[[], None]], report: Report) -> Report:
    """The report once every step was taken, whatever the one before it said."""
    for step in steps:
        try:
            step()
        except StorageFailed as error:
            report.add_error(error)
    return report
