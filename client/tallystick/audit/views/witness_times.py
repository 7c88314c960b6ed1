"""Within what bounds entries were recorded, who was shown them when, and where a node's clock disagrees.

A ledger's `CheckpointWitnessed` entries carry what its witnesses cosigned (`core/witnessing` says what their times
bound). A note that does not verify under the charter bounds nothing, nor does one of fewer than a quorum, or of more
entries than stood before it, nor of a history that is not the ledger's: who cosigned that never had what stands here.
Clocks may differ by so much as the rulebook says: bounds are taken wider by that, so that
what is no clock-skew is left as its node says.

The lower bound of an entry is known when it is folded, its upper one only when a note follows. Whoever waits for that
is kept here, and the moments that no quorum is known to have had: memory does not grow with what was witnessed. What
nodes showed when the audit began (`Coverage`) bounds what no note covered by the end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import Message

from tallystick.audit.coverage import Coverage, LedgerCoverage
from tallystick.audit.entry import On
from tallystick.audit.moment import Moment
from tallystick.audit.strand import Fault
from tallystick.audit.views.view import AsOf, Fold, View
from tallystick.core.charter import Bureau, Charter
from tallystick.core.errors import VerificationFailed
from tallystick.core.kinds import KINDS
from tallystick.core.quorum import Quorum
from tallystick.core.witnessing import Cosigner, Witnessed, open_cosigned, others_of, witnessed_size
from tallystick_proto.v1.statement_pb2 import CheckpointWitnessed, Statement

_MINUTE_US: Final = 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Skew:
    """An entry that its node dates later, or earlier, than a quorum's times allow, by so many microseconds.

    `also` is the entry with the note that shows it; "" where that is the entry itself, or a node showed it.
    """

    bureau: str
    index: int
    later: bool
    by_us: int
    at_us: int
    also: str


@dataclass(frozen=True, slots=True)
class Unwitnessed:
    """So many entries of a ledger, from an index on, that are older than the charter's freshness, and that no quorum
    is seen to have cosigned."""

    bureau: str
    index: int
    count: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A ledger of which so many witnesses are seen to have cosigned within the charter's freshness, too few of them.

    `index` is the last entry that a quorum is known to have.
    """

    bureau: str
    index: int
    count: int
    quorum: Quorum


@dataclass(slots=True)
class _Ledger:
    """What is known of one ledger so far. `runs` are entries no quorum is known to have: where each moment begins."""

    bureau: Bureau
    began_us: int | None = None
    not_before_us: int = 0
    witnessed: int = 0
    last: int = -1
    runs: list[tuple[int, int]] = field(default_factory=list)
    waiting: dict[Moment, None] = field(default_factory=dict)

    def said_by(self, size: int) -> tuple[int, int] | None:
        """The last moment below a size among those no quorum is known to have had, and where it begins."""
        there = bisect_left(self.runs, (size,))
        return self.runs[there - 1] if there else None

    def drop(self, size: int) -> None:
        """A quorum has what stands below a size."""
        there = bisect_left(self.runs, (size,))
        spans = there > 0 and (self.runs[there][0] if there < len(self.runs) else self.last + 1) > size
        self.runs[:there] = [(size, self.runs[there - 1][1])] if spans else []
        self.witnessed = max(self.witnessed, size)


