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
from dataclasses import dataclass, field

from tallystick.audit.coverage import Coverage
from tallystick.audit.entry import On
from tallystick.audit.strand import Fault, fault_of
from tallystick.audit.views.view import AsOf, View, folds
from tallystick.core.charter import Bureau, Charter
from tallystick.core.equivocation import accused_key, check_equivocation, forked, parse_equivocation, verify_equivocation
from tallystick.core.errors import Forked, TallystickError, VerificationFailed
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
    """What is known against a key, and by which bureaus' entries. `kept` says whether this client keeps the file."""

    error: Forked
    carried: dict[str, str] = field(default_factory=dict)
    kept: bool = False


class Histories(View):
    """Two histories. `begin` with the coverage, before the first entry."""

    def __init__(self, charter: Charter) -> None:
        self._charter = charter
        self._witnesses = {bureau.witness_verifier: bureau.id for bureau in charter.bureau}
        self._found: dict[Accused, _Found] = {}
        self._both: dict[tuple[str, str], CosignedBoth] = {}
        self._coverage: Coverage | None = None

    def begin(self, coverage: Coverage) -> None:
        """Know what is judged, and what this client found before anything of it was read."""
        self._coverage = coverage

    @folds(EquivocationFound)
    def found(self, entry: On[EquivocationFound]) -> None:
        """Evidence on a ledger; what proves nothing is passed over."""
        try:
            data = entry.said.evidence.encode()
            accused = self._accused(data)
            found = self._found.get(accused)
            if found is None or entry.bureau not in found.carried:
                self._take(data, entry)
        except TallystickError:
            return

    def _accused(self, data: bytes) -> Accused:
        """Whom a file would accuse if it held. Raises TallystickError."""
        origin = parse_note(parse_equivocation(data).smaller).text.partition("\n")[0]
        bureau = self._charter.by_origin(origin)
        return bureau.id, accused_key(data, bureau)

    def _take(self, data: bytes, entry: On[EquivocationFound]) -> None:
        """Hold what a file proves. Raises VerificationFailed."""
        bureau, proven = verify_equivocation(data, self._charter)
        error = forked(bureau.id, data, proven.key)
        found = self._found.setdefault((bureau.id, proven.key), _Found(error))
        found.carried[entry.bureau] = entry.reference
        if (error.known or 0) < (found.error.known or 0):
            found.error = error

    def disbelieve(self) -> None:
        """Every entry was folded: say in the coverage which ledgers are not to be believed."""
        for ledger in () if self._coverage is None else self._coverage.ledgers:
            bureau = self._charter.by_origin(ledger.origin)
            if ledger.forked is not None:
                self._keep(bureau, ledger.forked)
            present = self._found.get((bureau.id, bureau.ledger_verifier))
            if present is not None and ledger.forked is None:
                ledger.disbelieve(present.error)

    def _keep(self, bureau: Bureau, error: Forked) -> None:
        """What this client keeps comes before what ledgers carry."""
        try:
            _, proven = verify_equivocation(error.evidence, self._charter)
        except VerificationFailed:  # no charter: it was checked where it was found
            proven = check_equivocation(error.evidence, bureau.ledger_verifier)
        found = self._found.setdefault((bureau.id, proven.key), _Found(error))
        found.error, found.kept = error, True

    def finish(self, as_of: AsOf) -> Iterator[Fault | CosignedBoth]:
        """Every key that signed two histories, and every witness that cosigned both of a ledger's."""
        for (bureau, _), found in self._found.items():
            also = tuple(sorted(found.carried.values()))
            fault = fault_of(found.error, bureau, max((found.error.known or 0) - 1, 0), also)
            yield fault
            yield from self._cosigners(bureau, found.error, fault)

    def _cosigners(self, bureau: str, error: Forked, fault: Fault) -> Iterator[CosignedBoth]:
        _, proven = verify_equivocation(error.evidence, self._charter)
        sizes = (proven.smaller.size, proven.larger.size)
        for key in proven.cosigners:
            witness = self._witnesses.get(key)
            if witness is not None:
                yield CosignedBoth(witness, bureau, fault.reference, sizes, fault.also)
