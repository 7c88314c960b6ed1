"""Every ledger this node can answer about: its own, and the copies it keeps of others.

Of its own ledger it speaks up to the newest checkpoint it signed; of a copy up to the one it cosigned last, and of
nothing beyond, though more may be stored by then. A copy is there as soon as the node has started, whether its ledger's
node can be reached or not.

Copies are opened here, for readers and for the one who follows alike: `load` at the start, and `open` whenever a
follower begins again from what the disk has. Whoever opened a copy, or has cosigned more of it, puts it here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

import structlog

from tallystick.core.actors import Actors
from tallystick.core.charter import Bureau
from tallystick.core.checkpoint import parse_checkpoint
from tallystick.core.errors import BehindSigned, NotFound, Stopping, StoreDamaged, TallystickError
from tallystick.core.keys import Signer
from tallystick.core.note import parse_note
from tallystick_node.copies import Copy, cosigned_again, open_copy, read_cosigning
from tallystick_node.ledger import Ledger
from tallystick_node.sequencer import Sequencer
from tallystick_node.store.store import Store
from tallystick_node.witness import Gathering

log = structlog.get_logger()


class Held(Protocol):
    """A ledger as this node can answer about it now. What it says fits together as long as nobody waits in between."""

    @property
    def ledger(self) -> Ledger:
        """Its entries, hashes and index; maybe more of them than `size`."""

    @property
    def actors(self) -> Actors:
        """Its actors at `size`, or later."""

    @property
    def size(self) -> int:
        """How many entries are answered about: those under `note`."""

    @property
    def note(self) -> bytes:
        """The newest checkpoint, signed by the ledger's key, with the cosignatures this node has for it."""

    def check_known(self, size: int) -> None:
        """Raises Starting where who knows `size` entries would be shown fewer only because this node is starting."""

    async def grown(self, size: int) -> None:
        """Wait until there are more than `size` entries. Raises Stopping when that cannot be any more."""


class Own:
    """The ledger this node writes."""

    def __init__(self, sequencer: Sequencer, gathering: Gathering) -> None:
        self._sequencer = sequencer
        self._gathering = gathering

    @property
    def ledger(self) -> Ledger:
        return self._sequencer.ledger

    @property
    def actors(self) -> Actors:
        return self._sequencer.actors

    @property
    def size(self) -> int:
        return self._sequencer.published.state.size

    @property
    def note(self) -> bytes:
        return self._gathering.with_cosignatures(self._sequencer.published.note)

    def check_known(self, size: int) -> None:
        if size > self.size:
            self._sequencer.check_started()

    async def grown(self, size: int) -> None:
        while self.size <= size:
            await self._sequencer.changed()


class Copied:
    """The copy of another's ledger, up to what was cosigned of it."""

    def __init__(self, copy: Copy) -> None:
        """Raises StoreDamaged, or MalformedNote where the record of what was cosigned does not read."""
        self._grown = asyncio.Event()  # replaced whenever there is more
        self._ended = False
        self.show(copy)

    def show(self, copy: Copy) -> None:
        """Answer from a copy as it is open now. Raises as the constructor; then nothing changes."""
        note = copy.cosigned
        size = parse_checkpoint(parse_note(note).text).size
        if size > copy.size:
            raise StoreDamaged(
                f"{copy.size} entries are held", where=copy.ledger.origin, expected=f"the {size} that were cosigned"
            )
        self.ledger, self.actors, self.size, self.note = copy.ledger, copy.actors, size, note
        self.copy, self.contradicting = copy, copy.cosigning.shown
        self._wake()

    def end(self) -> None:
        """Let go of whoever waits."""
        self._ended = True
        self._wake()

    def check_known(self, size: int) -> None:
        pass  # a copy is behind as a rule

    async def grown(self, size: int) -> None:
        while self.size <= size:
            if not self._ended:
                await self._grown.wait()
            if self._ended:
                raise Stopping("the node is shutting down", where=self.ledger.origin)

    def _wake(self) -> None:
        event, self._grown = self._grown, asyncio.Event()
        event.set()


