"""This node's clock against its peers', as gossip tells them; what is off by minutes, records nothing.

Only what this node asked for counts, so that nobody is heard who was not asked, and each peer once, as it was heard
last. With as many peers as make a quorum the node stops recording until its clock is right again, or too few are heard;
with fewer it only warns. The rule is `core/clocks`'.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from tallystick.core.charter import Bureau, Charter
from tallystick.core.clocks import CLOCK_OFF_MAX_US, off_us
from tallystick.core.errors import ClockOff
from tallystick_node.sequencer import Sequencer

log = structlog.get_logger()

HEARD_S: Final = 300.0
"""For so long what a peer's clock said counts."""


class Clocks:
    """The peers' clocks, by bureau. Use within one event loop. An observer has no `sequencer`, and only warns."""

    def __init__(self, charter: Charter, own: Bureau, sequencer: Sequencer | None) -> None:
        self._quorum = None if sequencer is None else charter.quorum_of(own)
        self._own = own
        self._sequencer = sequencer
        self._ahead: dict[str, tuple[int, float]] = {}
        self._told = False

    def heard(self, bureau: str, ahead_us: int) -> None:
        """A peer's clock is so far ahead of this one."""
        self._ahead[bureau] = ahead_us, asyncio.get_running_loop().time()

    def judge(self) -> None:
        """Hold this clock against those heard of late: stop recording where it is off, and go on where it is not."""
        now = asyncio.get_running_loop().time()
        fresh = [ahead for ahead, at in self._ahead.values() if now - at <= HEARD_S]
        off = off_us(fresh)
        wrong = abs(off) > CLOCK_OFF_MAX_US
        enough = self._quorum is not None and len(fresh) >= self._quorum.needed
        if wrong and not self._told:
            log.error("this node's clock is off", seconds=-off // 1_000_000, peers=len(fresh), records=not enough)
        elif self._told and not wrong:
            log.info("this node's clock is right again")
        self._told = wrong
        if self._sequencer is not None:
            self._sequencer.on_hold = self._error(off) if wrong and enough else None

    def _error(self, off: int) -> ClockOff:
        direction = "behind" if off > 0 else "ahead of"
        return ClockOff(
            f"the node's clock is {abs(off) // 1_000_000} s {direction} those of its peers",
            where=self._own.origin,
            expected=f"at most {CLOCK_OFF_MAX_US // 1_000_000} s; nothing is recorded until it is set",
        )
