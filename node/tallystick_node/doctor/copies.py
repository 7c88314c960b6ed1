"""What a node holds of other ledgers, and what witnesses said of its own.

A copy is checked as the node's own ledger is, but for what only its own has: a note of what was signed, disclosures.
Where it holds more than a lost ledger's key vouches for since, it is sound, and what others lost. Of what was cosigned,
by this node or by others, each record is a checkpoint the ledger signed and the entries give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import open_of_any_size
from tallystick.core.errors import StorageFailed, TallystickError
from tallystick.core.evidence import actors_of_any_size
from tallystick_node import keyspace
from tallystick_node.copies import COSIGNING, open_copy, read_cosigning
from tallystick_node.doctor.entries import EntryCheck, Progress, silent
from tallystick_node.doctor.keys import COPY_GAPS, KeyCheck
from tallystick_node.doctor.postings import PostingCheck
from tallystick_node.doctor.report import Report
from tallystick_node.ledger import Ledger
from tallystick_node.store.store import Store, after


class CopyCheck:
    """The copies in a database of the ledgers of `others`."""

    def __init__(
        self, ledger: Ledger, own: Bureau, others: Sequence[Bureau], report: Report, progress: Progress = silent
    ) -> None:
        self._ledger = ledger
        self._store: Store = ledger.store
        self._own = own
        self._others = others
        self._report = report
        self._progress = progress

    def copies(self) -> None:
        """Every copy, each from its entries' bytes."""
        for bureau in self._others:
            self._report.take(check_copy(self._store, bureau, self._progress))

    def cosigned(self) -> None:
        """Every note that is kept of what witnesses said is of this ledger."""
        for key, note in self._store.range(keyspace.COSIGNED, b"x"):
            _check_note(self._ledger, self._own, note, f"cosigned checkpoint under key {key.hex()}", self._report)

    def strays(self) -> None:
        """Nothing stands among the copies that is of none."""
        for start, stop in self._between():
            for key, _ in self._store.range(start, stop):
                self._report.add(f"key {key.hex()}", "no such key", "one")

    def _between(self) -> Iterator[tuple[bytes, bytes]]:
        start = keyspace.COPY
        for prefix in sorted(keyspace.copy(bureau.origin) for bureau in self._others):
            yield start, prefix
            start = after(prefix)
        yield start, b"d"


def check_copy(store: Store, bureau: Bureau, progress: Progress = silent) -> Report:
    """Check the copy of a bureau's ledger in a database that nobody writes to."""
    report = Report(bureau.origin)
    try:
        copy = open_copy(store, bureau)
        record = read_cosigning(copy)
    except StorageFailed as error:
        report.add_error(error)
        return report
    report.size = copy.state.size
    actors = actors_of_any_size(bureau)
    entries, postings = EntryCheck(copy, actors, report), PostingCheck(copy, actors, report)
    try:
        entries.entries(postings.see, progress)
        entries.tiles()
        if entries.whole:
            postings.compare()
        KeyCheck(copy, report, COPY_GAPS).strays()
    except StorageFailed as error:
        report.add_error(error)
    if (copy.store.get(COSIGNING) or b"") != record.SerializeToString():
        report.add("cosigning record", "the bytes it reads as", "others")
    if record.note:
        _check_note(copy, bureau, record.note, "cosigning record", report)
    return report


def _check_note(ledger: Ledger, bureau: Bureau, note: bytes, place: str, report: Report) -> None:
    """A note the ledger signed, of a root its entries give."""
    try:
        checkpoint = open_of_any_size(note, bureau.ledger_verifier, bureau.ends)
        found = ledger.root_at(checkpoint.size)
    except TallystickError as error:
        report.add(f"{place} of {bureau.origin}", "a checkpoint of this ledger", str(error))
        return
    if found != checkpoint.root:
        report.add(f"{place} of {bureau.origin}", f"root {found.hex()}", checkpoint.root.hex())
