"""How many messages come at once, of whose length nobody knows anything yet."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from tallystick_node.arrivals import Arrivals
from tallystick_node.bounds import ARRIVING_ALWAYS, ARRIVING_MAX, PARTY_ARRIVING_MAX
from tallystick_node.fair_queue import Owner

A = Owner("a", "a1")
CROWD = 1_000


class Crowd:
    """Messages that come and stall until they are let go on."""

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self.coming: Counter[Owner] = Counter()
        self.most: Counter[Owner] = Counter()
        self.over = asyncio.Event()

    def send(self, owner: Owner, count: int = CROWD) -> list[asyncio.Task[None]]:
        return [asyncio.ensure_future(self._one(owner)) for _ in range(count)]

    async def _one(self, owner: Owner) -> None:
        async with self.arrivals.one(owner):
            self.coming[owner] += 1
            self.most[owner] = max(self.most[owner], self.coming[owner])
            try:
                await self.over.wait()
            finally:
                self.coming[owner] -= 1


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_stalls_leaves_room_for_another() -> None:
    """One caller has a part of what may come, and who comes after him has some, however many wait; all come at last."""
    crowd = Crowd()
    sent = crowd.send(A)
    await _settled()
    assert ARRIVING_ALWAYS < crowd.coming[A] <= ARRIVING_MAX // 2
    callers = [Owner(f"{number}", "", f"{number}") for number in range(ARRIVING_MAX)]
    sent += [task for each in callers for task in crowd.send(each, 10)]
    await _settled()
    assert min(crowd.coming[each] for each in callers) == ARRIVING_ALWAYS
    crowd.over.set()
    await asyncio.gather(*sent)
    assert crowd.most[A] <= ARRIVING_MAX // 2


async def test_a_party_has_no_more_coming_by_naming_more_callers() -> None:
    """However few are each one's; another party has its own, and every caller of theirs comes in turn."""
    crowd = Crowd()
    many = [Owner(f"many:{number}", "", "many") for number in range(PARTY_ARRIVING_MAX)]
    sent = [task for each in many for task in crowd.send(each, 10)]
    await _settled()
    assert crowd.coming.total() == PARTY_ARRIVING_MAX
    sent += crowd.send(Owner("other:1", "", "other"), 1)
    await _settled()
    assert crowd.coming.total() == PARTY_ARRIVING_MAX + 1
    crowd.over.set()
    await asyncio.gather(*sent)
    assert set(crowd.most) >= set(many)


@pytest.mark.parametrize("gone", ["who waits", "who comes", "who was given a place"])
async def test_who_goes_leaves_his_place(gone: str) -> None:
    """Whoever is cancelled, at whatever moment, holds nothing, and the others come."""
    crowd = Crowd()
    sent = crowd.send(A)
    await _settled()
    most = crowd.coming[A]
    if gone == "who comes":
        going = sent[:most]
    elif gone == "who waits":
        going = sent[most : 2 * most]
    else:
        sent[0].cancel()  # whose place is the next one's by the time that he is told
        await asyncio.sleep(0)
        going = sent[most : most + 1]
    for task in going:
        task.cancel()
    await _settled()
    assert crowd.coming[A] == most
    crowd.over.set()
    for task in sent:
        with suppress(asyncio.CancelledError):
            await task
    assert crowd.most[A] == most
    again = Crowd()
    again.arrivals = crowd.arrivals
    sent = again.send(A)
    await _settled()
    assert again.coming[A] == most
    again.over.set()
    await asyncio.gather(*sent)
