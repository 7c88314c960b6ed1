"""A node whose witnesses say what a test has them say, whatever they would hold."""

from __future__ import annotations

from tallystick.core.charter import Charter
from tallystick.core.charter_note import open_charter
from tallystick.core.cosignature import make_cosignature
from tallystick.core.note import add_signatures
from tests.harness import loop
from tests.harness.lying_node import LyingNode
from tests.harness.office import NOW_US, Office
from tests.harness.witnesses import text_of

NOW_S = NOW_US // 1_000_000


class Ledger:
    """A node whose witnesses say what a test has them say."""

    def __init__(self, node: LyingNode, witnesses: list[Office]) -> None:
        self.node = node
        self.witnesses = witnesses

    @property
    def charter(self) -> Charter:
        return open_charter(*self.node.home.office.charter())

    @property
    def note(self) -> bytes:
        """The checkpoint signed last."""
        return self.node.sequencer.published.note

    def cosigned(self, note: bytes, number: int, at_s: int = NOW_S) -> bytes:
        """A note with a witness's cosignature."""
        office = self.witnesses[number]
        line = make_cosignature(text_of(note), at_s, office.keys["witness"], f"{office.origin}/witness")
        return add_signatures(note, line)

    def take(self, note: bytes, number: int) -> None:
        """The node hears a note from a witness."""

        async def hear() -> None:
            self.node.gathering.take(self.witnesses[number].bureau.id, note)

        loop.run(hear())

    def say(self, number: int, at_s: int = NOW_S) -> None:
        """A witness cosigns what was signed last."""
        self.take(self.cosigned(self.note, number, at_s), number)
