"""Whose turn it is to be worked for.

A node works on one event loop. Before each piece of work (`bounds` says what it costs) a call takes its turn here; one
turn is given at each round of the loop, to whoever has been given least so far (`fair_queue`), among parties and then
among a party's callers. So a caller who asks for much waits for himself, a bureau that asks by many names for itself,
and who asks for little goes before them. Where nobody else asks, a turn is had at once.

Who records one statement after another asks for little at a time, and would wait at each step for whoever fills the
time between. So while somebody records, nobody else fills it with reading: each who reads has a part of the time, if he
is the only one too (`bounds.READING_REST`). All whom another party named have one such part together.

Who makes calls that are refused for his own fault (malformed, not authentic, over bounds, not allowed) pays for each
many times. Beyond what may happen to anybody he has to pay it off, connection by connection, and until then takes his
turns among those of his kind, all of whom together are given a small part of the node's time (`bounds.REFUSED_REST`)
whether others ask or not.

A handler that works for long takes turns in between (`pause`).

Decisions depend on the calls and the loop's clock alone, so that simulated time replays them.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import ContextVar
from typing import Final

import grpc

from tallystick.core.errors import TallystickError
from tallystick.sdk.wire_errors import code_of
from tallystick_node.arrivals import Arrivals
from tallystick_node.bounds import (
    READING_REST,
    RECORDING_S,
    RECORDS,
    REFUSED_DEBT_MAX_US,
    REFUSED_FREE_US,
    REFUSED_PRICES,
    REFUSED_REST,
    ROUND_US,
    WEIGHTS,
    Bounds,
)
from tallystick_node.fair_queue import NOBODY, FairQueue, Owner
from tallystick_node.places import Places

_S: Final = 1e-6
_KEPT: Final = 1_024

BLAMED: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""What an honest program is not told again and again; that something is gone, too old or there already, it may be."""

calling: ContextVar[Owner] = ContextVar("calling", default=NOBODY)
"""For whom the node works now, in a call and in whatever tasks it begins."""


class _Lane:
    """Turns, one after another; for what one takes, `rest` times as long passes until the next.

    Where that is none, rounds of the loop pass all the same, the more the dearer a turn was: a call that comes in takes
    some until it is here, whoever's it is, and must not wait for somebody's long work in each of them.
    """

    def __init__(self, rest: float) -> None:
        self.queue: FairQueue[tuple[float, asyncio.Future[None]]] = FairQueue(1 + len(NOBODY.line), WEIGHTS)
        self._rest = rest
        self._rounds = 0  # to pass before the next
        self.giving = False

    async def turn(self, part: str, owner: Owner, price_us: float) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.queue.push((part, *owner.line), price_us, (price_us, mine))
        if not self.giving:
            self.giving = True
            self._give()
        await mine

    def _give(self) -> None:
        """Give a turn to whoever is next and still waits; at the next round of the loop or later, to another."""
        if self._rounds:
            self._rounds -= 1
            asyncio.get_running_loop().call_soon(self._give)
            return
        while self.queue:
            price_us, mine = self.queue.pop()
            if not mine.done():  # its caller may have gone
                mine.set_result(None)
                loop = asyncio.get_running_loop()
                if self._rest:
                    loop.call_later(self._rest * price_us * _S, self._give)
                else:
                    self._rounds = int(price_us / ROUND_US)
                    loop.call_soon(self._give)
                return
        self.giving = False


