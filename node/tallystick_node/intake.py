"""What waits for the one writer: so many bytes, each caller's in turn, and for each some room.

A caller may have half as much waiting as there is room left beside what waits: so one alone fills half, and however
many crowd in, there is room for who comes next. A small submission is always taken.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from tallystick.core.errors import Overloaded
from tallystick.core.limits import COMMIT_BYTES_MAX, COMMIT_ENTRIES_MAX
from tallystick.core.submission import Prepared
from tallystick_node.fair_queue import NOBODY, FairQueue, Owner
from tallystick_node.signing import Published
from tallystick_node.turns import calling

SHARED_COMMIT_BYTES_MAX: Final = 2 * 1024 * 1024
"""The most of one commit where several callers wait: each waits for no more of the others' than that."""

_SMALL_BYTES: Final = 2 * 1024


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a submission stands; `again` says it was recorded before."""

    first: int
    published: Published
    again: bool


@dataclass(slots=True)
class Waiting:
    """A submission that waits, and who is told of it."""

    submission: Prepared
    owner: Owner
    size_bytes: int
    done: asyncio.Future[Placed]


class Intake:
    """Use within one event loop. `bytes_max` may wait at once; `origin` is the ledger's, for what is said."""

    def __init__(self, origin: str, bytes_max: int) -> None:
        self._origin = origin
        self._bytes_max = bytes_max
        self._queue: FairQueue[Waiting] = FairQueue(len(NOBODY.line))
        self._bytes: Counter[str] = Counter()  # that wait, by who they are for
        self._taken = asyncio.Event()  # replaced whenever there is more room

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def bytes(self) -> int:
        """How many wait, more or less as they will be stored."""
        return self._bytes.total()

    def put(self, submission: Prepared) -> asyncio.Future[Placed]:
        """Let a submission wait, on behalf of who calls now. Raises Overloaded where there is no room for it."""
        owner, size = calling.get(), _size_of(submission)
        if not self._fits(owner, size):
            raise Overloaded("its queue is full", where=self._origin, expected="another try in a moment")
        waiting = Waiting(submission, owner, size, asyncio.get_running_loop().create_future())
        self._queue.push(owner.line, size, waiting)
        self._bytes[owner.who] += size
        return waiting.done

    async def room(self, submission: Prepared) -> None:
        """Wait until there is room for a submission of who calls now."""
        owner, size = calling.get(), _size_of(submission)
        while not self._fits(owner, size):
            await self._taken.wait()

    def take(self) -> list[Waiting]:
        """What is committed next: each caller's in turn. Whose caller has gone is left out, and may be sent again."""
        group: list[Waiting] = []
        entries = size = 0
        size_max = COMMIT_BYTES_MAX if self._queue.callers == 1 else SHARED_COMMIT_BYTES_MAX
        while self._queue:
            waiting = self._queue.first()
            entries += waiting.submission.count
            size += waiting.size_bytes
            if group and (entries > COMMIT_ENTRIES_MAX or size > size_max):
                break
            self._pop()
            if not waiting.done.cancelled():
                group.append(waiting)
        self._more_room()
        return group

    def take_all(self) -> list[Waiting]:
        """Everything that waits; nothing does from then on."""
        everything = [self._pop() for _ in range(len(self._queue))]
        self._more_room()
        return everything

    def _more_room(self) -> None:
        taken, self._taken = self._taken, asyncio.Event()
        taken.set()

    def _pop(self) -> Waiting:
        waiting = self._queue.pop()
        who = waiting.owner.who
        self._bytes[who] -= waiting.size_bytes
        if not self._bytes[who]:
            del self._bytes[who]
        return waiting

    def _fits(self, owner: Owner, size: int) -> bool:
        mine, all_bytes = self._bytes[owner.who], self._bytes.total()
        return not mine or mine + size <= max(_SMALL_BYTES, (self._bytes_max - all_bytes + mine) // 2)


def _size_of(submission: Prepared) -> int:
    return sum(map(len, submission.statements)) + 200 * submission.count
