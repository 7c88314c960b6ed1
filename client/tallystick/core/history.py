"""A ledger's history, entry after entry, each checked against all that went before.

What a full pass, a check of the disk and a follower all do: the index counts up, `prev` is the hash of the entry
before, time never decreases, a submission's entries stand together, no actor's submission stands there twice, and at
its last entry the author's signature over all of them verifies under a key valid there. The tree grows beside, so that
its root can be held against a checkpoint.

Which keys the node and the registrar have, the charter says, and a ledger may go by a later version than its reader
does. So a key of theirs that the reader's does not name proves nothing: that is `CharterMismatch`, and of all errors
the only one that does not say that the ledger is bad.

An error names the entry: `<origin>#<index>`, of a submission's signature and standing its last. That entry is then not
part of the history, which may go on with another in its place.

Every submission's id is kept, because nothing else tells a submission that was replayed: some hundred bytes each. Who
has the entries at hand need not begin with the first again: a history goes on from where a submission ended, and asks
its caller what stands before (`resumed`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Self

from tallystick.core.actors import Actors
from tallystick.core.entry import Entry, decode_entry
from tallystick.core.errors import (
    ChainBroken,
    CharterMismatch,
    MalformedEntry,
    NotAuthentic,
    SignatureInvalid,
    TallystickError,
)
from tallystick.core.hashing import chain_hash, genesis_hash, leaf_hash
from tallystick.core.statement import Read, Reader
from tallystick.core.submission import check_recorded
from tallystick.core.tree import Tree
from tallystick_proto.v1.entry_pb2 import Signature
from tallystick_proto.v1.statement_pb2 import ActorRegistered, ActorRevoked

_ABOUT_ACTORS: Final = frozenset({ActorRegistered.DESCRIPTOR.name, ActorRevoked.DESCRIPTOR.name})


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry that was checked, with its statement read."""

    entry: Entry
    read: Read