class WitnessTimes(View):
    """Witness times. `begin` with the coverage, before the first entry."""

    def __init__(self, charter: Charter, skew_minutes: int) -> None:
        self._charter = charter
        self._skew_us = skew_minutes * _MINUTE_US
        self._ledgers = {
            bureau.origin: _Ledger(bureau) for bureau in charter.ledgers if charter.quorum_of(bureau) is not None
        }
        self._unserved: dict[str, dict[str, dict[Moment, None]]] = {}
        self._coverage: dict[str, LedgerCoverage] = {}
        self._asked_us: int | None = None
        self._looked_at: set[str] = set()

    def begin(self, coverage: Coverage) -> None:
        """Take what was shown of what witnesses cosigned, and when it was asked for; and where roots will stand."""
        self._coverage = {ledger.origin: ledger for ledger in coverage.ledgers}
        self._asked_us = coverage.asked_us

    def folding(self) -> Iterator[tuple[type[Message], Fold]]:
        """Every kind: each entry has its moment."""
        for kind in KINDS.values():
            yield type(getattr(Statement(), kind.field)), self._fold

    # What others ask.

    def moment(self, entry: On[Any], addressee: str = "") -> Moment:
        """When an entry was recorded, and when its addressee had it: completed as notes follow, until `forget`.

        To be asked as the entry is folded: the ledger's lower bound is then its own.
        """
        ledger = self._ledgers.get(entry.place.origin)
        if ledger is None:
            return Moment(entry.place, entry.recorded_at_us)
        moment = Moment(entry.place, entry.recorded_at_us, ledger.not_before_us)
        ledger.waiting[moment] = None
        if addressee:
            self._unserved.setdefault(entry.place.origin, {}).setdefault(addressee, {})[moment] = None
        return moment

    def forget(self, moment: Moment, addressee: str = "") -> None:
        """Nobody waits for it any more."""
        ledger = self._ledgers.get(moment.place.origin)
        if ledger is not None:
            ledger.waiting.pop(moment, None)
            self._unserved.get(moment.place.origin, {}).get(addressee, {}).pop(moment, None)

    def at_us(self, entry: On[Any]) -> int:
        """When an entry that is being folded was recorded, by what is known now."""
        ledger = self._ledgers.get(entry.place.origin)
        return entry.recorded_at_us if ledger is None else max(entry.recorded_at_us, ledger.not_before_us)

    def looked_at(self, origin: str) -> bool:
        """Whether it was judged, at the end, what a quorum should have cosigned of a ledger."""
        return origin in self._looked_at

    # Folding.

    def _fold(self, entry: On[Any]) -> Iterator[Skew | Fault]:
        ledger = self._ledgers.get(entry.place.origin)
        if ledger is None:
            return
        if isinstance(entry.said, CheckpointWitnessed):
            yield from self._noted(ledger, entry)
        ledger.last = entry.place.index
        if ledger.began_us is None:
            ledger.began_us = entry.recorded_at_us
        if not ledger.runs or ledger.runs[-1][1] != entry.recorded_at_us:
            ledger.runs.append((entry.place.index, entry.recorded_at_us))

    def _noted(self, ledger: _Ledger, entry: On[CheckpointWitnessed]) -> Iterator[Skew | Fault]:
        note = entry.said.note.encode()
        try:
            opened = open_cosigned(note, self._charter, ledger.bureau, past=True)
        except VerificationFailed:
            return
        if opened.checkpoint.size > entry.place.index:
            return
        coverage = self._coverage.get(ledger.bureau.origin)
        if coverage is None:  # only some of its entries are shown
            return
        root = coverage.roots.at(opened.checkpoint.size)
        if root != opened.checkpoint.root:
            if root is not None and not coverage.contradicting:
                coverage.contradicting = note
                said = f"it carries a checkpoint of {opened.checkpoint.size} entries that is not of this ledger"
                yield Fault("unreconciled", entry.bureau, entry.reference, said)
            return
        self._serve(ledger, opened.checkpoint.size, self._others(ledger, note))
        yield from self._take(ledger, opened, entry.reference)
        bounds = opened.bounds(self._charter)
        if bounds is not None:
            ledger.not_before_us = max(ledger.not_before_us, bounds.not_before_us - self._skew_us)
            by_us = bounds.not_before_us - entry.recorded_at_us
            if by_us > self._skew_us:
                yield Skew(entry.bureau, entry.place.index, False, by_us, bounds.not_before_us, "")

    def _take(self, ledger: _Ledger, opened: Witnessed, also: str) -> Iterator[Skew]:
        """A cosigned checkpoint: who had what, and from when on it was there."""
        size = opened.checkpoint.size
        self._serve(ledger, size, opened.cosigners)
        bounds = opened.bounds(self._charter)
        if bounds is None or size <= ledger.witnessed:
            return
        for moment in _below(ledger.waiting, size):
            moment.there_by_us = bounds.there_by_us + self._skew_us
        said = ledger.said_by(size)
        if said is not None and said[1] - bounds.there_by_us > self._skew_us:
            first, said_us = said
            yield Skew(ledger.bureau.id, first, True, said_us - bounds.there_by_us, bounds.there_by_us, also)
        ledger.drop(size)

    def _serve(self, ledger: _Ledger, size: int, cosigners: Iterable[Cosigner]) -> None:
        """What stands below a size came before those who cosigned it."""
        unserved = self._unserved.get(ledger.bureau.origin, {})
        for cosigner in cosigners:
            for moment in _below(unserved.get(cosigner.witness.id, {}), size):
                moment.cosigned_us = cosigner.at_us

    def _others(self, ledger: _Ledger, note: bytes) -> tuple[Cosigner, ...]:
        """Who cosigned a note and is no witness of the ledger, of those for whom something on it waits."""
        waiting = {addressee for addressee, moments in self._unserved.get(ledger.bureau.origin, {}).items() if moments}
        try:
            among = [bureau for bureau in self._charter.bureau if bureau.id in waiting]
            return others_of(note, self._charter, ledger.bureau, among, past=True)
        except VerificationFailed:
            return ()

    def finish(self, as_of: AsOf) -> Iterator[Skew | Unwitnessed | Silent]:
        """What was shown of what no note on a ledger covers: whoever still waits is given it. And what is missing."""
        for origin, ledger in self._ledgers.items():
            coverage = self._coverage.get(origin)
            shown = None if coverage is None else coverage.cosigned
            for opened in sorted(shown or (), key=lambda each: each.checkpoint.size):
                yield from self._take(ledger, opened, "")
            if shown is not None and self._asked_us is not None:
                yield from self._missing(
                    ledger, shown, self._asked_us - self._charter.witnessing.freshness_s * 1_000_000
                )

    def _missing(self, ledger: _Ledger, shown: tuple[Witnessed, ...], since_us: int) -> Iterator[Unwitnessed | Silent]:
        """What a quorum should have cosigned since a moment and is not seen to have; of active ledgers only."""
        quorum = self._charter.quorum_of(ledger.bureau) if ledger.bureau.state == "active" else None
        if quorum is None:
            return
        self._looked_at.add(ledger.bureau.origin)
        if ledger.began_us is None or ledger.began_us > since_us:
            return
        bureau = ledger.bureau.id
        ledger.drop(witnessed_size(shown, quorum))  # by several checkpoints: each who has the larger has the smaller
        old = bisect_left(ledger.runs, since_us, key=lambda run: run[1])
        if old:
            first, at_us = ledger.runs[0]
            end = ledger.runs[old][0] if old < len(ledger.runs) else ledger.last + 1
            yield Unwitnessed(bureau, first, end - first, at_us)
        fresh = {
            cosigner.witness.credit_code
            for opened in shown
            for cosigner in opened.cosigners
            if cosigner.at_us >= since_us
        }
        if len(fresh) < quorum.needed:
            yield Silent(bureau, max(ledger.witnessed - 1, 0), len(fresh), quorum)


def _below(waiting: dict[Moment, None], size: int) -> Iterable[Moment]:
    """Those below a size, which wait no more. They stand in the order of the ledger."""
    found = []
    for moment in waiting:
        if moment.place.index >= size:
            break
        found.append(moment)
    for moment in found:
        del waiting[moment]
    return found
