"""Verified reading of a ledger from the copy that another bureau's node keeps of it.

What the ledger's key signed is believed and judged as from the ledger's own node. But what the copy's keeper does not
prove is that keeper's doing and says nothing of the ledger: it is as if nobody had answered. A copy that is behind what
this client was shown before is late, and no older state that somebody goes back to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tallystick.core.checkpoint import Checkpoint, open_checkpoint
from tallystick.core.errors import Forked, Unreachable, VerificationFailed
from tallystick.sdk.reader import LedgerReader


class CopyReader(LedgerReader):
    """Reads one ledger whole at another's node (`wire.at`)."""

    def refresh(self) -> Checkpoint:
        """The newest checkpoint that the copy's keeper cosigned, checked to extend the trusted one.

        Raises Forked, which is proven whoever shows it, or Unreachable.
        """
        with self._keeper_answers():
            return super().refresh()

    def _advance(self, note: bytes, consistency: Sequence[bytes]) -> Checkpoint:
        shown = open_checkpoint(note, self.bureau.ledger_verifier, self.bureau.ends)
        if shown.size < self.trusted.size:
            raise self._nothing(
                f"its copy has {shown.size} entries, and {self.trusted.size} were shown to this client before",
                "a copy that has caught up",
            )
        return super()._advance(note, consistency)

    def raws(self, checkpoint: Checkpoint) -> Iterator[bytes]:
        """The bytes of every entry, as of the ledger's node. Raises Unreachable where one is not proven."""
        with self._keeper_answers():
            yield from super().raws(checkpoint)

    @contextmanager
    def _keeper_answers(self) -> Iterator[None]:
        try:
            yield
        except Forked:
            raise
        except VerificationFailed as error:
            raise self._nothing(f"its copy proves nothing ({error})", "a copy that does") from None

    def _nothing(self, what: str, expected: str) -> Unreachable:
        where = f"{self.wire.at.id} at {self.wire.at.endpoint}"
        return Unreachable(what, where=where, expected=f"{expected}, of {self.bureau.id}")
