"""Why a ledger's writer records nothing: for good, for now, or until a person decides. Each reason has its own place.

    stopped    for good: the ledger lacks what its key signed
    not_yet    before the first signature after a start
    frozen     until a later version of the charter is adopted: its holders signed two
    on_hold    while this node's clock is off

Whoever finds a reason sets it, and takes back only its own. The first there is, in this order, is what is told.
"""

from __future__ import annotations

from collections.abc import Callable

from tallystick.core.errors import NotAllowed, Starting, TallystickError


class Refusals:
    """The reasons of one writer, with what the charter says of its bureau and until when."""

    def __init__(self, origin: str, state: str, expires_us: int, now_us: Callable[[], int]) -> None:
        self.stopped: TallystickError | None = None
        self.not_yet: Starting | None = None
        self.frozen: TallystickError | None = None
        self.on_hold: TallystickError | None = None
        self._origin = origin
        self._state = state
        self._expires_us = expires_us
        self._now_us = now_us

    @property
    def not_recording(self) -> TallystickError | None:
        """Why nothing is recorded, for now or for good; None where it is."""
        return self.stopped or self.not_yet or self.frozen or self.on_hold

    def check_started(self) -> None:
        """Raises `not_yet`, while it is set."""
        if self.not_yet is not None:
            raise self.not_yet.with_traceback(None)

    def check_recording(self) -> None:
        """Raises the reason there is, and NotAllowed once the charter has expired or where the bureau is not active."""
        if self.not_recording is not None:
            raise self.not_recording.with_traceback(None)
        if self._now_us() >= self._expires_us:
            raise NotAllowed("the charter has expired", where=self._origin, expected="a later version of it")
        if self._state != "active":
            raise NotAllowed(f"the charter says {self._state}", where=self._origin, expected="an active bureau")