class Turns:
    """Those of one node. Use within one event loop; `calls_max` is how many calls it answers at once, `own` the party
    whose node it is.
    """

    def __init__(self, calls_max: int, own: str = "") -> None:
        self.places = Places(calls_max)
        self.arrivals = Arrivals()
        self._own = own
        self._lane = _Lane(0.0)
        self._blamed_lane = _Lane(REFUSED_REST)
        self._reading: dict[str, _Lane] = {}  # by caller, or another's party
        self._recorded: dict[str, float] = {}  # when a caller last did, by the loop's clock; the latest comes last
        self._blamed: dict[Owner, float] = {}  # when what was refused is paid off, by the loop's clock

    @contextmanager
    def call(self, owner: Owner, rpc: str, bounds: Bounds) -> Iterator[Call]:
        """While a call is open that came in. Raises Overloaded where its caller has too many."""
        with self.places.call(owner, rpc, bounds):
            call = Call(self, owner, bounds)
            calling.set(owner)  # for the rest of this task, which is the call's
            current.set(call)
            yield call

    async def turn(self, part: str, owner: Owner, price_us: float) -> None:
        """Wait for one's turn in a part of the node's time, which is paid for with that."""
        # Where many are refused at once, however little each of them owes, they are refused together.
        free_us = 0.0 if self._blamed_lane.giving else REFUSED_FREE_US
        if self._debt_us(owner) > free_us:
            await self._blamed_lane.turn(part, owner, price_us)
            return
        if part == RECORDS:
            self._records(owner.who)
        elif self._another_records(owner.who):
            await self._reading_lane(owner).turn(part, owner, price_us)
        await self._lane.turn(part, owner, price_us)

    def _records(self, who: str) -> None:
        self._recorded.pop(who, None)
        self._recorded[who] = asyncio.get_running_loop().time()
        if len(self._recorded) > _KEPT:
            del self._recorded[next(iter(self._recorded))]

    def _another_records(self, who: str) -> bool:
        latest = next((at_s for each, at_s in reversed(self._recorded.items()) if each != who), -math.inf)
        return asyncio.get_running_loop().time() - latest <= RECORDING_S

    def _reading_lane(self, owner: Owner) -> _Lane:
        reader = owner.who if owner.party in (self._own, "") else owner.party
        lane = self._reading.get(reader)
        if lane is None:
            if len(self._reading) >= _KEPT:
                self._reading = {each: lane for each, lane in self._reading.items() if lane.giving}
            lane = self._reading[reader] = _Lane(READING_REST)
        return lane

    def charge(self, part: str, owner: Owner, price_us: float) -> None:
        """Let a caller pay for work that was done for him."""
        self._lane.queue.charge((part, *owner.line), price_us)

    def blame(self, owner: Owner, price_us: float) -> None:
        """A call that cost so much is refused for its caller's own fault."""
        price_us *= REFUSED_PRICES
        now_s = asyncio.get_running_loop().time()
        until_s = max(self._blamed.get(owner, now_s), now_s) + price_us * _S
        self._blamed[owner] = min(until_s, now_s + REFUSED_DEBT_MAX_US * _S)
        if len(self._blamed) > _KEPT:
            self._blamed = {each: until_s for each, until_s in self._blamed.items() if until_s > now_s}

    async def hold_back(self, owner: Owner, bounds: Bounds) -> bool:
        """A call is one too many: its refusal takes its turn too, or who is refused would call again at once.

        Returns False where he has too many that wait to be refused.
        """
        self.blame(owner, bounds.call_us)
        with self.places.refusal(owner.who) as waits:
            if waits:
                await self.turn(bounds.part, owner, bounds.call_us)
        return waits

    def _debt_us(self, owner: Owner) -> float:
        until_s = self._blamed.get(owner)
        return 0.0 if until_s is None else (until_s - asyncio.get_running_loop().time()) / _S


class Call:
    """A call that came in."""

    def __init__(self, turns: Turns, owner: Owner, bounds: Bounds) -> None:
        self.owner = owner
        self.bounds = bounds
        self._turns = turns
        self._paid_us = 0.0

    async def turn(self, price_us: float, message_bytes: int = 0) -> None:
        """Wait for this caller's turn, with a message at hand. Raises Overloaded where too many wait with theirs."""
        self._paid_us = price_us
        with self._turns.places.message(self.owner.who, message_bytes):
            await self._turns.turn(self.bounds.part, self.owner, price_us)

    def message(self) -> AbstractAsyncContextManager[None]:
        """While its first message comes, once it may."""
        return self._turns.arrivals.one(self.owner)

    async def hold_back(self) -> None:
        """A message is one too many: its refusal takes its turn too."""
        await self._turns.hold_back(self.owner, self.bounds)

    def charge(self, price_us: float) -> None:
        """Pay for what turned out to be asked for."""
        self._paid_us += price_us
        self._turns.charge(self.bounds.part, self.owner, price_us)

    def blame(self) -> None:
        """What was paid for last is refused for the caller's own fault."""
        self._turns.blame(self.owner, max(self._paid_us, self.bounds.call_us))


current: ContextVar[Call | None] = ContextVar("current", default=None)
"""The call that is being answered, where it takes turns."""


async def pause() -> None:
    """Let others have their turn, in work for one call that goes on for long; where its caller has gone, it ends."""
    call = current.get()
    if call is None:
        await asyncio.sleep(0)
    else:
        await call.turn(call.bounds.answer_us or call.bounds.call_us)


def refused(error: TallystickError) -> None:
    """One message of the call that is being answered is refused, and the call goes on: a fault of the caller's own is
    paid for as if it had ended the call.
    """
    call = current.get()
    if call is not None and code_of(error) in BLAMED:
        call.blame()