class History:
    """Folds a ledger's entries from its first. `actors` starts with the charter's keys and is folded along."""

    def __init__(self, actors: Actors) -> None:
        self.actors = actors
        self.tree = Tree()
        self._origin = actors.origin
        self._prev = genesis_hash(actors.origin)
        self._recorded_at_us = 0
        self._open: list[Recorded] = []
        self._reader = Reader()
        self._submissions: set[tuple[str, bytes]] = set()
        self._stands: Callable[[str, bytes], bool] = lambda actor, submission_id: False

    @classmethod
    def resumed(
        cls, actors: Actors, tree: Tree, prev: bytes, recorded_at_us: int, stands: Callable[[str, bytes], bool]
    ) -> Self:
        """A history that goes on after the last entry of `tree`, where `actors` are those registered by then.

        `stands` says whether an actor's submission of an id is among the entries before. `actors` and `tree` stay as
        they are.
        """
        history = cls(actors.copy())
        history.tree = tree.copy()
        history._prev, history._recorded_at_us, history._stands = prev, recorded_at_us, stands
        return history

    @property
    def size(self) -> int:
        """How many entries were checked in form and chain."""
        return self.tree.size

    @property
    def complete(self) -> bool:
        """Whether the last submission is whole; every signed checkpoint falls on such a point."""
        return not self._open

    @property
    def whole_size(self) -> int:
        """How many entries belong to submissions that are whole."""
        return self.tree.size - len(self._open)

    @property
    def prev(self) -> bytes:
        """What the next entry must carry as `prev`."""
        return self._prev

    @property
    def recorded_at_us(self) -> int:
        """When the last entry was recorded."""
        return self._recorded_at_us

    def extend(self, raws: Iterable[bytes]) -> list[Recorded]:
        """Check the next entries. Raises ChainBroken, MalformedEntry or SignatureInvalid at the first bad one, and
        CharterMismatch at the first that a later charter may account for.
        """
        checked: list[Recorded] = []
        leaves: list[bytes] = []
        try:
            for raw in raws:
                index = self.tree.size + len(leaves)
                try:
                    recorded = self._check(index, raw)
                except TallystickError as error:
                    raise error.at(f"{self._origin}#{index}") from None
                leaves.append(leaf_hash(raw))
                checked.append(recorded)
        finally:
            if leaves:
                self.tree.append(leaves)
        return checked

    def _check(self, index: int, raw: bytes) -> Recorded:
        entry = decode_entry(raw)
        if entry.index != index:
            raise ChainBroken(f"it calls itself #{entry.index}", expected=f"#{index}", known=index)
        if entry.prev != self._prev:
            expected = f"{self._prev.hex()}, the hash of the entry before"
            raise ChainBroken(f"prev is {entry.prev.hex()}", expected=expected, known=index)
        if entry.recorded_at_us < self._recorded_at_us:
            expected = f"not before {self._recorded_at_us}"
            raise ChainBroken(f"recorded at {entry.recorded_at_us} us", expected=expected, known=index)
        if self._open:
            if entry.signed is not None or entry.first != self._open[0].entry.index:
                raise MalformedEntry("it interrupts a submission", expected=f"first = {self._open[0].entry.index}")
        elif entry.signed is None:
            raise MalformedEntry(f"it belongs to a submission at #{entry.first} that is over", expected="a signature")
        if not self._open:
            self._reader = Reader()
        recorded = Recorded(entry, self._reader.read(entry.statement))
        if entry.signed is not None and self._stands_already(_submission(entry.signed, recorded)):
            raise MalformedEntry("its submission was recorded before", expected="every submission once")
        self._open.append(recorded)
        try:
            signed = self._open[0].entry.signed
            assert signed is not None
            if len(self._open) == signed.count:
                self._close(signed)
        except TallystickError:
            self._open.pop()
            raise
        self._prev = chain_hash(raw)
        self._recorded_at_us = entry.recorded_at_us
        return recorded

    def _close(self, signed: Signature) -> None:
        """The submission is whole: its signature, its author's standing, and what it says of actors."""
        actor = self._open[0].read.statement.head.actor
        if any(recorded.read.statement.head.actor != actor for recorded in self._open):
            raise MalformedEntry("its submission speaks for two actors", expected=actor)
        check_recorded(self._origin, actor, signed, [recorded.entry.statement for recorded in self._open])
        try:
            registered = self.actors.authorise(actor, signed.key, self._open[0].entry.index)
            kinds = {kind.name: kind for recorded in self._open if (kind := recorded.read.kind) is not None}
            for kind in kinds.values():
                if registered.role not in kind.roles:
                    raise NotAuthentic(f"{actor} may not say {kind.name}", expected="a role the kind allows")
            # Tried first on a copy: a submission is taken whole or not at all.
            if not kinds.keys().isdisjoint(_ABOUT_ACTORS):
                self._fold(self.actors.copy())
                self._fold(self.actors)
        except NotAuthentic as error:
            if self.actors.by_key(signed.key) is None and self.actors.is_named(actor):
                raise CharterMismatch(
                    f"it is signed as {actor} by a key that this charter does not name",
                    expected="a version of the charter that does; a later one may",
                ) from None
            raise SignatureInvalid(error.what, where=error.where, expected=error.expected) from None
        self._submissions.add(_submission(signed, self._open[0]))
        self._open = []

    def _stands_already(self, submission: tuple[str, bytes]) -> bool:
        return submission in self._submissions or self._stands(*submission)

    def _fold(self, actors: Actors) -> None:
        for recorded in self._open:
            actors.fold(recorded.entry.index, recorded.read.statement, recorded.entry.recorded_at_us)


def _submission(signed: Signature, first: Recorded) -> tuple[str, bytes]:
    """What names a submission on a ledger: ids are scoped to their actor."""
    return first.read.statement.head.actor, signed.submission_id
