"""Entries as the audit sees them: verified, with the one kind of statement a rule asks for.

`On[VersionProvided]` in a rule's annotation means: an entry that says so. What an entry cites is read from the fields
of its kind that hold a `Ref`, so that a kind added later is followed too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from google.protobuf.descriptor import FieldDescriptor

from tallystick.audit.finding import Fact, Found, Standing
from tallystick.audit.place import Place as Place
from tallystick.core.errors import InvalidStatement
from tallystick.core.hashing import leaf_hash
from tallystick.core.history import Recorded
from tallystick.core.kinds import KINDS, Kind
from tallystick.core.statement import Checker, Read
from tallystick_proto.v1.statement_pb2 import Head, Ref, Statement

S_co = TypeVar("S_co", covariant=True)


@dataclass(frozen=True, slots=True)
class On(Generic[S_co]):
    """An entry of a bureau's ledger that says an `S_co`; times in microseconds since 1970."""

    bureau: str
    place: Place
    leaf: bytes
    recorded_at_us: int
    head: Head
    said: S_co
    kind: Kind

    @property
    def reference(self) -> str:
        return f"{self.bureau}#{self.place.index}"

    @property
    def read(self) -> Read:
        """The statement as readers and describers take it."""
        statement = Statement(head=self.head)
        getattr(statement, self.kind.field).CopyFrom(self.said)
        return Read(statement, self.kind, True)

    @property
    def imported(self) -> bool:
        """Whether it was brought in from elsewhere: its moment is its actor's word, and citations may be missing."""
        return bool(self.head.source)

    @property
    def happened_at_us(self) -> int:
        """When it happened, by its actor's word; as recorded where that says nothing, or a time still to come."""
        return min(self.head.happened_at_us or self.recorded_at_us, self.recorded_at_us)

    @property
    def since_us(self) -> int:
        """From when it counts: recording; for what was brought in, when it happened."""
        return self.happened_at_us if self.imported else self.recorded_at_us

    @property
    def about(self) -> Place | None:
        """What it answers."""
        return place_of(self.head.about) if self.head.HasField("about") else None

    @property
    def code(self) -> str:
        """The resource it speaks of, by its head's resource or version."""
        return self.head.resource or self.head.version.rpartition("@")[0]

    def finding(
        self,
        *others: str,
        bureau: str | None = None,
        standing: Standing | None = None,
        once: Hashable = None,
        also: tuple[str, ...] = (),
        **facts: Fact,
    ) -> Found:
        """What a rule yields: shown by this entry and others (references), answered for by `bureau`; see `Found`."""
        answering = self.bureau if bureau is None else bureau
        return Found(answering, (self.reference, *others), self.since_us, facts, standing, once, also)


def place_of(ref: Ref) -> Place:
    """Where a citation points."""
    return Place(ref.origin, ref.index)


def on_entry(bureau: str, origin: str, recorded: Recorded) -> On[Any] | None:
    """The audit's view of a recorded entry; None where this version does not know its kind, or what it means by it."""
    kind = recorded.read.kind
    if kind is None or not (recorded.read.understood or _is_in_order(recorded.read.statement)):
        return None
    statement, entry = recorded.read.statement, recorded.entry
    return On(
        bureau,
        Place(origin, entry.index),
        leaf_hash(entry.raw),
        entry.recorded_at_us,
        statement.head,
        getattr(statement, kind.field),
        kind,
    )


def _is_in_order(statement: Statement) -> bool:
    """Whether what is known of a statement that says more than is known would be in order by itself.

    A reader lets it pass unlooked at: a later version may allow what this one does not. It cannot be folded then.
    """
    try:
        Checker(statement.head.actor).check(statement.SerializeToString())
    except InvalidStatement:
        return False
    return True


def citations(entry: On[Any]) -> Iterator[Ref]:
    """The entries it cites."""
    head = entry.head
    if head.HasField("about"):
        yield head.about
    for name in _REF_FIELDS[entry.kind.number]:
        if entry.said.HasField(name):
            yield getattr(entry.said, name)


def _ref_fields(kind: Kind) -> tuple[str, ...]:
    """The kind's own fields that hold one citation."""
    return tuple(
        use.field.name
        for use in kind.body_uses
        if use.field.type == FieldDescriptor.TYPE_MESSAGE and use.field.message_type is Ref.DESCRIPTOR
    )


_REF_FIELDS: Final = {number: _ref_fields(kind) for number, kind in KINDS.items()}
