"""Which keys are proven to have signed two histories, and which witnesses cosigned both of them.

What proves it is a file (`core.equivocation`): one that this client keeps, or the text that an `EquivocationFound`
entry carries, on whichever ledger. It is verified by the charter alone, so that it makes no difference who recorded it,
nor whom that entry names. A text that proves nothing says nothing, here and in no other place: under a later version of
the charter it may prove something, so it is not even held against who recorded it.

A key is found once, whatever was found of it: by what this client keeps of it, else by the file whose smaller note is
the smallest, so that it is the same from audit to audit; every bureau that recorded evidence is cited with its first
entry. So memory does not grow with how often a key is accused, nor is what one bureau says again verified again. A
ledger whose present key did this is read, where it can be, and not believed: what it lacks accuses nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.entry import On
from tallystick.audit.strand import Fault, fault_of
from tallystick.audit.views.view import AsOf, View, folds
from tallystick.core.charter import Bureau, Charter
from tallystick.core.equivocation import (
    Equivocation,
    accused_key,
    forked,
    parse_equivocation,
    verify_equivocation,
)
from tallystick.core.errors import Forked, TallystickError
from tallystick.core.note import VerifierKey, parse_note
from tallystick_proto.v1.statement_pb2 import EquivocationFound

Accused = tuple[str, VerifierKey]
"""A bureau, and the key of its ledger that signed two histories."""


@dataclass(frozen=True, slots=True)
class CosignedBoth:
    """A witness whose key cosigned two checkpoints that no one ledger can have, of so many entries.

    `reference` is the last entry of the smaller one; `also` are entries that carry the evidence.
    """

    witness: str
    ledger: str
    reference: str
    sizes: tuple[int, int]
    also: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What is known against a key: the file it is found by, the first entry of each bureau that carries one, and by
    witness the file that shows that it cosigned both.
    """

    error: Forked
    carried: dict[str, str] = field(default_factory=dict)
    cosigned: dict[str, Equivocation] = field(default_factory=dict)


class Histories(View):
    """Two histories. `begin` with the coverage, before the first entry."""

    def __init__(self, charter: Charter) -> None:
        self._charter = charter
        self._witnesses = {bureau.witness_verifier: bureau.id for bureau in charter.bureau}
        self._found: dict[Accused, _Found] = {}
        self._ledgers: list[LedgerCoverage] = []

    def begin(self, coverage: Coverage) -> None:
        """Know which ledgers are judged, each with what this client keeps against it."""
        self._ledgers = coverage.ledgers

    @folds(EquivocationFound)
    def found(self, entry: On[EquivocationFound]) -> None:
        """Evidence on a ledger; what proves nothing is passed over."""
        try:
            data = entry.said.evidence.encode()
            known = self._found.get(self._accused(data))
            if known is None or entry.bureau not in known.carried:
                bureau, proven = verify_equivocation(data, self._charter)
                error = forked(bureau.id, data, proven.key)
                self._take(bureau, proven, error).carried[entry.bureau] = entry.reference
        except TallystickError:
            return

    def _accused(self, data: bytes) -> Accused:
        """Whom a file would accuse if it held. Raises TallystickError."""
        origin = parse_note(parse_equivocation(data).smaller).text.partition("\n")[0]
        bureau = self._charter.by_origin(origin)
        return bureau.id, accused_key(data, bureau)

    def _take(self, bureau: Bureau, proven: Equivocation, error: Forked) -> _Found:
        found = self._found.setdefault((bureau.id, proven.key), _Found(error))
        if proven.smaller.size <= (found.error.known or 0):
            found.error = error
        for witness in filter(None, map(self._witnesses.get, proven.cosigners)):
            known = found.cosigned.get(witness)
            if known is None or proven.smaller.size < known.smaller.size:
                found.cosigned[witness] = proven
        return found

    def disbelieve(self) -> None:
        """Every entry was folded: take in what this client keeps, and mark the ledgers that are not to be believed."""
        for ledger in self._ledgers:
            bureau = self._charter.by_origin(ledger.origin)
            if ledger.evidence is not None:
                _, proven = verify_equivocation(ledger.evidence.evidence, self._charter)
                self._take(bureau, proven, ledger.evidence).error = ledger.evidence
            present = self._found.get((bureau.id, bureau.ledger_verifier))
            if present is not None:
                ledger.disbelieve(present.error)

    def finish(self, as_of: AsOf) -> Iterator[Fault | CosignedBoth]:
        """Every key that signed two histories, and every witness that cosigned both of a ledger's."""
        for (bureau, _), found in self._found.items():
            also = tuple(sorted(found.carried.values()))
            yield replace(fault_of(found.error, bureau, _last(found.error.known)), also=also)
            for witness, proven in found.cosigned.items():
                sizes = proven.smaller.size, proven.larger.size
                yield CosignedBoth(witness, bureau, f"{bureau}#{_last(sizes[0])}", sizes, also)


def _last(size: int | None) -> int:
    """The last entry of so many."""
    return max((size or 0) - 1, 0)
