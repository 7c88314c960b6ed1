"""Which node a ledger is read from: its own or, where that is out of reach, one of its witnesses', which keep copies.

Copies are asked in the charter's order, and each is held to what the ledger's own node is held to: the ledger's key
signed what it shows, and that extends what this client trusted. So a copy that is behind that is of no use here, and
one that shows what proves nothing is passed over; neither says anything of the ledger. The ledger's own node is tried
again after a while.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from tallystick.core.charter import Bureau
from tallystick.core.errors import Forked, MalformedEntry, Overloaded, TallystickError, Unreachable, Usage
from tallystick.sdk.wire import Wire

AWAY_S: Final = 30.0
"""For so long a node that was out of reach is not tried again."""


class Sources:
    """The nodes one ledger can be read from, `copies` those of its witnesses, and which of them is asked now."""

    def __init__(self, own: Wire, witnesses: Sequence[Bureau]) -> None:
        self._own = own
        self.copies = tuple(own.to(witness) for witness in witnesses)
        self._begin()

    def _begin(self) -> None:
        self._passed = 0  # how many were passed over: 0 where the ledger's own node is asked
        self._away: Unreachable | None = None
        self._left_at = 0.0
        self._why: list[str] = []

    @property
    def wire(self) -> Wire:
        """The node that is asked."""
        return self.copies[self._passed - 1] if self._passed else self._own

    @property
    def copy(self) -> str:
        """The witness whose copy is read; "" where the ledger's own node is asked."""
        return self.wire.at.id if self._passed else ""

    def begin_again(self) -> None:
        """Ask the ledger's own node again, unless it was out of reach a moment ago."""
        if self._passed and time.monotonic() - self._left_at >= AWAY_S:
            self._begin()

    def leave(self, source: Wire, error: TallystickError) -> bool:
        """Go on to the next node, because of what one answered; False where another is asked by now anyway.

        Raises the error where it holds whoever shows it, or where the ledger's own node is there; Unreachable when
        nobody is left to ask.
        """
        if source is self._own:
            if not isinstance(error, Unreachable) or isinstance(error, Overloaded) or not self.copies:
                raise error
        elif isinstance(error, (Forked, MalformedEntry, Usage)):  # the ledger's key signed it, or it is this client's
            raise error
        if source is not self.wire:
            return False
        if isinstance(error, Unreachable) and source is self._own:
            self._away, self._left_at = error, time.monotonic()
        else:
            self._why.append(f"{self.copy}: {error.what}")
        if self._passed < len(self.copies):
            self._passed += 1
            return True
        away, why = self._away, "; ".join(self._why)
        assert away is not None
        self._begin()
        raise type(away)(f"{away.what}; nor does a copy serve: {why}", where=away.where, expected=away.expected)

    def close(self) -> None:
        """Close every connection."""
        for wire in (self._own, *self.copies):
            wire.close()
