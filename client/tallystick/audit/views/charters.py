"""By which versions of the charter ledgers go, and whether there are two of one number.

Two versions of one number, both signed by the holders of the charter's keys, are proven to this client by their notes
(`Coverage.charter_forks`). That a ledger adopted another text under a number this client knows is its bureau's word
alone: nobody else is shown to have signed it. A number this client does not know yet is no fork at all, but most likely
the next version: the coverage says that this client goes by an older one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tallystick.audit.coverage import CharterFork, Coverage, LedgerCoverage
from tallystick.audit.entry import On
from tallystick.audit.views.view import AsOf, View, folds
from tallystick.core.hashing import format_digest
from tallystick_proto.v1.statement_pb2 import CharterAdopted


@dataclass(frozen=True, slots=True)
class OtherText:
    """An entry by which a bureau goes by another text of a version than this client, whose digest is `known`."""

    entry: On[CharterAdopted]
    known: str

    @property
    def digests(self) -> frozenset[str]:
        return frozenset({self.known, format_digest(self.entry.said.digest)})


class Charters(View):
    """Versions of the charter. `begin` with the coverage, before the first entry."""

    def __init__(self) -> None:
        self._versions: Mapping[int, str] = {}
        self._forks: tuple[CharterFork, ...] = ()
        self._ledgers: dict[str, LedgerCoverage] = {}

    def begin(self, coverage: Coverage) -> None:
        """Know this client's versions, and what it knows of others."""
        self._versions = coverage.versions
        self._forks = coverage.charter_forks
        self._ledgers = {ledger.origin: ledger for ledger in coverage.ledgers}

    @folds(CharterAdopted)
    def adopted(self, entry: On[CharterAdopted]) -> Iterator[OtherText]:
        """A ledger goes by a version from here on."""
        version = entry.said.version
        known = self._versions.get(version)
        if known is not None and known != format_digest(entry.said.digest):
            yield OtherText(entry, known)
        elif version > max(self._versions, default=version):
            ledger = self._ledgers[entry.place.origin]
            ledger.later_charter = max(ledger.later_charter, version)

    def finish(self, as_of: AsOf) -> Iterator[CharterFork]:
        """The first fork, where this client knows one: whatever followed, followed one of two charters."""
        yield from sorted(self._forks, key=lambda fork: fork.version)[:1]
