"""Whose message may come now.

How long a message is, nobody knows before it is here whole, and each may be as long as the longest. So only so many
come at once, of all callers (`ARRIVING_MAX`), of each and of each party; the others stay with who sends them. Nobody is
refused for that, unless it lasts as long as a message may take (`REQUEST_S`): whoever's messages stall waits for
himself.

Use within one event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tallystick_node.bounds import ARRIVING_ALWAYS, ARRIVING_MAX, PARTY_ARRIVING_MAX, fits
from tallystick_node.fair_queue import Owner


class Arrivals:
    """Those at one node."""

    def __init__(self) -> None:
        self._coming: Counter[str] = Counter()  # by caller
        self._party: Counter[str] = Counter()
        self._waiting: dict[tuple[str, str], deque[asyncio.Future[None]]] = {}  # by caller and party, never empty

    @asynccontextmanager
    async def one(self, owner: Owner) -> AsyncIterator[None]:
        """While a message comes, once it may."""
        caller = (owner.who, owner.party)
        if caller not in self._waiting and self._fits(caller):
            self._count(caller, 1)
        else:
            await self._wait(caller)
        try:
            yield
        finally:
            self._leave(caller)

    async def _wait(self, caller: tuple[str, str]) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._forget(caller, place)
                self._give()  # it may have been passed over in another's stead
            else:
                self._leave(caller)
            raise

    def _forget(self, caller: tuple[str, str], place: asyncio.Future[None]) -> None:
        places = self._waiting.get(caller, deque())
        with suppress(ValueError):
            places.remove(place)
        if not places:
            self._waiting.pop(caller, None)

    def _leave(self, caller: tuple[str, str]) -> None:
        self._count(caller, -1)
        self._give()

    def _give(self) -> None:
        """Let a message of each come for whom there is room now; first who has waited longest since his last."""
        for caller in list(self._waiting):
            if self._fits(caller):
                places = self._waiting.pop(caller)
                place = places.popleft()
                if places:
                    self._waiting[caller] = places
                if not place.done():  # its caller may have gone
                    self._count(caller, 1)
                    place.set_result(None)

    def _fits(self, caller: tuple[str, str]) -> bool:
        who, party = caller
        return self._party[party] < PARTY_ARRIVING_MAX and fits(
            self._coming[who], self._coming.total(), ARRIVING_MAX, ARRIVING_ALWAYS
        )

    def _count(self, caller: tuple[str, str], by: int) -> None:
        for counter, name in zip((self._coming, self._party), caller, strict=True):
            counter[name] += by
            if not counter[name]:
                del counter[name]
