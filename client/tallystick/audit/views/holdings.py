"""Who holds which version: received, what they did on a recall, and when they used it last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tallystick.audit.entry import On, Place
from tallystick.audit.views.catalogue import Catalogue
from tallystick.audit.views.view import AsOf, View, folds
from tallystick_proto.v1.statement_pb2 import (
    DataReceived,
    DataUsed,
    NoticeAcknowledged,
    VersionProvided,
    VersionRecalled,
)


@dataclass(slots=True)
class Holding:
    """A version as one bureau holds it, from whom by its own word. `heeded` is what it said to the recall; uses are
    counted before and after.

    `recall` is the one after which it was used first.
    """

    bureau: str
    version: str
    received: str = ""
    senders: set[str] = field(default_factory=set)
    heeded: On[NoticeAcknowledged] | None = None
    uses: int = 0
    uses_after: int = 0
    first_after: On[DataUsed] | None = None
    recall: On[VersionRecalled] | None = None
    last_use: str = ""


class Holdings(View):
    """Holdings by version and bureau. A recall is its provider's; what another bureau calls one is `foreign-code`.

    It holds until the version is provided anew, and speaks of the fields it names, of all where it names none.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.held: dict[str, dict[str, Holding]] = {}
        self._recalls: dict[Place, str] = {}
        self.recalled: dict[str, On[VersionRecalled]] = {}
        self._provided_anew: set[str] = set()

    @folds(DataReceived)
    def _received(self, entry: On[DataReceived]) -> None:
        if entry.head.version:
            holding = self._holding(entry.head.version, entry.bureau)
            holding.senders.add(entry.head.counterparty)
            holding.received = holding.received or entry.reference

    @folds(DataUsed)
    def _used(self, entry: On[DataUsed]) -> None:
        if not entry.head.version:
            return
        holding = self._holding(entry.head.version, entry.bureau)
        holding.uses += 1
        recall = self.recalled.get(entry.head.version)
        if recall is not None and self.obliges(recall, entry.bureau) and self._is_after(entry, recall):
            holding.uses_after += 1
            if holding.first_after is None:
                holding.first_after, holding.recall = entry, recall
        holding.last_use = entry.reference

    def _is_after(self, used: On[DataUsed], recall: On[VersionRecalled]) -> bool:
        """Whether what was recalled was used after that was recorded, by whatever day its own bureau gives it."""
        if used.head.version in self._provided_anew or used.happened_at_us <= recall.recorded_at_us:
            return False
        fields = set(recall.said.fields)
        return not fields or not used.said.fields or not fields.isdisjoint(used.said.fields)

    @folds(VersionProvided)
    def _provided(self, entry: On[VersionProvided]) -> None:
        if entry.head.version in self.recalled and self._catalogue.is_of(entry.bureau, entry.head.version):
            self._provided_anew.add(entry.head.version)

    @folds(VersionRecalled)
    def _recalled(self, entry: On[VersionRecalled]) -> None:
        if self._catalogue.is_of(entry.bureau, entry.head.version):
            self._recalls[entry.place] = entry.head.version
            if entry.head.version not in self.recalled or entry.head.version in self._provided_anew:
                self.recalled[entry.head.version] = entry
                self._provided_anew.discard(entry.head.version)

    @folds(NoticeAcknowledged)
    def _acknowledged(self, entry: On[NoticeAcknowledged]) -> None:
        version = self._recalls.get(entry.about) if entry.about is not None else None
        if version is not None:
            self._holding(version, entry.bureau).heeded = entry

    def obliges(self, recall: On[VersionRecalled], bureau: str) -> bool:
        """Whether a recall is one to a bureau: of its maker's own version, and where names do not tell whose it is, to
        who says it had it from there."""
        version = recall.head.version
        if not self._catalogue.is_of(recall.bureau, version):
            return False
        holding = self.held.get(version, {}).get(bureau)
        from_there = holding is not None and recall.bureau in holding.senders
        return from_there or bureau == recall.bureau or self._catalogue.is_whose_alone(version.rpartition("@")[0])

    def _holding(self, version: str, bureau: str) -> Holding:
        held = self.held.setdefault(version, {})
        return held.setdefault(bureau, Holding(bureau, version))

    def holders(self, version: str) -> Iterator[Holding]:
        """Everybody who received or used a version."""
        yield from self.held.get(version, {}).values()

    def finish(self, as_of: AsOf) -> Iterator[Holding]:
        """Every holding of a version that was recalled."""
        for version in self.recalled:
            yield from self.holders(version)
