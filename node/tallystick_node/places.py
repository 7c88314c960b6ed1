"""How much callers may have open at a node at once: calls, large answers, messages that wait, refusals that wait.

Nobody fills what is shared (`bounds.fits`): one alone has at most half, however many crowd in there is room for who
comes next, and each may always have a little. All whom one party named are bounded together besides.

Use within one event loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from tallystick.core.errors import Overloaded
from tallystick_node.bounds import (
    CALLS_ALWAYS,
    HELD_MAX,
    LARGE_ALWAYS,
    LARGE_MAX,
    PARTY_LARGE_MAX,
    WAITING_BYTES_ALWAYS,
    WAITING_BYTES_MAX,
    Bounds,
    fits,
)
from tallystick_node.fair_queue import Owner

Key = TypeVar("Key")


class Places:
    """Those of one node, which answers `calls_max` calls at once."""

    def __init__(self, calls_max: int) -> None:
        self._calls_max = calls_max
        self._open: Counter[str] = Counter()  # calls, by caller
        self._of: Counter[tuple[str, str]] = Counter()  # by caller and RPC
        self._large: Counter[str] = Counter()  # by caller
        self._party: Counter[tuple[str, bool]] = Counter()  # by whose names they come in, and whether they are large
        self._held: Counter[str] = Counter()  # refusals that wait for their turn, by caller
        self._bytes: Counter[str] = Counter()  # of messages that wait for their turn, by caller

    @property
    def open(self) -> int:
        """How many calls are being answered."""
        return self._open.total()

    @property
    def empty(self) -> bool:
        """Whether nobody has anything, and nothing is kept of who had."""
        return not (self._open or self._of or self._large or self._party or self._held or self._bytes)

    @contextmanager
    def call(self, owner: Owner, rpc: str, bounds: Bounds) -> Iterator[None]:
        """While a call is open. Raises Overloaded where its caller has too many."""
        who = owner.who
        if (
            self._is_party_full(owner.party, bounds)
            or self._of[who, rpc] >= bounds.at_once_max
            or not (
                fits(self._open[who], self._open.total(), self._calls_max, CALLS_ALWAYS)
                and (not bounds.large or fits(self._large[who], self._large.total(), LARGE_MAX, LARGE_ALWAYS))
            )
        ):
            raise Overloaded(
                f"{self._of[who, rpc]} calls are open, of {self._open[who]} in all",
                where=rpc.rpartition("/")[2],
                expected=f"at most {bounds.at_once_max} of a caller, and fewer where the node is busy",
            )
        with (
            _counted(self._party, (owner.party, bounds.large)),
            _counted(self._open, who),
            _counted(self._of, (who, rpc)),
            _counted(self._large, who, int(bounds.large)),
        ):
            yield

    def _is_party_full(self, party: str, bounds: Bounds) -> bool:
        """Whether its callers together have as many calls open as they may, however few are each one's."""
        large = self._party[party, True]
        all_open = large + self._party[party, False]
        return all_open >= self._calls_max or (bounds.large and large >= PARTY_LARGE_MAX)

    @contextmanager
    def message(self, who: str, size: int) -> Iterator[None]:
        """While a message of `size` bytes waits for its turn. Raises Overloaded where too many do."""
        mine, everybody = self._bytes[who], self._bytes.total()
        if size and not fits(mine + size - 1, everybody, WAITING_BYTES_MAX, WAITING_BYTES_ALWAYS):
            raise Overloaded(f"{mine} bytes wait to be read", expected="another try in a moment")
        with _counted(self._bytes, who, size):
            yield

    @contextmanager
    def refusal(self, who: str) -> Iterator[bool]:
        """While a refusal waits for its turn; says False where its caller has too many that do, and counts it not."""
        if not fits(self._held[who], self._held.total(), HELD_MAX, CALLS_ALWAYS):
            yield False
            return
        with _counted(self._held, who):
            yield True


@contextmanager
def _counted(counter: Counter[Key], key: Key, by: int = 1) -> Iterator[None]:
    """While something counts; who has nothing any more is forgotten."""
    counter[key] += by
    try:
        yield
    finally:
        counter[key] -= by
        if not counter[key]:
            del counter[key]