class Shelf:
    """The ledgers of one node, by origin. `store` is its database, `key` signs as the witness `name`."""

    def __init__(self, store: Store, key: Signer, name: str, own: Held | None = None) -> None:
        self._store = store
        self._key = key
        self._name = name
        self.own = own
        self._copies: dict[str, Copied] = {}
        self.stopped: dict[str, str] = {}  # by origin, why this node cosigns a ledger no more
        self._known: dict[str, Bureau] = {}
        self._reminders: dict[str, bytes] = {}

    def load(self, bureaus: Iterable[Bureau]) -> None:
        """Open what is held of the ledgers of `bureaus`. What is damaged is said and left out; others still answer."""
        self._known = {bureau.origin: bureau for bureau in bureaus}
        for bureau in self._known.values():
            try:
                self.put(self.open(bureau))
            except TallystickError as error:
                log.error("a copy cannot be read", ledger=bureau.id, reason=str(error))

    def open(self, bureau: Bureau) -> Copy:
        """The copy of a bureau's ledger as the disk has it, for the one who follows it. Raises StoreDamaged."""
        return Copy(self._store, bureau, self._key, self._name)

    def put(self, copy: Copy) -> None:
        """Answer from a copy that was just opened, or that more was cosigned of; from none of which nothing was.

        Raises StoreDamaged, or MalformedNote, where the record of what was cosigned does not read.
        """
        if copy.stopped:
            self.stopped[copy.ledger.origin] = copy.stopped
        held = self._copies.get(copy.ledger.origin)
        if not copy.cosigning.note:
            if held is not None:  # it was let go of
                del self._copies[copy.ledger.origin]
                held.end()
        elif held is None:
            self._copies[copy.ledger.origin] = Copied(copy)
        else:
            held.show(copy)

    @property
    def origins(self) -> list[str]:
        """The ledgers of which a copy is held."""
        return sorted(self._copies)

    def at(self, origin: str) -> Held:
        """A ledger. Raises NotFound where this node neither writes it nor has cosigned any of it."""
        if self.own is not None and origin == self.own.ledger.origin:
            return self.own
        held = self._copies.get(origin)
        if held is None:
            raise NotFound(
                f"no ledger {origin[:255]!r} here",
                where="origin",
                expected="one that this node writes, or has cosigned",
            )
        return held

    def held(self, origin: str) -> list[bytes]:
        """The checkpoints that the disk has of another's ledger: the one cosigned last, with the cosignature, and the
        one that ended cosigning. Raises NotFound where that is no ledger this node could hold, StoreDamaged.
        """
        bureau = self._known.get(origin)
        if bureau is None:
            raise NotFound(f"{origin[:255]!r} is not held here", where="origin", expected="another's, in the charter")
        # The record alone: to open a copy is to verify every registration in it, and anybody may ask for this.
        record = read_cosigning(open_copy(self._store, bureau))
        return [note for note in (cosigned_again(record, self._key, self._name), record.shown) if note]

    def remind(self, origin: str, note: bytes) -> None:
        """Somebody shows a note of another's ledger. One with this node's own cosignature that says more than is
        remembered is kept for who cosigns (`reminder`); others say nothing here. Raises as `Copy.recall`, but for that.
        """
        held, bureau = self._copies.get(origin), self._known.get(origin)
        if bureau is not None and any(each.name == self._name for each in parse_note(note).signatures):
            copy = self.open(bureau) if held is None else held.copy
            try:
                copy.recall(note)
            except BehindSigned:
                self._reminders[origin] = note

    def reminder(self, origin: str) -> bytes:
        """What this node cosigned of a ledger and does not remember, as somebody showed it; empty where nobody did."""
        return self._reminders.get(origin, b"")

    def contradicting(self, origin: str) -> bytes:
        """The checkpoint for which this node cosigns a ledger no more; empty while it does."""
        held = self._copies.get(origin)
        return b"" if held is None else held.contradicting

    def refuse_more(self) -> None:
        """Let go of whoever waits for more of a copy."""
        for held in self._copies.values():
            held.end()
