"""Which checkpoint of a ledger each of its witnesses is shown next, so that a quorum of them meets on one.

A *round* is a checkpoint that is shown, with the cosignatures that come for it. Whoever is free is shown the newest,
but for one rule. One round at a time is *held*: every witness that has not come so far is shown it first, until a
quorum has cosigned it; then what is shown at that moment is held. Nobody has cosigned more than that by then, so each
witness comes to it when it has answered what it is at. Under a steady load a quorum so meets again and again, within
twice the time that its slowest witness takes to answer, however they are out of step. Witnesses in step never notice:
what is held is then what is shown.

Decides only: it waits for nothing and has no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tallystick.core.checkpoint import Checkpoint, parse_checkpoint
from tallystick.core.note import Note, VerifierKey, format_note, parse_note
from tallystick.core.reconciling import Said
from tallystick_node.copies import strip
from tallystick_node.signing import Published

_KEPT: Final = 64
_HELD_MAX: Final = 64
"""For how many rounds one is held. A witness that has not come to it by then may be unable to, and be needed."""


@dataclass(slots=True)
class Round:
    """A checkpoint as its ledger signed it, with the cosignatures that came for it, by bureau."""

    checkpoint: Checkpoint
    signed: Note
    said: dict[str, Said] = field(default_factory=dict)

    def note(self, bureaus: Iterable[str]) -> bytes:
        """The note with the cosignatures that came of some bureaus."""
        chosen = [self.said[each].signature for each in bureaus if each in self.said]
        return format_note(Note(self.signed.text, (*self.signed.signatures, *chosen)))


class Rounds:
    """The rounds of one ledger, whose key is `key`."""

    def __init__(self, key: VerifierKey) -> None:
        self._key = key
        self._kept: dict[str, Round] = {}
        self._held: Published | None = None
        self._held_for = 0
        self.shown: Published | None = None

    def show(self, published: Published, witnessed: int) -> Round:
        """Show another checkpoint from now on, while a quorum has cosigned `witnessed` entries."""
        self.shown = published
        self._held_for += 1
        self.hold(witnessed)
        return self.of(parse_checkpoint(text_of(published.note)), published.note)

    def hold(self, witnessed: int) -> None:
        """Hold what is shown now, if what was held is witnessed, or was held for long enough."""
        if self._held is None or self._held.state.size <= witnessed or self._held_for > _HELD_MAX:
            self._held, self._held_for = self.shown, 0

    def held_for(self, size: int) -> Published | None:
        """What is held, for a witness that has come to `size` entries; None where it has come as far."""
        return self._held if self._held is not None and size < self._held.state.size else None

    def find(self, text: str) -> Round | None:
        """The round of a checkpoint, by its text, if it is kept."""
        return self._kept.get(text)

    def of(self, checkpoint: Checkpoint, note: bytes) -> Round:
        """The round of a checkpoint that the ledger signed; the oldest are forgotten, but for those at work."""
        signed = parse_note(strip(note, self._key))
        found = self._kept.setdefault(signed.text, Round(checkpoint, signed))
        at_work = {text_of(each.note) for each in (self._held, self.shown) if each is not None}
        while len(self._kept) > _KEPT:
            del self._kept[next(text for text in self._kept if text not in at_work)]
        return found


def text_of(note: bytes) -> str:
    """The text of a note that this node made."""
    return note[: note.index(b"\n\n") + 1].decode()
